//! The run folder.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;

use crate::train::run::{claim, default_folder};
use crate::train::{TrainError, write_atomically};

/// Makes the folder, `runs/<name>-<time>` where none is asked for. An existing one must be empty.
pub(super) fn create(wanted: Option<&Path>, name: &str) -> Result<PathBuf, TrainError> {
    let path = wanted.map_or_else(|| default_folder(name, SystemTime::now()), Path::to_owned);
    claim(&path)?;
    Ok(path)
}

/// Writes a value as readable JSON.
pub(super) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_string_pretty(value).map_err(|e| TrainError::File {
        path: path.to_owned(),
        message: format!("cannot be written ({e})"),
    })?;
    text.push('\n');
    write_atomically(path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_holds_something_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b");
        assert_eq!(create(Some(&path), "demo").unwrap(), path);
        assert_eq!(create(Some(&path), "demo").unwrap(), path, "an empty one is fine");
        std::fs::write(path.join("note"), "mine").unwrap();
        let error = create(Some(&path), "demo").unwrap_err().to_string();
        assert!(error.contains("not empty") && error.contains("--run"), "{error}");
        let file = path.join("note");
        assert!(create(Some(&file), "demo").unwrap_err().to_string().contains("note"));
    }
}

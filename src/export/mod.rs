//! A trained model for other programs: as ONNX, and as weights under the names and in the layout that PyTorch uses.

mod onnx;
mod weights;

use std::collections::{BTreeMap, HashMap};

use safetensors::{Dtype, tensor::TensorView};

use crate::model::Network;
pub use weights::Tensor;
pub(crate) use weights::{Layout, layouts};

/// Why a model cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The weights are those of another network.
    #[error(
        "the weights have no tensor `{tensor}` of {expected} values; take the checkpoint that belongs to this network"
    )]
    Weights {
        /// The tensor.
        tensor: String,
        /// The values that the network has there.
        expected: usize,
    },
    /// The file format refuses what it was given.
    #[error("safetensors: {0}")]
    Format(#[from] safetensors::SafeTensorError),
}

/// A network with one replica and its weights by name, as a checkpoint has them.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    /// The network.
    pub network: &'a Network,
    /// Name, dimensions, values.
    pub tensors: &'a BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Model<'_> {
    fn values(&self, name: &str, dims: &[usize]) -> Result<&[f32], ExportError> {
        let expected = dims.iter().product();
        match self.tensors.get(name) {
            Some((_, values)) if values.len() == expected => Ok(values),
            _ => Err(ExportError::Weights { tensor: name.to_owned(), expected }),
        }
    }

    /// Every weight and bias in PyTorch's layout: convolutions `[C_out, C_in, K_h, K_w]`, linear layers `[D_out, D_in]`
    /// with flattened maps in (c, h, w) order, a diagonal mapping `[C, H, W]`.
    pub fn weights(&self) -> Result<Vec<Tensor>, ExportError> {
        let mut tensors = Vec::new();
        for node in self.network.nodes() {
            tensors.extend(weights::of(self, node)?);
        }
        Ok(tensors)
    }

    /// [`Model::weights`] as a safetensors file, with these lines of metadata.
    pub fn safetensors(&self, metadata: &[(String, String)]) -> Result<Vec<u8>, ExportError> {
        let weights = self.weights()?;
        let bytes: Vec<Vec<u8>> =
            weights.iter().map(|t| t.values.iter().flat_map(|value| value.to_le_bytes()).collect()).collect();
        let mut views = Vec::with_capacity(weights.len());
        for (tensor, bytes) in weights.iter().zip(&bytes) {
            views.push((tensor.name.as_str(), TensorView::new(Dtype::F32, tensor.dims.clone(), bytes)?));
        }
        let metadata: HashMap<String, String> = metadata.iter().cloned().collect();
        Ok(safetensors::serialize(views, Some(metadata))?)
    }

    /// The model as ONNX (opset 17). Input `pictures` `[batch, C, H, W]`, values in [0, 1]: what the network is fed is
    /// computed inside. Outputs `logits` and `probabilities`, both `[batch, K]`.
    pub fn onnx(&self, metadata: &[(String, String)]) -> Result<Vec<u8>, ExportError> {
        onnx::file(self, metadata)
    }
}

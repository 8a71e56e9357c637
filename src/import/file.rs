//! A safetensors file, as it lies on the disk.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};

use super::ImportError;
use crate::train::Checkpoint;

/// A tensor of a file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Its name there.
    pub name: String,
    /// Its dimensions there.
    pub dims: Vec<usize>,
    /// Row-major.
    pub values: Values,
}

#[derive(Clone, Debug)]
pub(super) enum Values {
    Single(Vec<f32>),
    /// Of another type: named if it is asked for.
    Other(Dtype),
}

/// All of it, by name.
pub(super) struct File {
    pub tensors: BTreeMap<String, Stored>,
    /// Written by this program as a checkpoint: in the network's own layout.
    pub own: bool,
}

pub(super) fn read(path: &Path) -> Result<File, ImportError> {
    let wrong = |message: String| ImportError::File { path: path.to_owned(), message };
    let bytes = std::fs::read(path)
        .map_err(|e| wrong(format!("cannot be read ({e}); give a run folder or a safetensors file")))?;
    let foreign = |e: safetensors::SafeTensorError| {
        let pickle = bytes.starts_with(b"PK") || bytes.starts_with(&[0x80, 0x02]);
        let remedy = if pickle {
            "is a PyTorch pickle, which runs code when it is read; in Python, `safetensors.torch.save_file(state_dict, \"f.safetensors\")` makes a file that does not".to_owned()
        } else {
            format!("is damaged or no safetensors file ({e})")
        };
        wrong(remedy)
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(foreign)?;
    let format = header.metadata().as_ref().and_then(|notes| notes.get("format"));
    if format.map(String::as_str) == Some(Checkpoint::FORMAT) {
        // With the checks that a checkpoint has to pass.
        let checkpoint = Checkpoint::parse(path, &bytes).map_err(|error| wrong(error.to_string()))?;
        return of_checkpoint(path, checkpoint);
    }
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(&bytes).map_err(foreign)?.tensors() {
        let singles = || view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let doubles = || {
            view.data()
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32)
        };
        // The upper half of a single.
        let halves = || view.data().chunks_exact(2).map(|b| f32::from_le_bytes([0, 0, b[0], b[1]]));
        let values = match view.dtype() {
            Dtype::F32 => Values::Single(singles().collect()),
            Dtype::F64 => Values::Single(doubles().collect()),
            Dtype::BF16 => Values::Single(halves().collect()),
            other => Values::Other(other),
        };
        tensors.insert(name.clone(), Stored { name, dims: view.shape().to_vec(), values });
    }
    Ok(File { tensors, own: false })
}

/// Weights and running statistics; the optimiser's state and the clock have names that no layer has.
fn of_checkpoint(path: &Path, checkpoint: Checkpoint) -> Result<File, ImportError> {
    let mut tensors = BTreeMap::new();
    for (name, (dims, values)) in checkpoint.tensors {
        let Some((&replicas, dims)) = dims.split_first() else { continue };
        if replicas != 1 {
            let message = format!("holds {replicas} models; take a run of one");
            return Err(ImportError::File { path: path.to_owned(), message });
        }
        let stored = Stored { name: name.clone(), dims: dims.to_vec(), values: Values::Single(values) };
        tensors.insert(name, stored);
    }
    Ok(File { tensors, own: true })
}

impl Stored {
    /// Its values, if they are those of a tensor of these dimensions.
    pub(super) fn checked(
        self,
        path: &Path,
        wanted: &str,
        expected: &[usize],
    ) -> Result<Vec<f32>, ImportError> {
        let Self { name, dims, values } = self;
        let values = match values {
            Values::Single(values) => values,
            Values::Other(dtype) => {
                let message = format!(
                    "tensor `{name}` has type {dtype:?}; save it as float32 (`tensor.float()` in PyTorch)"
                );
                return Err(ImportError::File { path: path.to_owned(), message });
            }
        };
        if dims != expected || values.len() != expected.iter().product::<usize>() {
            return Err(ImportError::Shape {
                path: path.to_owned(),
                tensor: name,
                wanted: wanted.to_owned(),
                found: dims,
                expected: expected.to_vec(),
            });
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(ImportError::NotFinite { path: path.to_owned(), tensor: name });
        }
        Ok(values)
    }
}

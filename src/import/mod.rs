//! Weights from elsewhere, to begin a training with: those of an earlier run, or a PyTorch state dict.

mod file;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::export::{Layout, layouts};
use crate::model::Network;
use crate::plan::Part;
use crate::train::{self, Checkpoint};
use file::Stored;

/// Why weights cannot be taken from a file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A tensor of the network is not there.
    #[error(
        "{path} has nothing for the network's `{wanted}` {dims:?}; it has {known}. Say what belongs there with --init-names THEIRS={layer}, or use the network that the weights belong to"
    )]
    Missing {
        /// The file.
        path: PathBuf,
        /// The network's weights.
        wanted: String,
        /// Their dimensions in the file's layout.
        dims: Vec<usize>,
        /// The layer that they belong to.
        layer: String,
        /// Names and dimensions that the file has.
        known: String,
    },
    /// A tensor of another shape.
    #[error(
        "{path}: tensor `{tensor}` has dimensions {found:?}, the network's `{wanted}` takes {expected:?}; use the network that the weights belong to ([model] features in a config), or take fewer parts with --init-parts"
    )]
    Shape {
        /// The file.
        path: PathBuf,
        /// Its tensor.
        tensor: String,
        /// The network's weights.
        wanted: String,
        /// The file's dimensions.
        found: Vec<usize>,
        /// The dimensions that fit.
        expected: Vec<usize>,
    },
    /// A weight that is no number.
    #[error("{path}: tensor `{tensor}` holds a value that is not finite; such weights train nothing")]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Its tensor.
        tensor: String,
    },
    /// Two names of the map lead to the same place, or one leads nowhere.
    #[error("--init-names {theirs}={ours}: {message}")]
    Name {
        /// The file's name.
        theirs: String,
        /// The network's.
        ours: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The weights are not those that the run began with.
    #[error(
        "{path} holds other weights than when this run began ({found} now, {expected} then); put the old file back, or start a new run"
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// The digest of the weights now.
        found: String,
        /// The digest that the run recorded.
        expected: String,
    },
}

/// What initial weights are taken from, as it stands under `[init]` in a config. Without `from`, weights are random.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Initial {
    /// A checkpoint of this program, or a safetensors file in PyTorch's layout.
    pub from: Option<PathBuf>,
    /// The parts that take weights from it.
    pub parts: BTreeSet<Part>,
    /// Tensors or layers of the file by name, each with the name that the network has for it. The longest name wins.
    pub names: BTreeMap<String, String>,
    /// Of the weights taken; a run writes it, and holds the file against it when it starts again before its first
    /// checkpoint.
    pub digest: Option<String>,
}

impl Default for Initial {
    fn default() -> Self {
        Self { from: None, parts: BTreeSet::from([Part::Features]), names: BTreeMap::new(), digest: None }
    }
}

/// Weights for a network, and what became of the rest of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Name, dimensions and values of each, in the network's layout, for one replica.
    pub weights: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// Biases that the file lacks, which are 0: PyTorch's convolutions before a normalisation often have none.
    pub zero_biases: Vec<String>,
    /// Tensors of a foreign file that no part took.
    pub left: Vec<String>,
    /// Of `weights`.
    pub digest: String,
}

impl Imported {
    /// A checkpoint at its start with these weights in the place of its own, in every replica.
    pub fn into_start(self, start: &Checkpoint, replicas: usize) -> Checkpoint {
        let mut start = start.clone();
        for (name, (_, values)) in self.weights {
            if let Some((_, place)) = start.tensors.get_mut(&name) {
                *place = values.repeat(replicas);
            }
        }
        start
    }
}

impl Initial {
    /// Reads the weights that `parts` of a network want. `None` without `from`.
    ///
    /// A file of this program is in the network's own layout; any other is taken to be in PyTorch's: convolutions
    /// `[C_out, C_in, K_h, K_w]`, linear layers `[D_out, D_in]` with maps flattened in (c, h, w) order.
    pub fn read(&self, network: &Network) -> Result<Option<Imported>, ImportError> {
        let Some(path) = &self.from else { return Ok(None) };
        let file = file::read(path)?;
        let mut stored = names::renamed(file.tensors, &self.names, network)?;
        let (mut weights, mut zero_biases) = (BTreeMap::new(), Vec::new());
        for node in network.nodes().iter().filter(|node| self.parts.contains(&node.part)) {
            for Layout { parameter, dims, places } in layouts(node) {
                let expected = if file.own { &parameter.dims } else { &dims };
                let name = parameter.name;
                let ours = match stored.remove(&name) {
                    Some(found) => {
                        let values = found.checked(path, &name, expected)?;
                        if file.own { values } else { ours(&places, &values) }
                    }
                    None if !file.own && is_bias_of(&weights, &name) => {
                        zero_biases.push(name.clone());
                        vec![0.0; places.len()]
                    }
                    None => return Err(missing(path, &name, &node.name, expected, &stored)),
                };
                weights.insert(name, (parameter.dims, ours));
            }
        }
        let left = match file.own {
            true => Vec::new(),
            false => stored.into_values().map(|tensor| tensor.name).filter(|name| is_weight(name)).collect(),
        };
        let imported = Imported { digest: train::digest(&weights), weights, zero_biases, left };
        match &self.digest {
            Some(expected) if *expected != imported.digest => Err(ImportError::Changed {
                path: path.clone(),
                found: imported.digest,
                expected: expected.clone(),
            }),
            _ => Ok(Some(imported)),
        }
    }
}

/// PyTorch's values in our order.
fn ours(places: &[usize], theirs: &[f32]) -> Vec<f32> {
    let mut ours = vec![0.0; theirs.len()];
    places.iter().zip(theirs).for_each(|(&at, &value)| ours[at] = value);
    ours
}

/// Whether it is the bias of a layer whose weight was there.
fn is_bias_of(weights: &BTreeMap<String, (Vec<usize>, Vec<f32>)>, name: &str) -> bool {
    let layer = name.strip_suffix(".bias");
    layer.is_some_and(|layer| weights.contains_key(&format!("{layer}.weight")))
}

/// PyTorch counts batches beside its running statistics, which no forward pass reads.
fn is_weight(name: &str) -> bool {
    !name.ends_with("num_batches_tracked")
}

/// How many tensors a message names.
const NAMED: usize = 8;

fn missing(
    path: &Path,
    name: &str,
    layer: &str,
    dims: &[usize],
    stored: &BTreeMap<String, Stored>,
) -> ImportError {
    // Those of the right shape first: the one that is meant is among them.
    let mut known: Vec<&Stored> = stored.values().filter(|tensor| is_weight(&tensor.name)).collect();
    known.sort_by_key(|tensor| tensor.dims != dims);
    let mut list: Vec<String> =
        known.iter().take(NAMED).map(|tensor| format!("{} {:?}", tensor.name, tensor.dims)).collect();
    if known.len() > NAMED {
        list.push(format!("{} more", known.len() - NAMED));
    }
    ImportError::Missing {
        path: path.to_owned(),
        wanted: name.to_owned(),
        dims: dims.to_vec(),
        layer: layer.to_owned(),
        known: if list.is_empty() { "no other tensors".to_owned() } else { list.join(", ") },
    }
}

#[cfg(test)]
mod tests;

//! The state of a trainer in host memory, and the way back.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::cursor::Cursor;
use super::host::Readback;
use super::step::bytes;
use super::{EmbedError, Pending, Trainer};
use crate::export::{ExportError, Model};
use crate::model::Network;
use crate::plan::Role;
use crate::shader::DType;
use crate::train::{Checkpoint, PADDING};

/// Weights, optimiser state and the place in the epoch, between two batches. Pictures, labels and masks are not in it: the host
/// has them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    checkpoint: Checkpoint,
    /// Counters, losses and counts, by name, as they lie on the device.
    controls: BTreeMap<String, Vec<u32>>,
    cursor: Cursor,
    network: Network,
}

impl Snapshot {
    /// Weights and optimiser state, as [`Checkpoint::save`] writes them and the program reads them. Its epoch is the number of those that
    /// are done: what the epoch at hand has learned so far is in the weights.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The same without a copy.
    pub fn into_checkpoint(self) -> Checkpoint {
        self.checkpoint
    }

    /// The model, ready to be exported.
    pub fn model(&self) -> Model<'_> {
        Model { network: &self.network, tensors: &self.checkpoint.tensors }
    }

    /// The model as ONNX; see [`Model::onnx`].
    pub fn onnx(&self) -> Result<Vec<u8>, ExportError> {
        self.model().onnx(&[])
    }

    /// The weights as safetensors in PyTorch's layout; see [`Model::safetensors`].
    pub fn safetensors(&self) -> Result<Vec<u8>, ExportError> {
        self.model().safetensors(&[])
    }
}

/// A snapshot that was asked for and waits for the end of a batch.
pub(super) struct Wanted {
    readback: Arc<Readback>,
    cursor: Arc<OnceLock<Cursor>>,
}

/// A tensor that a snapshot holds.
#[derive(Clone)]
struct Held {
    name: String,
    dims: Vec<usize>,
    /// Weights and optimiser state, which a checkpoint holds too.
    state: bool,
}

impl Held {
    fn len(&self) -> usize {
        self.dims.iter().product()
    }
}

impl Trainer {
    /// Asks for the state between two batches: at once, or at the end of the batch at hand, for which the host goes on
    /// stepping or calls [`Trainer::finish_batch`].
    pub fn snapshot(&mut self) -> Result<Pending<Snapshot>, EmbedError> {
        self.require_prepared()?;
        let (readback, cursor) = (Arc::new(Readback::default()), Arc::new(OnceLock::new()));
        let wanted = Wanted { readback: Arc::clone(&readback), cursor: Arc::clone(&cursor) };
        if self.cursor.between_batches() {
            self.take_snapshot(&wanted)?;
        } else {
            self.snapshots.push(wanted);
        }
        let (held, network) = (self.held(), self.network.clone());
        Ok(Pending::new(&self.host.gpu, "reading a snapshot", &readback, move |words| {
            let cursor = cursor.get().cloned().unwrap_or_default();
            let mut checkpoint = Checkpoint { epoch: cursor.epoch, ..Checkpoint::default() };
            let (mut controls, mut at) = (BTreeMap::new(), 0);
            for Held { name, dims, state } in held {
                let length: usize = dims.iter().product();
                let own = words.get(at..at + length).unwrap_or_default();
                at += length;
                if state {
                    let values = own.iter().map(|&bits| f32::from_bits(bits)).collect();
                    checkpoint.tensors.insert(name, (dims, values));
                } else {
                    controls.insert(name, own.to_vec());
                }
            }
            Ok(Snapshot { checkpoint, controls, cursor, network })
        }))
    }

    /// Goes back to a snapshot of the same setup, on this device or another one, and goes on with the same bits if pictures, labels and
    /// masks are the same too: set them before.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), EmbedError> {
        self.require_prepared()?;
        let ready = self.slots.ready();
        let pictures = snapshot.cursor.pictures.iter().filter(|&&i| i != PADDING);
        if let Some(missing) = pictures.clone().find(|i| !ready.contains(i)) {
            return Err(EmbedError::Snapshot(format!(
                "its epoch has picture {missing}, which has no pixels or no label here; set pictures and labels first"
            )));
        }
        let order = match snapshot.cursor.pictures.is_empty() {
            true => None,
            false => Some(self.order_of(&snapshot.cursor)?),
        };
        self.write_state(&snapshot.checkpoint, &snapshot.controls, order.as_deref())?;
        self.cursor = snapshot.cursor.clone();
        self.figures.last = None;
        self.figures.explained = order.as_deref().map_or_else(Vec::new, |order| {
            self.cursor.explained(order, self.setup.training.batch, &self.slots.explained)
        });
        self.order = order;
        Ok(())
    }

    /// Takes weights and optimiser state from a checkpoint, such as that of a run folder, and begins its next epoch.
    pub fn restore_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), EmbedError> {
        self.require_prepared()?;
        self.write_state(checkpoint, &BTreeMap::new(), None)?;
        self.cursor = Cursor { epoch: checkpoint.epoch, ..Cursor::default() };
        self.figures.last = None;
        self.order = None;
        Ok(())
    }

    /// Copies the state for everyone who asked; the cursor stands between two batches.
    pub(super) fn take_snapshots(&mut self) -> Result<(), EmbedError> {
        while let Some(wanted) = self.snapshots.pop() {
            if let Err(error) = self.take_snapshot(&wanted) {
                self.snapshots.push(wanted);
                return Err(error);
            }
        }
        Ok(())
    }

    fn take_snapshot(&mut self, wanted: &Wanted) -> Result<(), EmbedError> {
        let held = self.held();
        let Self { host, store, .. } = self;
        let mut pieces = Vec::with_capacity(held.len());
        for tensor in &held {
            pieces.push((&store.locate(None, &tensor.name)?.gpu, tensor.len() as u64 * 4));
        }
        // Each is asked for once.
        let _ = wanted.cursor.set(self.cursor.clone());
        host.read_back("reading a snapshot", &pieces, &wanted.readback, |_, _| ())
    }

    /// Weights and optimiser state; then counters, recorded losses and counts.
    fn held(&self) -> Vec<Held> {
        let mut held: BTreeMap<String, Held> = BTreeMap::new();
        for plan in self.recorded.training().map(|plan| &self.recorded.plans[plan.0]) {
            for tensor in plan.tensors() {
                let tick = tensor.role == Role::Control && tensor.name.ends_with(".tick");
                let state =
                    tick || matches!(tensor.role, Role::Parameter(_) | Role::Running(_) | Role::Optimizer(_));
                debug_assert!(!state || tensor.dtype == DType::F32);
                if state || tensor.role == Role::Control {
                    let (name, dims) = (tensor.name.clone(), tensor.dims.clone());
                    held.insert(name.clone(), Held { name, dims, state });
                }
            }
        }
        held.into_values().collect()
    }

    /// Writes what a checkpoint holds, and controls where they are given; refuses what does not fit before it writes anything.
    fn write_state(
        &mut self,
        checkpoint: &Checkpoint,
        controls: &BTreeMap<String, Vec<u32>>,
        order: Option<&[u32]>,
    ) -> Result<(), EmbedError> {
        let mut writes: Vec<(&wgpu::Buffer, &[u8])> = Vec::new();
        let held = self.held();
        for Held { name, dims, state } in &held {
            let buffer = &self.store.locate(None, name)?.gpu;
            if *state {
                let found = checkpoint.tensors.get(name);
                let Some((_, values)) = found.filter(|(found, _)| found == dims) else {
                    return Err(EmbedError::Snapshot(format!(
                        "tensor `{name}` has dimensions {:?}, this setup wants {dims:?}; it belongs to another model or method",
                        found.map(|(dims, _)| dims.clone()).unwrap_or_default(),
                    )));
                };
                writes.push((buffer, bytemuck::cast_slice(values)));
            } else if let Some(words) = controls.get(name) {
                let wanted = dims.iter().product::<usize>();
                if words.len() != wanted {
                    return Err(EmbedError::Snapshot(format!(
                        "`{name}` has {} values, this setup wants {wanted}: its batch or capacity is another",
                        words.len(),
                    )));
                }
                writes.push((buffer, bytes(words)));
            }
        }
        if let Some(order) = order {
            writes.push((&self.store.locate(None, "train.order")?.gpu, bytes(order)));
        }
        self.host.guarded("restoring a snapshot", |gpu| {
            for (buffer, bytes) in writes {
                gpu.queue().write_buffer(buffer, 0, bytes);
            }
        })
    }
}

//! Figures that a host may ask for. None of them is copied or mapped unless it does.

use std::sync::Arc;

use super::host::Readback;
use super::recorded::Recorded;
use super::{EmbedError, Trainer};
use crate::exec::Store;
use crate::gpu::Gpu;
use crate::model::Network;
use crate::plan::Part;
use crate::train::{PADDING, mean_loss};

/// Figures of an epoch, or of the part of it that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochStatistics {
    /// Counted from 1.
    pub epoch: usize,
    /// Batches that they are of.
    pub batches: usize,
    /// Mean over these batches of the mean cross-entropy; NaN without any.
    pub label_loss: f64,
    /// The second loss, that which explanations bring, averaged over the batches that had explained pictures when their pass
    /// began; `None` for a method without one and where no batch had any.
    pub alignment_loss: Option<f64>,
    /// Share of the pictures that were predicted right when their batch came by; NaN without any.
    pub accuracy: f64,
}

/// What [`Trainer::request_statistics`] asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The epoch at hand, up to the batch that was done when they were requested.
    pub current: EpochStatistics,
    /// The epoch before; `None` during the first one.
    pub last: Option<EpochStatistics>,
    /// Which weights each stage moves; the same as [`Trainer::route`].
    pub route: Vec<RouteRow>,
}

/// One weight or bias, and which stage's commands write it: read off the recorded plans, and enforced by read-only bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    /// Such as `features.0.weight`.
    pub tensor: String,
    /// The part it belongs to.
    pub part: Part,
    /// Its values.
    pub elements: usize,
    /// Whether stage 1 moves it.
    pub stage1: bool,
    /// Whether stage 2 moves it.
    pub stage2: bool,
}

/// What a trainer has done to the host's device so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Submissions of its own.
    pub submissions: u64,
    /// Commands of training (dispatches) that were submitted or recorded.
    pub commands: u64,
    /// Buffers mapped for reading.
    pub maps: u64,
    /// Copies into buffers that the host's memory can see.
    pub copies_to_host: u64,
}

const LABEL_LOSSES: &str = "stage1.losses";
const COUNTS: &str = "stage1.confusion";
const ALIGNMENT_LOSSES: &str = "stage2.losses";

/// How much of an epoch the recorded figures are of.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    epoch: usize,
    label_batches: usize,
    alignment_batches: usize,
    /// For each batch, whether some picture of it was explained.
    explained: Vec<bool>,
    /// Pictures that were counted.
    pictures: usize,
}

/// What is recorded, where that of the epoch before is kept, and what was asked for.
pub(super) struct Figures {
    /// Tensors, and their bytes.
    tensors: Vec<(&'static str, u64)>,
    kept: Option<wgpu::Buffer>,
    pub(super) explained: Vec<bool>,
    pub(super) last: Option<Tally>,
    wanted: Option<(Arc<Readback>, Tally, Option<Tally>)>,
    newest: Option<Statistics>,
}

impl Figures {
    pub(super) fn new(recorded: &Recorded) -> Self {
        let size = |name: &&str| {
            recorded.plans.iter().find_map(|plan| plan.find(name).map(|id| plan.tensor(id).bytes()))
        };
        let tensors = [LABEL_LOSSES, COUNTS, ALIGNMENT_LOSSES]
            .into_iter()
            .filter_map(|name| size(&name).map(|bytes| (name, bytes)))
            .collect();
        Self { tensors, kept: None, explained: Vec::new(), last: None, wanted: None, newest: None }
    }

    fn bytes(&self) -> u64 {
        self.tensors.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Makes the place for the figures of the epoch before.
    pub(super) fn prepare(&mut self, gpu: &Gpu) {
        self.kept = Some(gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some("figures of the epoch before"),
            size: self.bytes(),
            usage: wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        }));
    }

    /// Records that the figures of an epoch are kept before the next one overwrites them: a copy on the device.
    pub(super) fn keep(&self, encoder: &mut wgpu::CommandEncoder, store: &Store) -> Result<(), EmbedError> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let mut at = 0;
        for &(name, bytes) in &self.tensors {
            encoder.copy_buffer_to_buffer(&store.locate(None, name)?.gpu, 0, kept, at, bytes);
            at += bytes;
        }
        Ok(())
    }

    fn of(&self, words: &[u32], tally: &Tally, classes: usize) -> EpochStatistics {
        let mut at = 0;
        let mut next = |wanted: &str| {
            let found = self.tensors.iter().find(|(name, _)| *name == wanted)?;
            let length = (found.1 / 4) as usize;
            at += length;
            words.get(at - length..at)
        };
        let floats = |words: &[u32]| words.iter().map(|&bits| f32::from_bits(bits)).collect::<Vec<f32>>();
        let label = floats(next(LABEL_LOSSES).unwrap_or_default());
        let counts = next(COUNTS).unwrap_or_default();
        let alignment = next(ALIGNMENT_LOSSES).map(floats);
        let right: u32 = counts.iter().step_by(classes + 1).sum();
        let label_sum: f64 = label.iter().take(tally.label_batches).map(|&loss| f64::from(loss)).sum();
        let taken = |step: usize| {
            step < tally.alignment_batches && tally.explained.get(step).copied().unwrap_or(false)
        };
        // Its rows are as many as the losses of stage 1.
        let alignment = alignment.map(|losses| mean_loss(&losses, label.len(), taken));
        EpochStatistics {
            epoch: tally.epoch,
            batches: tally.label_batches,
            label_loss: label_sum / tally.label_batches as f64,
            alignment_loss: alignment.filter(|_| (0..label.len()).any(taken)),
            // Before the epoch has begun, the counts are still those of the one before.
            accuracy: if tally.pictures > 0 { f64::from(right) / tally.pictures as f64 } else { f64::NAN },
        }
    }
}

impl Trainer {
    /// Asks for figures: copies of losses and counts, and an asynchronous map. One request is under way at a time; further ones
    /// are no error and ask for nothing.
    pub fn request_statistics(&mut self) -> Result<(), EmbedError> {
        self.require_prepared()?;
        if self.figures.wanted.is_some() {
            return Ok(());
        }
        let tally = self.tally();
        let Self { host, store, figures, .. } = self;
        let mut pieces = Vec::new();
        for &(name, bytes) in &figures.tensors {
            pieces.push((&store.locate(None, name)?.gpu, bytes));
        }
        pieces.extend(figures.kept.iter().map(|kept| (kept, figures.bytes())));
        let readback = Arc::default();
        host.read_back("reading statistics", &pieces, &readback, |_, _| ())?;
        self.figures.wanted = Some((readback, tally, self.figures.last.clone()));
        Ok(())
    }

    /// The latest figures that have arrived; they stay until newer ones do.
    pub fn statistics(&mut self) -> Result<Option<&Statistics>, EmbedError> {
        if let Some((readback, current, last)) = &self.figures.wanted
            && let Some(words) = readback.words(&self.host.gpu, "reading statistics")?
        {
            let (now, before) = words.split_at(words.len() / 2);
            let classes = self.setup.classes;
            let newest = Statistics {
                current: self.figures.of(now, current, classes),
                last: last.as_ref().map(|last| self.figures.of(before, last, classes)),
                route: self.route(),
            };
            (self.figures.newest, self.figures.wanted) = (Some(newest), None);
        }
        Ok(self.figures.newest.as_ref())
    }

    /// How much of the epoch at hand is done.
    pub(super) fn tally(&self) -> Tally {
        let (passes, phases) = (self.passes(), &self.recorded.phases);
        let batch = self.setup.training.batch;
        // Passes of stage 2 alone come first and are not counted.
        let phase = self.cursor.pass.checked_sub(passes.len() - phases.len());
        let done = |of: usize| match phase {
            Some(phase) if phase == of => self.cursor.batch,
            Some(phase) if phase > of => self.cursor.batches(batch),
            _ => 0,
        };
        // The count of a batch comes before its end.
        let counts = phases.first().map(|&plan| self.recorded.plans[plan.0].commands());
        let counted = counts.and_then(|commands| {
            commands.iter().position(|command| command.shader.kernel == "metrics_confusion")
        });
        let begun = phase == Some(0) && counted.is_some_and(|counted| self.cursor.command > counted);
        let slots = (done(0) + usize::from(begun)) * batch;
        let order = self.order.as_deref().unwrap_or_default();
        Tally {
            epoch: self.cursor.epoch + 1,
            label_batches: done(0),
            alignment_batches: done(phases.len() - 1),
            explained: self.figures.explained.clone(),
            pictures: order.iter().take(slots).filter(|&&i| i != PADDING).count(),
        }
    }
}

/// Which weights each stage's commands write. What comes from a plan of stage 2 says so in its label.
pub(super) fn route(network: &Network, recorded: &Recorded) -> Vec<RouteRow> {
    let writes = |name: &str, second: bool| {
        recorded.training().any(|plan| {
            let plan = &recorded.plans[plan.0];
            let own = plan.commands().iter().filter(|c| c.label.starts_with("stage 2:") == second);
            own.flat_map(|command| &command.args)
                .any(|arg| arg.writes && plan.tensor(arg.tensor).name == name)
        })
    };
    network
        .parameters()
        .into_iter()
        .map(|parameter| RouteRow {
            elements: parameter.dims.iter().product(),
            part: parameter.part,
            stage1: writes(&parameter.name, false),
            stage2: writes(&parameter.name, true),
            tensor: parameter.name,
        })
        .collect()
}

//! The trainer on a borrowed device.

use std::time::Duration;

use super::{
    ColorMap, Counters, EmbedError, Mask, Missing, Overlay, Pending, Picture, Prediction, RouteRow, Setup,
    Snapshot, Statistics, Subject,
};
use crate::model::Network;
use crate::train::Checkpoint;

/// How far preparation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Pieces made.
    pub done: usize,
    /// Pieces in all.
    pub of: usize,
}

impl Preparation {
    /// Whether training can begin.
    pub fn is_done(&self) -> bool {
        self.done == self.of
    }
}

/// Where training is, after a call that went on with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch at hand, counted from 1.
    pub epoch: usize,
    /// Batches of the epoch that are done.
    pub batch: usize,
    /// Batches of the epoch, those of stage 2 counted by themselves where it has an epoch of its own.
    pub batches: usize,
    /// Training steps done in all: batches since the trainer was made.
    pub steps: u64,
    /// Commands that this call submitted or recorded; 0 where the device is still busy with earlier ones.
    pub submitted: usize,
    /// How long these should take the device, as far as it is known.
    pub estimate: Duration,
}

/// Trains one model on a host's device. Dropping it frees everything that it made there.
#[derive(Debug)]
pub struct Trainer {
    network: Network,
}

impl Trainer {
    /// What the device lacks for this setup, by name; empty where nothing is missing.
    pub fn supports(device: &wgpu::Device, setup: &Setup) -> Result<Vec<Missing>, EmbedError> {
        let _ = (device, setup);
        Ok(Vec::new())
    }

    /// A trainer that has yet to be prepared: checks settings and device and makes nothing there.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, setup: &Setup) -> Result<Self, EmbedError> {
        let _ = (device, queue);
        Ok(Self { network: Network::new(&setup.model, setup.picture, setup.classes, 1)? })
    }

    /// Another trainer on the same device, which shares the kernels that are compiled already.
    pub fn beside(&self, setup: &Setup) -> Result<Self, EmbedError> {
        let _ = setup;
        Err(self.not_prepared())
    }

    /// Goes on with what must be made before training, one kernel or plan at a time until the budget is used up; at least one piece.
    /// Nothing here waits for the device. After it is done the call does nothing.
    pub fn prepare(&mut self, budget: Duration) -> Result<Preparation, EmbedError> {
        let _ = budget;
        Err(self.not_prepared())
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Sets the pixels of picture `index`. From the next epoch on it takes part if it has a label.
    pub fn set_picture(&mut self, index: usize, picture: Picture<'_>) -> Result<(), EmbedError> {
        let _ = (index, picture);
        Err(self.not_prepared())
    }

    /// Sets or, with `None`, removes the label of picture `index`. A changed label holds at once; a picture with its first label takes
    /// part from the next epoch on.
    pub fn set_label(&mut self, index: usize, label: Option<u32>) -> Result<(), EmbedError> {
        let _ = (index, label);
        Err(self.not_prepared())
    }

    /// Sets the explanation of picture `index`, which takes part in stage 2 from then on.
    pub fn set_mask(&mut self, index: usize, mask: Mask<'_>) -> Result<(), EmbedError> {
        let _ = (index, mask);
        Err(self.not_prepared())
    }

    /// Takes the texture as the explanation of picture `index`, now and whenever [`Trainer::mask_changed`] says that the host has painted
    /// on it.
    pub fn watch_mask(&mut self, index: usize, view: &wgpu::TextureView) -> Result<(), EmbedError> {
        let _ = (index, view);
        Err(self.not_prepared())
    }

    /// Marks the watched mask of picture `index` as painted on. It is read once, at the start of the next `step` or `record`, however often it was
    /// marked.
    pub fn mask_changed(&mut self, index: usize) -> Result<(), EmbedError> {
        let _ = index;
        Err(self.not_prepared())
    }

    /// Removes the explanation of picture `index`, which takes part in stage 1 only from then on.
    pub fn clear_mask(&mut self, index: usize) -> Result<(), EmbedError> {
        let _ = index;
        Err(self.not_prepared())
    }

    /// Removes picture `index` with its label and mask. Its place can be filled again.
    pub fn remove_picture(&mut self, index: usize) -> Result<(), EmbedError> {
        let _ = index;
        Err(self.not_prepared())
    }

    /// Goes on with training: submits as many commands as should take the device no longer than `budget`, at least one. A training
    /// step may span many calls. While two earlier submissions are unfinished, nothing is submitted.
    pub fn step(&mut self, budget: Duration) -> Result<Progress, EmbedError> {
        let _ = budget;
        Err(self.not_prepared())
    }

    /// The same, recorded into the host's encoder, in which no pass may be open. The host submits it before the next call to this trainer.
    pub fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        budget: Duration,
    ) -> Result<Progress, EmbedError> {
        let _ = (encoder, budget);
        Err(self.not_prepared())
    }

    /// Submits what is left of the training step at hand, at most one batch's worth, so that a snapshot need not wait for it.
    pub fn finish_batch(&mut self) -> Result<Progress, EmbedError> {
        Err(self.not_prepared())
    }

    /// Where training is.
    pub fn progress(&self) -> Progress {
        Progress { epoch: 1, batch: 0, batches: 0, steps: 0, submitted: 0, estimate: Duration::ZERO }
    }

    /// Asks for figures: a copy of losses and counts, and an asynchronous map. One request is under way at a time; more are
    /// no error and ask for nothing.
    pub fn request_statistics(&mut self) -> Result<(), EmbedError> {
        Err(self.not_prepared())
    }

    /// The latest figures that have arrived; they stay until newer ones do.
    pub fn statistics(&mut self) -> Result<Option<&Statistics>, EmbedError> {
        Err(self.not_prepared())
    }

    /// Which weights each stage moves.
    pub fn route(&self) -> Vec<RouteRow> {
        Vec::new()
    }

    /// What the trainer has done to the device so far.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }

    /// Asks for what the model, as it is now, makes of a picture.
    pub fn predict(&mut self, subject: Subject<'_>) -> Result<Pending<Prediction>, EmbedError> {
        let _ = subject;
        Err(self.not_prepared())
    }

    /// Draws over the whole target, a view of an `Rgba8Unorm` or `Bgra8Unorm` texture (either with `Srgb`) with the usage `RENDER_ATTACHMENT`.
    /// The map is scaled to the target's size without smoothing. The colour map does not apply to [`Overlay::MaskedInput`].
    pub fn overlay(
        &mut self,
        target: &wgpu::TextureView,
        subject: Subject<'_>,
        kind: Overlay,
        colors: &ColorMap,
    ) -> Result<(), EmbedError> {
        let _ = (target, subject, kind, colors);
        Err(self.not_prepared())
    }

    /// Asks for the state between two batches: at once, or at the end of the batch at hand, for which the host goes on
    /// stepping or calls [`Trainer::finish_batch`].
    pub fn snapshot(&mut self) -> Result<Pending<Snapshot>, EmbedError> {
        Err(self.not_prepared())
    }

    /// Goes back to a snapshot of the same setup, on this device or another one. Pictures and masks stay those that were set here.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<(), EmbedError> {
        let _ = snapshot;
        Err(self.not_prepared())
    }

    /// Takes weights and optimiser state from a checkpoint, such as that of a run folder, and begins its next epoch.
    pub fn restore_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), EmbedError> {
        let _ = checkpoint;
        Err(self.not_prepared())
    }

    fn not_prepared(&self) -> EmbedError {
        EmbedError::NotPrepared { done: 0, of: 1 }
    }
}

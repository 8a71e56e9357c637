//! Figures that a host may ask for. None of them is copied or mapped unless it does.

use crate::plan::Part;

/// Figures of an epoch, or of the part of it that is done.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochStatistics {
    /// Counted from 1.
    pub epoch: usize,
    /// Batches that they are of.
    pub batches: usize,
    /// Mean over these batches of the mean cross-entropy; NaN without any.
    pub label_loss: f64,
    /// The second loss, that which explanations bring, averaged over the batches that had explained pictures; `None` for a
    /// method without one and where no batch had any.
    pub alignment_loss: Option<f64>,
    /// Share of the pictures that were predicted right when their batch came by; NaN without any.
    pub accuracy: f64,
}

/// What [`super::Trainer::request_statistics`] asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// The epoch at hand, up to the batch that was done when they were requested.
    pub current: EpochStatistics,
    /// The epoch before; `None` during the first one.
    pub last: Option<EpochStatistics>,
    /// Which buffers each stage writes.
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
    /// Commands (dispatches) that were submitted or recorded.
    pub commands: u64,
    /// Buffers mapped for reading.
    pub maps: u64,
    /// Copies into buffers that the host's memory can see.
    pub copies_to_host: u64,
}

/// What the model makes of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The class of the largest logit.
    pub class: usize,
    /// Probability of each class.
    pub probabilities: Vec<f64>,
    /// Logit of each class.
    pub logits: Vec<f32>,
}

//! Two models of one seed on the same pictures: one learns from labels alone, the other one also from the masks.
//!
//! An [`Engine`] trains both, on the window's own device ([`OnFrame`]) or on a thread with the CPU device ([`OnThread`]); [`Judge`]
//! measures what they have come to, on another thread.

mod background;
mod judge;
mod on_frame;
mod on_thread;

use std::sync::Arc;
use std::time::Duration;

pub use judge::{Judge, Judged, Measured, Verdict};
pub use on_frame::OnFrame;
pub use on_thread::OnThread;

use super::error::StudioError;
use crate::data::Dataset;
use crate::embed::{Preparation, RouteRow};
use crate::model::ModelConfig;
use crate::random::Seeds;
use crate::train::{Checkpoint, Method, TrainConfig};

/// One of the two models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arm {
    /// Labels alone.
    Labels,
    /// Labels and explanations.
    Explained,
}

impl Arm {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Labels, Self::Explained];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels only",
            Self::Explained => "with explanations",
        }
    }
}

/// What both models are made of.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// f, m and c of the model with explanations.
    pub model: ModelConfig,
    /// Its method and settings.
    pub train: TrainConfig,
    /// Of both.
    pub seeds: Seeds,
}

impl Recipe {
    /// Network and settings of a model: without explanations there is no mapping layer, and all else is the same.
    pub fn of(&self, arm: Arm) -> (ModelConfig, TrainConfig) {
        match arm {
            Arm::Explained => (self.model.clone(), self.train.clone()),
            Arm::Labels => (
                ModelConfig { mapping: Method::LabelOnly.default_mapping(), ..self.model.clone() },
                TrainConfig { method: Method::LabelOnly, ..self.train.clone() },
            ),
        }
    }
}

/// Where training is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// Training steps (batches) that both models have behind them.
    pub steps: u64,
    /// Epochs, with the part of the one at hand.
    pub epochs: f64,
}

/// What an engine tells.
#[derive(Clone, Debug)]
pub enum Event {
    /// Figures of an epoch, or of its part so far.
    Figures {
        /// Of which model.
        arm: Arm,
        /// When.
        at: Position,
        /// Mean cross-entropy.
        label_loss: f64,
        /// The loss of stage 2; `None` without explained pictures.
        alignment_loss: Option<f64>,
    },
    /// Weights and optimiser state.
    State {
        /// Of which model.
        arm: Arm,
        /// When.
        at: Position,
        /// All of it.
        checkpoint: Arc<Checkpoint>,
    },
}

/// Trains both models in step.
pub trait Engine {
    /// What it runs on.
    fn device(&self) -> String;

    /// Whether training goes on in [`Engine::advance`], and so with the frames, instead of beside them.
    fn in_frames(&self) -> bool;

    /// What one step is, such as `one batch`.
    fn unit(&self) -> &'static str;

    /// Goes on with what must be made before training, for about as long as the budget.
    fn prepare(&mut self, budget: Duration) -> Result<Preparation, StudioError>;

    /// Sets or removes the mask of a picture, at the size of training.
    fn set_mask(&mut self, index: usize, mask: Option<Vec<u8>>) -> Result<(), StudioError>;

    /// Goes on with training, for about as long as the budget. Called once a frame while training runs or is stopping.
    fn advance(&mut self, budget: Duration) -> Result<(), StudioError>;

    /// Asks for one step, or what is left of the one at hand; the states after it come as events.
    fn step(&mut self) -> Result<(), StudioError>;

    /// Asks for an end of what is under way, so that both models have equally many steps behind them; their states come as events.
    fn pause(&mut self) -> Result<(), StudioError>;

    /// Whether [`Engine::advance`] is to be called although nothing runs: a step or the way to a pause is not over.
    fn is_stopping(&self) -> bool;

    /// Where training is.
    fn position(&self) -> Position;

    /// Asks for the state of both models, which comes as events.
    fn ask_for_states(&mut self) -> Result<(), StudioError>;

    /// Whether events are on their way though nothing trains.
    fn is_waiting(&self) -> bool;

    /// What has happened since the last call. Nothing here waits.
    fn events(&mut self) -> Result<Vec<Event>, StudioError>;

    /// Which weights each stage moves.
    fn route(&self) -> Vec<RouteRow>;

    /// Draws the input gradient of a model for a picture into a texture of the window's device; `None` where there is no such
    /// texture, and [`Judge`] finds it instead. Transparent where the gradient is small.
    fn overlay(&mut self, arm: Arm, index: usize) -> Result<Option<wgpu::TextureView>, StudioError>;
}

/// Both models from what was opened.
#[derive(Clone, Debug)]
pub struct Start {
    /// The pictures with the masks that there are.
    pub train: Dataset,
    /// The models.
    pub recipe: Recipe,
}

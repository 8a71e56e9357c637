//! What a trainer is made for.

use super::{EmbedError, Requirements};
use crate::model::{MapShape, ModelConfig};
use crate::random::Seeds;
use crate::train::TrainConfig;

/// Model, method and sizes. All memory is taken for these while the trainer is prepared; nothing grows later.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// f, m and c.
    pub model: ModelConfig,
    /// The method and its settings. `epochs` only shapes the learning rates: training goes on for as long as the host steps.
    pub training: TrainConfig,
    /// Height, width and channels (1 or 3) of every picture.
    pub picture: MapShape,
    /// K.
    pub classes: usize,
    /// The most training pictures.
    pub capacity: usize,
    /// Where initial weights and the order of the pictures come from.
    pub seeds: Seeds,
    /// A name for the labels of buffers and for messages.
    pub name: String,
}

impl Setup {
    /// The reference network and settings, with a batch of at most `capacity`.
    pub fn new(picture: MapShape, classes: usize, capacity: usize) -> Self {
        let training = TrainConfig::default();
        let batch = training.batch.min(capacity).max(1);
        Self {
            model: ModelConfig::default(),
            training: TrainConfig { batch, ..training },
            picture,
            classes,
            capacity,
            seeds: Seeds::from_seed(1),
            name: "rationale".to_owned(),
        }
    }

    /// What a device must have for this setup: [`super::requirements`], with limits raised where its buffers are larger.
    pub fn requirements(&self) -> Result<Requirements, EmbedError> {
        Ok(super::requirements())
    }
}

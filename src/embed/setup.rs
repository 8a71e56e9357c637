//! What a trainer is made for.

use super::{EmbedError, Requirements};
use crate::model::{MapShape, ModelConfig, Network};
use crate::random::Seeds;
use crate::train::{DataFill, MaskSource, TrainConfig};

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
    /// What messages call the trainer.
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
            name: "trainer".to_owned(),
        }
    }

    /// Checks every number for itself, and the settings with each other.
    pub fn check(&self) -> Result<(), EmbedError> {
        let setting = |key, value: String, remedy: &str| {
            Err(EmbedError::Setting { key, value, remedy: remedy.to_owned() })
        };
        if self.capacity == 0 {
            return setting("capacity", "0".to_owned(), "there is nothing to train on without a picture");
        }
        if self.classes < 2 {
            return setting(
                "classes",
                self.classes.to_string(),
                "a classifier tells two classes or more apart",
            );
        }
        if !matches!(self.picture.channels, 1 | 3) || self.picture.is_empty() {
            let remedy = "a picture has pixels, and 1 channel (grey) or 3 (colour)";
            return setting("picture", format!("{:?}", self.picture), remedy);
        }
        // What the program does to a data set before it trains, a host does to its pictures and masks itself.
        let training = &self.training;
        if training.masks != MaskSource::Own || training.mask_dilation > 0 || training.mask_boxes {
            let remedy =
                "a host changes masks itself: use masks = own, mask_dilation = 0 and mask_boxes = false";
            return setting("masks", "changed by the settings".to_owned(), remedy);
        }
        if training.fill == DataFill::Mean {
            let remedy = "the pictures are not known beforehand; use grey, black or white";
            return setting("fill", "mean".to_owned(), remedy);
        }
        if !training.augment.is_none() {
            let remedy = "a host turns pictures and masks itself; leave every augmentation out";
            return setting("augment", "set".to_owned(), remedy);
        }
        if training.balance_classes {
            let remedy = "the labels are not known beforehand; give class_weights";
            return setting("balance_classes", "true".to_owned(), remedy);
        }
        training.check(self.capacity, self.classes)?;
        Ok(training.check_mapping(self.model.mapping)?)
    }

    /// What a device must have for this setup: [`super::requirements`], with limits raised where its buffers are larger.
    pub fn requirements(&self) -> Result<Requirements, EmbedError> {
        self.check()?;
        Requirements::of(self, &self.network()?)
    }

    pub(super) fn network(&self) -> Result<Network, EmbedError> {
        Ok(Network::new(&self.model, self.picture, self.classes, 1)?)
    }
}

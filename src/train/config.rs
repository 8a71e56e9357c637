//! The settings of a training run, as they stand under `[train]` in a config.

use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::model::{AlignmentAxis, OptimizerConfig, Route};

/// How the weights are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Cross-entropy alone; explanations are not used.
    LabelOnly,
    /// Stage 1 and stage 2 in turn.
    TwoStage,
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Method::LabelOnly => "label-only",
            Method::TwoStage => "two-stage",
        })
    }
}

/// When stage 2 has its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternation {
    /// After each batch of stage 1, on the same batch.
    Batch,
    /// After each epoch of stage 1, over all batches.
    Epoch,
}

/// What stands outside of the mask in x′.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataFill {
    /// Mid grey: 0 in the scale [−1, 1].
    Grey,
    /// Black: −1.
    Black,
    /// White: 1.
    White,
    /// The mean of each channel over the training pictures.
    Mean,
}

/// Whose mask explains a picture; all but `own` are controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskSource {
    /// Its own.
    Own,
    /// Another explained picture's.
    Other,
    /// A mask that keeps everything: what stage 2 does without any information.
    Ones,
}

/// Settings of a run. Defaults are the reference setting; `rationale init` explains each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainConfig {
    /// The method.
    pub method: Method,
    /// Epochs in all.
    pub epochs: usize,
    /// N, pictures in a batch.
    pub batch: usize,
    /// eta1, the learning rate of stage 1.
    pub label_lr: f64,
    /// The optimiser of stage 1.
    pub label_optimizer: OptimizerConfig,
    /// What stage 1 updates; by default everything.
    pub label_route: Option<Route>,
    /// eta2, the learning rate of stage 2.
    pub alignment_lr: f64,
    /// The optimiser of stage 2.
    pub alignment_optimizer: OptimizerConfig,
    /// When stage 2 has its turn.
    pub alternation: Alternation,
    /// Steps on m per batch of stage 2.
    pub inner_steps: usize,
    /// Over what the softmax of stage 2 runs.
    pub alignment_axis: AlignmentAxis,
    /// T in softmax(z / T) of stage 2.
    pub temperature: f64,
    /// What stands outside of the mask in x′.
    pub fill: DataFill,
    /// Masks count as 0 or 1 rather than in shades.
    pub hard_masks: bool,
    /// Whose mask explains a picture.
    pub masks: MaskSource,
    /// One weight per class in the cross-entropy, by class name in natural order; empty: all 1.
    pub class_weights: Vec<f64>,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            method: Method::TwoStage,
            epochs: 40,
            batch: 50,
            label_lr: 1e-3,
            label_optimizer: OptimizerConfig::adam(1e-2),
            label_route: None,
            alignment_lr: 1e-2,
            alignment_optimizer: OptimizerConfig::adam(0.0),
            alternation: Alternation::Batch,
            inner_steps: 5,
            alignment_axis: AlignmentAxis::Features,
            temperature: 1.0,
            fill: DataFill::Grey,
            hard_masks: true,
            masks: MaskSource::Own,
            class_weights: Vec::new(),
        }
    }
}

impl TrainConfig {
    /// Checks every number for itself; `pictures` is the size of the training set.
    pub fn check(&self, pictures: usize, classes: usize) -> Result<(), TrainError> {
        let setting = |key: &'static str, value: String, remedy: &str| {
            Err(TrainError::Setting { key, value, remedy: remedy.to_owned() })
        };
        for (key, rate) in [("label_lr", self.label_lr), ("alignment_lr", self.alignment_lr)] {
            if !(rate.is_finite() && rate >= 0.0) {
                return setting(
                    key,
                    rate.to_string(),
                    "a learning rate is a finite number that is not negative",
                );
            }
        }
        if self.batch == 0 {
            return setting("batch", "0".to_owned(), "a batch holds at least one picture");
        }
        if self.batch > pictures {
            let remedy = format!("there are {pictures} training pictures: use --batch {pictures} or less");
            return setting("batch", self.batch.to_string(), &remedy);
        }
        if self.epochs == 0 {
            return setting("epochs", "0".to_owned(), "train for at least one epoch");
        }
        if self.method == Method::TwoStage && self.inner_steps == 0 {
            return setting("inner_steps", "0".to_owned(), "use 1 or more, or --method label-only");
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return setting("temperature", self.temperature.to_string(), "use a positive number, such as 1");
        }
        if !self.class_weights.is_empty() && self.class_weights.len() != classes {
            let remedy = format!("give one weight for each of the {classes} classes, or none");
            return setting("class_weights", format!("{:?}", self.class_weights), &remedy);
        }
        if self.class_weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return setting("class_weights", format!("{:?}", self.class_weights), "weights are not negative");
        }
        self.check_optimizer("label_optimizer", &self.label_optimizer)?;
        self.check_optimizer("alignment_optimizer", &self.alignment_optimizer)
    }

    fn check_optimizer(&self, key: &'static str, optimizer: &OptimizerConfig) -> Result<(), TrainError> {
        let below_one = |x: f64| (0.0..1.0).contains(&x);
        let sound = match *optimizer {
            OptimizerConfig::Adam { beta1, beta2, epsilon, weight_decay }
            | OptimizerConfig::AdamW { beta1, beta2, epsilon, weight_decay } => {
                below_one(beta1)
                    && below_one(beta2)
                    && epsilon.is_finite()
                    && epsilon > 0.0
                    && weight_decay.is_finite()
                    && weight_decay >= 0.0
            }
            OptimizerConfig::Sgd { momentum, weight_decay, .. } => {
                below_one(momentum) && weight_decay.is_finite() && weight_decay >= 0.0
            }
        };
        if sound {
            return Ok(());
        }
        Err(TrainError::Setting {
            key,
            value: format!("{optimizer:?}"),
            remedy: "betas and momentum lie in [0, 1), epsilon above 0, weight_decay at 0 or above"
                .to_owned(),
        })
    }
}

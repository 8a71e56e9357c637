//! Settings held against themselves.

use super::{Alternation, TrainConfig};
use crate::model::OptimizerConfig;
use crate::train::TrainError;

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
        if self.method.has_stage2() && self.inner_steps == 0 {
            return setting("inner_steps", "0".to_owned(), "use 1 or more, or --method label-only");
        }
        self.check_schedules()?;
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return setting("temperature", self.temperature.to_string(), "use a positive number, such as 1");
        }
        if self.method.explains() && !self.method.has_stage2() {
            let turns = "has no stage 2 that could take turns: both losses act in one step";
            if self.alternation == Alternation::Epoch {
                let remedy = format!("{} {turns}; use \"batch\", or --method two-stage", self.method);
                return setting("alternation", "epoch".to_owned(), &remedy);
            }
            if self.alignment_epochs_first > 0 {
                let remedy = format!("{} {turns}; use 0, or --method two-stage", self.method);
                return setting("alignment_epochs_first", self.alignment_epochs_first.to_string(), &remedy);
            }
        }
        for (key, value) in
            [("lambda", self.lambda), ("constraint", self.constraint), ("multiplier_lr", self.multiplier_lr)]
        {
            if !(value.is_finite() && value >= 0.0) {
                return setting(key, value.to_string(), "use a finite number that is not negative");
            }
        }
        if self.balance_classes && !self.class_weights.is_empty() {
            let remedy = "balance_classes sets the weights of the classes: leave class_weights = [], or balance_classes = false";
            return setting("class_weights", format!("{:?}", self.class_weights), remedy);
        }
        if !self.class_weights.is_empty() && self.class_weights.len() != classes {
            let remedy = format!("give one weight for each of the {classes} classes, or none");
            return setting("class_weights", format!("{:?}", self.class_weights), &remedy);
        }
        if self.class_weights.iter().any(|weight| !(weight.is_finite() && *weight >= 0.0)) {
            return setting("class_weights", format!("{:?}", self.class_weights), "weights are not negative");
        }
        self.check_freeze()?;
        self.augment.check()?;
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

//! The rows of the metrics, and `run.json`.

use serde::{Deserialize, Serialize};

use crate::plan::Variants;
use crate::random::Seeds;

/// One epoch in the metrics files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean cross-entropy.
    pub label_loss: f64,
    /// The second loss, that which explanations bring: the alignment loss, for `grad-reg` the penalty on the input
    /// gradient, for `masked-copies` the cross-entropy of the copies; without lambda; empty for label-only.
    pub alignment_loss: Option<f64>,
    /// mu of `constrained` after the epoch; empty for every other method.
    pub multiplier: Option<f64>,
    /// Share of the training pictures predicted right when their batch came by.
    pub train_accuracy: f64,
    /// Accuracy on the validation pictures; empty without any.
    pub val_accuracy: Option<f64>,
    /// Balanced accuracy on the validation pictures.
    pub val_balanced_accuracy: Option<f64>,
    /// Cross-entropy of the validation pictures.
    pub val_loss: Option<f64>,
    /// Accuracy on the test pictures; only in the row of an epoch that ended a run.
    pub test_accuracy: Option<f64>,
    /// Balanced accuracy on the test pictures.
    pub test_balanced_accuracy: Option<f64>,
    /// Wall-clock seconds of the epoch.
    pub seconds: f64,
}

impl EpochRow {
    /// Nine significant digits: more than a float has, and the same text after reading and writing again.
    pub(super) fn rounded(mut self) -> Self {
        let round = |x: &mut f64| {
            if let Ok(short) = format!("{x:.8e}").parse() {
                *x = short;
            }
        };
        round(&mut self.label_loss);
        round(&mut self.train_accuracy);
        for value in [
            &mut self.alignment_loss,
            &mut self.multiplier,
            &mut self.val_accuracy,
            &mut self.val_balanced_accuracy,
            &mut self.val_loss,
            &mut self.test_accuracy,
            &mut self.test_balanced_accuracy,
        ] {
            value.iter_mut().for_each(round);
        }
        self.seconds = (self.seconds * 1e3).round() / 1e3;
        self
    }
}

/// `run.json`. What an earlier version did not write is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunRecord {
    /// Program and version.
    pub program: String,
    /// Operating system and kind of processor.
    pub system: String,
    /// The command line, and those that took the run up again.
    pub commands: Vec<String>,
    /// `running`, `finished`, `stopped` or `diverged`; a killed run stays `running`.
    pub status: String,
    /// What `--device` said.
    pub device_choice: String,
    /// Adapter, backend and driver.
    pub device: String,
    /// Why this device.
    pub device_reason: String,
    /// Class names; a label is an index into them.
    pub classes: Vec<String>,
    /// The three seeds.
    pub seeds: Option<Seeds>,
    /// Kernel variants in use, by kernel.
    pub variants: Variants,
    /// When the run began, UTC.
    pub started: String,
    /// When it ended, UTC.
    pub finished: Option<String>,
    /// Epochs after which it was taken up again.
    pub resumed_after: Vec<usize>,
    /// Epochs done.
    pub epochs: usize,
    /// The epoch whose weights count, where early stopping chose them; else the last one.
    #[serde(default)]
    pub best_epoch: Option<usize>,
    /// Digest of the weights and optimiser state after them.
    pub digest: String,
    /// Everything that was warned of.
    pub warnings: Vec<String>,
    /// The final metrics.
    pub result: Option<serde_json::Value>,
}

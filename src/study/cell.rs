//! Cells: one model (or one plan of replicas) of a study, what is asked of it and what it came to.

use serde::{Deserialize, Serialize};

use super::pictures::Change;
use super::{Arm, Setting};
use crate::hash::Fnv;
use crate::model::ModelConfig;
use crate::train::Confusion;

/// Test pictures of every generated set; the committed number.
pub const TEST_PICTURES: usize = 3000;

/// What a cell is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judge {
    /// Test pictures: for the tables.
    #[default]
    Test,
    /// Validation pictures, and no test picture is so much as drawn: for searches.
    Validation,
    /// Both: where a user wants to know what the validation pictures would have told.
    Both,
}

/// A place on the axis of a sweep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The sweep.
    pub sweep: String,
    /// Where on the axis.
    pub x: f64,
    /// How the axis names it.
    pub label: String,
}

/// A cell to be run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Data, network, label-only settings.
    pub setting: Setting,
    /// The row.
    pub arm: Arm,
    /// The place on an axis, in a sweep.
    pub point: Option<Point>,
    /// Derives data, initial weights and order.
    pub seed: u64,
    /// Replicas: models with initial weights and order of their own on the same data.
    pub models: usize,
    /// How the training pictures differ from the setting's.
    pub change: Change,
    /// What it is judged by.
    pub judge: Judge,
    /// Test pictures, where they are generated.
    pub test_pictures: usize,
    /// Whether accuracy on the validation pictures is measured after every epoch.
    pub curve: bool,
    /// Whether the predicted classes are kept.
    pub predictions: bool,
}

impl Job {
    /// One model of an arm on a setting, judged by its test pictures.
    pub fn new(setting: &Setting, arm: &Arm, seed: u64) -> Self {
        Self {
            setting: setting.clone(),
            arm: arm.clone(),
            point: None,
            seed,
            models: 1,
            change: Change::default(),
            judge: Judge::Test,
            test_pictures: TEST_PICTURES,
            curve: false,
            predictions: false,
        }
    }

    /// The network.
    pub fn model(&self) -> ModelConfig {
        self.setting.model(self.arm.mapping)
    }

    /// The name of the cell and of its file.
    pub fn name(&self) -> String {
        let point = self.point.as_ref().map(|point| format!("@{}={}", point.sweep, point.label));
        let models = if self.models > 1 { format!("x{}", self.models) } else { String::new() };
        let name = format!(
            "{}.{}{}.{}{models}",
            self.setting.name,
            self.arm.name,
            point.unwrap_or_default(),
            self.seed
        );
        name.chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.=@+".contains(c) { c } else { '-' })
            .collect()
    }

    /// Differs when anything differs that the result depends on.
    pub fn definition(&self) -> String {
        // Titles are for people; `tuned_as` has done its work.
        let mut plain = self.clone();
        plain.arm.title.clear();
        plain.arm.tuned_as.clear();
        plain.setting.title.clear();
        let text = serde_json::to_string(&(&plain, plain.model())).unwrap_or_default();
        Fnv::of(text.as_bytes()).to_string()
    }

    /// Whether validation pictures are needed.
    pub fn needs_validation(&self) -> bool {
        self.curve || self.judge != Judge::Test
    }
}

/// Accuracies on one set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Pictures.
    pub pictures: u32,
    /// Share predicted right.
    pub accuracy: f64,
    /// Mean of the per-class shares.
    pub balanced_accuracy: f64,
    /// The lowest per-class share.
    pub worst_class: f64,
    /// For each class the share of its pictures that was predicted right.
    pub per_class: Vec<Option<f64>>,
}

impl From<&Confusion> for Scores {
    fn from(confusion: &Confusion) -> Self {
        Self {
            pictures: confusion.totals().iter().sum(),
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            worst_class: confusion.worst_class(),
            per_class: confusion.per_class(),
        }
    }
}

/// How a model stands to the spurious patch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patched {
    /// Share of test pictures whose predicted class changes with the patch.
    pub flip_rate: f64,
    /// Accuracy on the test pictures with the patch of another class.
    pub misled_accuracy: f64,
    /// The lowest accuracy among the groups class × patch.
    pub worst_group: f64,
    /// Accuracy of each class (outer) with each patch (inner).
    pub groups: Vec<Vec<f64>>,
}

/// Where a gate is open.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateMass {
    /// Share of the gate inside the picture's own mask.
    pub own: f64,
    /// Share inside another picture's mask.
    pub other: f64,
    /// What a constant gate would have.
    pub constant: f64,
}

/// Agreement of the replicas of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Mean over pairs of models of the share of equal predictions on the test pictures.
    pub pairwise: f64,
    /// Balanced accuracy of each model.
    pub balanced_accuracy: Vec<f64>,
}

/// What a cell came to. With replicas, the means over them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// On the test pictures.
    pub test: Option<Scores>,
    /// On the validation pictures.
    pub val: Option<Scores>,
    /// Share of the training pictures predicted right in the last epoch.
    pub train_accuracy: f64,
    /// Cross-entropy of the last epoch.
    pub label_loss: f64,
    /// Alignment loss of the last epoch.
    pub alignment_loss: Option<f64>,
    /// On the copies with patches.
    pub patched: Option<Patched>,
    /// Mean share of the squared input gradient inside the mask.
    pub input_gradient_mass: Option<f64>,
    /// Where the gate is open.
    pub gate_mass: Option<GateMass>,
    /// Agreement of the replicas.
    pub agreement: Option<Agreement>,
    /// Balanced accuracy on the validation pictures after each epoch.
    pub curve: Vec<f64>,
    /// One letter per test picture and model: the predicted class, `0` to `9`, then `a` and on; `?` for none.
    pub predictions: Vec<String>,
    /// Epochs trained.
    pub epochs: usize,
    /// Wall-clock seconds of training alone.
    pub seconds: f64,
    /// Digest of weights and optimiser state.
    pub digest: String,
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it should.
    Done(Box<Figures>),
    /// A loss or a weight was no number any more.
    Diverged(String),
    /// It was refused, or the device failed. Tried again when the study goes on.
    Failed(String),
}

/// A cell that was run: the content of its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What was run.
    pub job: Job,
    /// [`Job::definition`] of it, by the program that ran it.
    pub definition: String,
    /// Program and version.
    pub program: String,
    /// Adapter, driver and backend, or the CPU.
    pub device: String,
    /// How it ended.
    pub outcome: Outcome,
}

impl Cell {
    /// The figures, if it ended well.
    pub fn figures(&self) -> Option<&Figures> {
        match &self.outcome {
            Outcome::Done(figures) => Some(figures),
            Outcome::Diverged(_) | Outcome::Failed(_) => None,
        }
    }

    /// Whether it need not be run again.
    pub fn is_settled(&self) -> bool {
        !matches!(self.outcome, Outcome::Failed(_))
    }
}

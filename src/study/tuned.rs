//! Settings that a search found, and how they come into a study.

use serde::{Deserialize, Serialize};

use super::{Arm, Setting, StudyError};
use crate::model::OptimizerConfig;

/// The settings that searches move. A key that is left out stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Moves {
    /// eta1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_lr: Option<f64>,
    /// L2 of stage 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// eta2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alignment_lr: Option<f64>,
    /// Steps of stage 2 per batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner_steps: Option<usize>,
    /// T.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// lambda.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// epsilon of the constrained form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<f64>,
    /// rho of the constrained form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiplier_lr: Option<f64>,
}

/// What a search chose for one arm on one setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The setting.
    pub setting: String,
    /// The arm.
    pub method: String,
    /// Trials that were made.
    pub trials: usize,
    /// Seeds that every trial had.
    pub seeds: Vec<u64>,
    /// The trial that was best.
    pub trial: usize,
    /// Its mean balanced accuracy on the validation pictures.
    pub validation: f64,
    /// The same of the settings as they were, trial 0; absent where that diverged.
    pub before: Option<f64>,
    /// What it chose.
    pub moves: Moves,
}

/// A file of tuned settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Program and version.
    pub program: String,
    /// The choices.
    #[serde(default, rename = "choice")]
    pub choices: Vec<Choice>,
}

impl Moves {
    /// Moves the settings of an arm.
    pub fn apply(&self, arm: &mut Arm) {
        fn set<T: Copy>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        let train = &mut arm.train;
        set(&mut train.label_lr, self.label_lr);
        set(&mut train.alignment_lr, self.alignment_lr);
        set(&mut train.inner_steps, self.inner_steps);
        set(&mut train.temperature, self.temperature);
        set(&mut train.lambda, self.lambda);
        set(&mut train.constraint, self.constraint);
        set(&mut train.multiplier_lr, self.multiplier_lr);
        let (OptimizerConfig::Adam { weight_decay, .. }
        | OptimizerConfig::AdamW { weight_decay, .. }
        | OptimizerConfig::Sgd { weight_decay, .. }) = &mut train.label_optimizer;
        set(weight_decay, self.weight_decay);
        // The title names a λ that is no longer so.
        if self.lambda.is_some()
            && let Some((method, _)) = arm.title.split_once(", λ")
        {
            arm.title = method.to_owned();
        }
    }
}

impl Tuned {
    /// Reads the file that a search wrote.
    pub fn read(path: &std::path::Path) -> Result<Self, StudyError> {
        let failed = |message: String| StudyError::File { path: path.to_owned(), message };
        let text = std::fs::read_to_string(path)
            .map_err(|e| failed(format!("cannot be read ({e}); `rationale tune` writes such a file")))?;
        toml::from_str(&text).map_err(|e| failed(format!("holds no tuned settings: {}", e.message())))
    }

    /// Adds the choices of another search; those for the same setting and method give way.
    pub fn merge(&mut self, other: Tuned) {
        let renewed = |old: &Choice| {
            other.choices.iter().any(|new| (&new.setting, &new.method) == (&old.setting, &old.method))
        };
        self.choices.retain(|old| !renewed(old));
        self.choices.extend(other.choices);
        self.program = other.program;
    }

    /// Gives an arm what was found for it on this setting, or for the method that it controls.
    pub fn apply(&self, setting: &Setting, arm: &mut Arm) {
        let fits = |choice: &&Choice| choice.setting == setting.name && choice.method == arm.tuned_as;
        if let Some(choice) = self.choices.iter().find(fits) {
            choice.moves.apply(arm);
            arm.tuned = true;
        }
    }
}

//! The settings of a training run, as they stand under `[train]` in a config.

use serde::{Deserialize, Serialize};

use super::{Augmentation, TrainError, Watched};
use crate::model::{AlignmentAxis, AlignmentLoss, Mapping, OptimizerConfig, Route};

mod fit;

/// How the weights are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Cross-entropy alone; explanations are not used.
    LabelOnly,
    /// Stage 1 and stage 2 in turn.
    TwoStage,
    /// Cross-entropy + lambda · the alignment loss in one step, on all weights. The target f(x′) is constant.
    Joint,
    /// Two stages without a mapping layer: stage 2 aligns f(x) with the constant f(x′) and updates f. An ablation.
    NoMapping,
    /// Cross-entropy + lambda · the squared input gradient outside of the mask (Ross et al. 2017).
    GradReg,
    /// Both: stage 1 with the penalty of `grad-reg`, weighed by lambda, and stage 2. A gate counts as a constant in stage 1.
    TwoStageGradReg,
    /// Cross-entropy on the pictures and on their masked copies.
    MaskedCopies,
    /// f and c follow cross-entropy; m follows cross-entropy + mu · (alignment loss − epsilon), where mu rises while the
    /// alignment loss is above epsilon.
    Constrained,
}

impl Method {
    /// Every method, label-only first.
    pub const ALL: [Method; 8] = [
        Method::LabelOnly,
        Method::TwoStage,
        Method::Joint,
        Method::NoMapping,
        Method::GradReg,
        Method::TwoStageGradReg,
        Method::MaskedCopies,
        Method::Constrained,
    ];

    /// Whether it learns from explanations.
    pub fn explains(self) -> bool {
        self != Method::LabelOnly
    }

    /// Whether explanations have a stage of their own, which takes turns with stage 1.
    pub fn has_stage2(self) -> bool {
        matches!(self, Method::TwoStage | Method::TwoStageGradReg | Method::NoMapping)
    }

    /// The mapping layer where none is named: diagonal where explanations act through m, none elsewhere.
    pub fn default_mapping(self) -> Mapping {
        match self {
            Method::TwoStage | Method::TwoStageGradReg | Method::Joint | Method::Constrained => {
                Mapping::Diagonal
            }
            Method::LabelOnly | Method::NoMapping | Method::GradReg | Method::MaskedCopies => Mapping::None,
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Method::LabelOnly => "label-only",
            Method::TwoStage => "two-stage",
            Method::Joint => "joint",
            Method::NoMapping => "no-mapping",
            Method::GradReg => "grad-reg",
            Method::TwoStageGradReg => "two-stage-grad-reg",
            Method::MaskedCopies => "masked-copies",
            Method::Constrained => "constrained",
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

/// What stage 1 (cross-entropy) does with the mapping layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MappingInStage1 {
    /// As the studies found best: `update` for the linear mappings, `constant` for the gate.
    Auto,
    /// Its weights are updated.
    Update,
    /// Its weights stay; the gradient goes through it, for the gate also by way of what it looks at.
    Leave,
    /// Its weights stay; a gate counts as a constant: the gradient reaches f through h, never through g(h).
    Constant,
}

/// How a learning rate moves, step by step, after its warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// It stays.
    Constant,
    /// Half a cosine, from the rate down to 0 after the last step.
    Cosine,
    /// A straight line, from the rate down to 0 after the last step.
    Linear,
    /// Times `factor` after every `every` epochs.
    Step {
        /// Epochs between two drops.
        every: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
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

impl DataFill {
    /// The value in the scale [−1, 1], the same for every channel; `None` for one that depends on the pictures.
    pub fn constant(self) -> Option<f32> {
        match self {
            DataFill::Grey => Some(0.0),
            DataFill::Black => Some(-1.0),
            DataFill::White => Some(1.0),
            DataFill::Mean => None,
        }
    }
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
    /// How eta1 moves over the steps of the run.
    pub label_schedule: Schedule,
    /// Epochs, whole or not, over which eta1 rises to its full size first.
    pub label_warmup: f64,
    /// The optimiser of stage 1.
    pub label_optimizer: OptimizerConfig,
    /// What stage 1 updates; by default everything.
    pub label_route: Option<Route>,
    /// What stage 1 does with the mapping layer.
    pub mapping_in_stage1: MappingInStage1,
    /// eta2, the learning rate of stage 2.
    pub alignment_lr: f64,
    /// How eta2 moves over the steps of the run.
    pub alignment_schedule: Schedule,
    /// Epochs, whole or not, over which eta2 rises to its full size first.
    pub alignment_warmup: f64,
    /// The optimiser of stage 2.
    pub alignment_optimizer: OptimizerConfig,
    /// When stage 2 has its turn.
    pub alternation: Alternation,
    /// Steps on m per batch of stage 2.
    pub inner_steps: usize,
    /// Epochs of stage 2 alone, which are a part of epoch 1 and its first phase.
    pub alignment_epochs_first: usize,
    /// What stage 2 minimises.
    pub alignment_loss: AlignmentLoss,
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
    /// Pixels by which every mask grows in all directions.
    pub mask_dilation: usize,
    /// Every mask becomes the smallest upright box around it.
    pub mask_boxes: bool,
    /// One weight per class in the cross-entropy, by class name in natural order; empty: all 1.
    pub class_weights: Vec<f64>,
    /// Weights the classes by n / (K · n_k), so that each counts the same in the cross-entropy.
    pub balance_classes: bool,
    /// lambda, the weight of the second term of `joint` and `grad-reg`.
    pub lambda: f64,
    /// epsilon of `constrained`: the alignment loss that m has to reach.
    pub constraint: f64,
    /// rho of `constrained`: how fast the multiplier mu follows the violation.
    pub multiplier_lr: f64,
    /// Epochs without improvement on the validation pictures after which the program stops; 0: it never does. A
    /// [`super::Trainer`] by itself trains on: [`super::standing`] tells when to stop.
    pub early_stopping: usize,
    /// What counts as an improvement.
    pub early_stopping_by: Watched,
    /// What is done to the training pictures, and to their masks with them.
    pub augment: Augmentation,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            method: Method::TwoStage,
            epochs: 40,
            batch: 50,
            label_lr: 1e-3,
            label_schedule: Schedule::Constant,
            label_warmup: 0.0,
            label_optimizer: OptimizerConfig::adam(1e-2),
            label_route: None,
            mapping_in_stage1: MappingInStage1::Auto,
            alignment_lr: 1e-2,
            alignment_schedule: Schedule::Constant,
            alignment_warmup: 0.0,
            alignment_optimizer: OptimizerConfig::adam(0.0),
            alternation: Alternation::Batch,
            inner_steps: 5,
            alignment_epochs_first: 0,
            alignment_loss: AlignmentLoss::Kl,
            alignment_axis: AlignmentAxis::Auto,
            temperature: 1.0,
            fill: DataFill::Grey,
            hard_masks: true,
            masks: MaskSource::Own,
            mask_dilation: 0,
            mask_boxes: false,
            class_weights: Vec::new(),
            balance_classes: false,
            lambda: 1.0,
            constraint: 0.1,
            multiplier_lr: 0.1,
            early_stopping: 0,
            early_stopping_by: Watched::Accuracy,
            augment: Augmentation::default(),
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

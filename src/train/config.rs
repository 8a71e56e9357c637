//! The settings of a training run, as they stand under `[train]` in a config.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Augmentation, Watched};
use crate::model::{AlignmentAxis, AlignmentLoss, Mapping, OptimizerConfig, Route};
use crate::plan::Part;

mod check;
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
    /// Parts that no stage updates. They act as in evaluation.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub freeze: BTreeSet<Part>,
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
            freeze: BTreeSet::new(),
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

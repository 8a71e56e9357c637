//! The classifier c(m(f(x))): its layers, its initial weights, which part a stage updates, and the stages as plans.

mod config;
mod error;
mod init;
mod network;
mod node;
mod optimizer;
mod positions;
mod preset;
mod route;
mod stage;

pub use config::{Conv, GroupNorm, Layer, Linear, Mapping, ModelConfig, Pool, Residual};
pub use error::ModelError;
pub use init::initial_weights;
pub use network::{LogitBounds, Network, Tape};
pub use node::{Fill, MapShape, Parameter};
pub(crate) use node::{GATE_BRANCH, Kind, Node};
pub use optimizer::OptimizerConfig;
pub use positions::PositionCell;
pub use preset::Preset;
pub use route::{GateGradient, Route};
pub use stage::{
    AlignmentAxis, AlignmentLoss, Constraint, Dimensions, EvaluationPlan, Stage1, Stage2, advance, batch,
    bounds, constrained, data_source, evaluation, features, gate, grad_reg, input_gradient, joint, logits,
    masked_copies, no_mapping, stage1, stage2,
};
pub(crate) use stage::{
    BOUNDS, D_X, LOGITS, MULTIPLIER, NOISE, OUTSIDE, SCALE, X, feature_outputs, scheduled_rate,
};

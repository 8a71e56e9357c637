//! The classifier c(m(f(x))): its layers, its initial weights, which part a stage updates, and the stages as plans.

mod config;
mod error;
mod init;
mod network;
mod node;
mod optimizer;
mod route;
mod stage;

pub use config::{Conv, Layer, Linear, Mapping, ModelConfig, Pool};
pub use error::ModelError;
pub use init::initial_weights;
pub use network::{LogitBounds, Network, Tape};
pub use node::{Fill, MapShape, Parameter};
pub use optimizer::OptimizerConfig;
pub use route::Route;
pub use stage::{
    AlignmentAxis, AlignmentLoss, Dimensions, EvaluationPlan, Stage1, Stage2, advance, bounds, data_source,
    evaluation, features, input_gradient, logits, stage1, stage2,
};
pub(crate) use stage::{BOUNDS, D_X, LOGITS, X};

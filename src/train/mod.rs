//! Training: methods and their settings, the loop, metrics, checkpoints.

mod augment;
mod checkpoint;
mod config;
mod early_stopping;
mod error;
mod exclusive_use;
pub mod measures;
mod metrics;
mod predictor;
mod routing;
#[cfg(feature = "runs")]
pub mod run;
mod schedule;
pub mod statistics;
mod stream;
mod trainer;
mod upload;

pub use augment::{Augmentation, Augmented, Flip, augmented};
pub use checkpoint::{Checkpoint, digest, write_atomically};
pub use config::{Alternation, DataFill, MappingInStage1, MaskSource, Method, Schedule, TrainConfig};
pub use early_stopping::{Standing, Watched, standing};
pub use error::TrainError;
pub use exclusive_use::{ExclusiveUse, ExclusiveUseOptions, ExclusiveUseSummary, PictureUse};
pub use metrics::{Confusion, flip_rate, share_inside};
pub use predictor::{Predictor, most_probable, probabilities};
pub use stream::Streaming;
pub use trainer::{
    EpochReport, Evaluation, FeatureMaps, GateMass, GradientReport, Trainer, check_fit, plans,
};
pub(crate) use trainer::{first_phase, mean_loss, noise, passes, phases};
pub use upload::fill_values;
pub(crate) use upload::{PADDING, padded};

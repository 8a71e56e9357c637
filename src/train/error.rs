//! What can go wrong in training.

use std::path::PathBuf;

use crate::data::DataError;
use crate::exec::ExecError;
use crate::model::ModelError;
use crate::plan::PlanError;
use crate::train::statistics::StatisticsError;

/// Why a run cannot start, go on or be saved.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A setting with a senseless value.
    #[error("{key} is {value}: {remedy}")]
    Setting {
        /// The key under `[train]`.
        key: &'static str,
        /// Its value.
        value: String,
        /// What to change.
        remedy: String,
    },
    /// The data and the model, or two data sets, do not fit each other.
    #[error("{0}")]
    Data(String),
    /// Stage 2 without anything to learn from.
    #[error(
        "none of the {pictures} training pictures has a mask, so --method two-stage has nothing to learn from; add masks (README, \"Your own pictures\") or use --method label-only"
    )]
    NoExplanations {
        /// Training pictures.
        pictures: usize,
    },
    /// A loss or weight that is no longer a number.
    #[error(
        "epoch {epoch}, step {step}: {what} is not finite any more. The first tensor that went bad is `{tensor}`, written by {command}. The state at the end of epoch {last_good} is kept; try a smaller {remedy}"
    )]
    Diverged {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step in the epoch, counted from 1.
        step: usize,
        /// The loss that showed it.
        what: &'static str,
        /// The first bad tensor.
        tensor: String,
        /// The command that wrote it.
        command: String,
        /// The last epoch whose state is sound; 0 is the start.
        last_good: usize,
        /// The learning rate to lower.
        remedy: &'static str,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A checkpoint that does not belong to this run or is damaged.
    #[error("checkpoint {path}: {message}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// A statistic that these numbers do not have.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
    /// From the data room.
    #[error(transparent)]
    Source(#[from] DataError),
    /// From the model room.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// From the device.
    #[error(transparent)]
    Exec(#[from] ExecError),
}

impl From<PlanError> for TrainError {
    fn from(error: PlanError) -> Self {
        TrainError::Model(error.into())
    }
}

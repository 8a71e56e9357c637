//! What can go wrong in training.

use std::path::PathBuf;

use super::Method;
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
    /// A method that learns from explanations, without any.
    #[error(
        "none of the {pictures} training pictures has a mask, so --method {method} has nothing to learn from; add masks (README, \"Your own pictures\") or use --method label-only"
    )]
    NoExplanations {
        /// Training pictures.
        pictures: usize,
        /// The method.
        method: Method,
    },
    /// Explanations alone: nothing tells the classes apart.
    #[error(
        "none of the {pictures} training pictures has a label, so there are no classes to learn; label some of them"
    )]
    NoLabels {
        /// Training pictures.
        pictures: usize,
    },
    /// Pictures without a label, and no stage that learns from them.
    #[error(
        "{pictures} training pictures have no label, and --method {method} has no stage of its own for explanations that could learn from them; leave them out, or use --method two-stage"
    )]
    Unlabelled {
        /// Training pictures without a label.
        pictures: usize,
        /// The method.
        method: Method,
    },
    /// Classes cannot be balanced.
    #[error(
        "balance_classes is true, and no training picture is of class `{class}`, so no weight makes it count; add pictures of it, remove the class, or use balance_classes = false"
    )]
    EmptyClass {
        /// The class.
        class: String,
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

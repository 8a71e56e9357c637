//! What can go wrong in a study.

use std::path::PathBuf;

use crate::data::DataError;
use crate::gpu::DeviceError;
use crate::train::TrainError;
use crate::train::statistics::StatisticsError;

/// Why a study cannot begin, go on or be shown.
#[derive(Debug, thiserror::Error)]
pub enum StudyError {
    /// A name that is not in a list.
    #[error("there is no {what} `{name}`; known are {}", known.join(", "))]
    Unknown {
        /// A study, a method, a setting.
        what: &'static str,
        /// The name as given.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Seeds that cannot be read.
    #[error("the seeds `{text}` cannot be used: {message}")]
    Seeds {
        /// As given.
        text: String,
        /// What is wrong and what to write.
        message: String,
    },
    /// An option with a senseless value.
    #[error("{option} is {value}: {remedy}")]
    Option {
        /// The option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What to change.
        remedy: String,
    },
    /// A study folder or a file in it.
    #[error("{path}: {message}")]
    File {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// Stopped by the user.
    #[error("stopped after {done} of {total} cells")]
    Stopped {
        /// Cells that are on the disk.
        done: usize,
        /// Cells of the study.
        total: usize,
    },
    /// A plot.
    #[error(transparent)]
    Plot(#[from] crate::report::plot::PlotError),
    /// Worker threads that cannot be had.
    #[error("{count} workers cannot be started ({message}); ask for fewer with --workers")]
    Workers {
        /// How many.
        count: usize,
        /// What the system said.
        message: String,
    },
    /// From the data room.
    #[error(transparent)]
    Data(#[from] DataError),
    /// From the training room.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The device cannot be opened.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// Too few numbers for a statistic.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
}

//! What can go wrong in the window. Everything here ends up in its bar of messages.

use std::path::PathBuf;

use crate::data::DataError;
use crate::embed::EmbedError;
use crate::export::ExportError;
use crate::train::TrainError;

/// Why the window could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StudioError {
    /// A file that cannot be read or written.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
    /// Data that cannot be opened, in the words of the program that reads them.
    #[error("{0}")]
    Open(String),
    /// No window.
    #[error(
        "the window cannot be opened ({0}); it needs a desktop session (X11, Wayland, Windows or macOS) with a graphics \
         driver. `rationale train` needs none"
    )]
    Window(String),
    /// A thread that trains or measures is gone.
    #[error("the thread that {0} has ended; open the data again to start a new one")]
    Thread(&'static str),
    /// From the readers.
    #[error(transparent)]
    Data(#[from] DataError),
    /// From training.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// From training on the window's own device.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// From an export.
    #[error(transparent)]
    Export(#[from] ExportError),
}

//! What ends the program with a status other than 0.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::data::DataError;
use crate::exec::ExecError;
use crate::gpu::DeviceError;
use crate::train::TrainError;

/// One sentence that names the thing and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    Import(Box<crate::import::ImportError>),
    #[error(transparent)]
    Bench(#[from] crate::bench::BenchError),
    #[error(transparent)]
    Dump(#[from] crate::bench::DumpError),
    #[error(transparent)]
    Docs(#[from] crate::bench::docs::DocsError),
    #[error(transparent)]
    Study(#[from] crate::study::StudyError),
    #[error(transparent)]
    Plot(#[from] crate::report::plot::PlotError),
    #[error(transparent)]
    Report(#[from] crate::report::run::ReportError),
    #[error(transparent)]
    Demo(#[from] super::demo::DemoError),
    #[cfg(feature = "studio")]
    #[error(transparent)]
    Studio(#[from] crate::studio::StudioError),
    /// A config file that does not say what it should.
    #[error("{0}")]
    Config(String),
    /// Flags that do not go together.
    #[error("{0}")]
    Usage(String),
    #[error("{path}: {message}")]
    File { path: PathBuf, message: String },
    #[error("the output cannot be written ({0})")]
    Output(#[from] std::io::Error),
    /// A job that was done in part.
    #[error("{0}")]
    InPart(String),
    /// Ctrl-C; all has been said.
    #[error("stopped")]
    Stopped,
    /// A failure that has been reported already.
    #[error("failed")]
    Said,
}

impl From<crate::import::ImportError> for CliError {
    fn from(error: crate::import::ImportError) -> Self {
        // It says much, and every error would be as large.
        Self::Import(Box::new(error))
    }
}

impl CliError {
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            CliError::Usage(_) => 2,
            // As a shell reports a program that was interrupted.
            CliError::Stopped => 130,
            _ => 1,
        })
    }
}

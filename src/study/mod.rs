//! Studies: many models under the same seeds and budget, and what they came to.
//!
//! A [`Job`] is one cell of a study: a [`Setting`] (data, network, label-only hyperparameters), an [`Arm`] (a method as a
//! row of the table) and a seed. [`runner::run`] turns jobs into [`Cell`]s, one file each in the study's folder; a study
//! that was stopped goes on with those that are missing. Everything else, the tables, the plots and the page, is computed
//! from the cells alone and can be written again at any time.

pub mod arm;
mod cell;
pub mod compare;
mod compose;
pub mod digits;
pub mod document;
mod error;
mod folder;
pub mod measure;
pub mod metric;
pub mod pace;
pub mod page;
pub mod pictures;
pub mod published;
pub mod runner;
pub mod seeds;
mod setting;
pub mod studies;
pub mod summary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tune;
pub mod tuned;
pub mod write;

pub use arm::{Arm, BASELINE};
pub use cell::{
    Agreement, Cell, Figures, GateMass, Job, Judge, Outcome, Patched, Point, Scores, TEST_PICTURES,
};
pub use error::StudyError;
pub use folder::{MANIFEST, Manifest, StudyFolder};
pub use metric::{METRICS, Metric};
pub use setting::{Layers, Pictures, Setting};
pub use studies::{Options, Study};

/// Program and version, as cells record it, and the commit where the build was told it (`RATIONALE_COMMIT`).
pub fn program() -> String {
    let version = concat!("rationale ", env!("CARGO_PKG_VERSION"));
    match option_env!("RATIONALE_COMMIT") {
        Some(commit) if !commit.is_empty() => format!("{version}, commit {commit}"),
        _ => version.to_owned(),
    }
}

//! How long a study will take: a guess before it begins, better ones while it runs.

use std::collections::HashMap;

use super::{Cell, Job};
use crate::train::Method;

/// Costs of cells, known or guessed.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// Seconds of the cells of each kind that this process has run, and how many.
    known: HashMap<String, (f64, usize)>,
    /// Seconds and guessed cost of all of them.
    all: (f64, f64),
}

/// Cells that cost alike.
fn kind(job: &Job) -> String {
    let point = job.point.as_ref().map_or(String::new(), |point| format!("{}={}", point.sweep, point.label));
    format!("{}.{}@{point}x{}", job.setting.name, job.arm.name, job.models)
}

/// Guessed cost in picture passes: how often a picture goes forward and backward through the network.
fn cost(job: &Job) -> f64 {
    let train = &job.arm.train;
    let pictures = job.change.train_pictures.or(job.setting.train_pictures()).unwrap_or(500);
    // One step of labels is 1. Stage 2 has two forward passes of f and light steps on m; GradReg a second backward.
    let aligned = 0.8 + 0.05 * train.inner_steps as f64;
    let step = match train.method {
        Method::LabelOnly => 1.0,
        Method::TwoStage | Method::Constrained => 1.0 + aligned,
        Method::NoMapping => 1.0 + train.inner_steps as f64,
        Method::Joint | Method::MaskedCopies => 2.0,
        Method::GradReg => 3.5,
        Method::TwoStageGradReg => 3.5 + aligned,
    };
    let epochs = train.epochs as f64 * step + train.alignment_epochs_first as f64 * aligned;
    // Tests of 3,000 pictures, and with patches of thrice as many, cost a third of a step each.
    let tests = 1000.0 * if job.setting.has_patch() { 3.0 } else { 1.0 };
    job.models as f64 * (epochs * pictures as f64 + tests)
}

impl Pace {
    /// Notes what a cell took, from its start to its file.
    pub fn note(&mut self, cell: &Cell, seconds: f64) {
        // A cell that was refused says nothing about the others.
        if cell.figures().is_none() {
            return;
        }
        let known = self.known.entry(kind(&cell.job)).or_default();
        *known = (known.0 + seconds, known.1 + 1);
        self.all = (self.all.0 + seconds, self.all.1 + cost(&cell.job));
    }

    /// Notes a trial run of a few epochs.
    pub fn note_trial(&mut self, job: &Job, seconds: f64) {
        self.all = (self.all.0 + seconds, self.all.1 + cost(job));
    }

    /// Seconds of one cell; `None` before anything is known.
    pub fn seconds(&self, job: &Job) -> Option<f64> {
        if let Some((seconds, count)) = self.known.get(&kind(job)) {
            return Some(seconds / *count as f64);
        }
        (self.all.1 > 0.0).then(|| cost(job) * self.all.0 / self.all.1)
    }

    /// Seconds of many cells on so many workers.
    pub fn left<'a>(&self, jobs: impl IntoIterator<Item = &'a Job>, workers: usize) -> Option<f64> {
        let mut sum = 0.0;
        for job in jobs {
            sum += self.seconds(job)?;
        }
        Some(sum / workers.max(1) as f64)
    }
}

//! Trains one row of the table and takes its figures.

use std::time::Instant;

use serde::Serialize;

use super::progress::Progress;
use super::{Contestant, DemoArgs};
use crate::data::triangles::{PatchRule, TriangleSet};
use crate::data::{DataError, Dataset};
use crate::exec::Device;
use crate::plan::Variants;
use crate::random::Seeds;
use crate::report::{Look, look};
use crate::train::{Checkpoint, EpochReport, TrainError, Trainer, digest, flip_rate};

/// Test pictures, none of which is trained on.
pub(super) struct Tests {
    /// Without any patch.
    clean: Dataset,
    /// The first of the clean ones, for the input gradient.
    first: Dataset,
    /// The same pictures with the patch of class 0, and with that of class 1.
    patched: [Dataset; 2],
}

impl Tests {
    pub(super) fn draw(set: TriangleSet, seed: u64, count: usize, first: usize) -> Result<Self, DataError> {
        let clean = set.test(count, seed, PatchRule::None)?;
        let patched = |class| set.test(count, seed, PatchRule::Always(class));
        let first = clean.subset(&Vec::from_iter(0..first.min(count)))?;
        Ok(Self { clean, first, patched: [patched(0)?, patched(1)?] })
    }
}

/// What a model came to.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) name: &'static str,
    #[serde(skip)]
    pub(super) title: &'static str,
    /// On the clean test.
    pub(super) accuracy: f64,
    /// Standard error of the accuracy, from the number of test pictures.
    pub(super) accuracy_standard_error: f64,
    /// Share of test pictures whose prediction changes with the patch.
    pub(super) flip_rate: f64,
    /// Share of the squared input gradient inside the mask.
    pub(super) gradient_inside_mask: f64,
    /// The paper's accuracy, on its own data.
    pub(super) paper_accuracy: Option<f64>,
    pub(super) train_accuracy: f64,
    pub(super) seconds: f64,
    pub(super) weights_digest: String,
    pub(super) kernel_variants: Variants,
    pub(super) label_loss_per_epoch: Vec<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) alignment_loss_per_epoch: Vec<f64>,
}

/// A trained row: its figures, its weights, and what it sees in the pictures of the contact sheet.
pub(super) struct Outcome {
    pub(super) figures: Figures,
    pub(super) checkpoint: Checkpoint,
    pub(super) look: Look,
}

fn first(values: &[f64]) -> f64 {
    values.first().copied().unwrap_or(f64::NAN)
}

fn losses(report: &EpochReport) -> String {
    let label = format!("label loss {:.4}", first(&report.label_loss));
    match &report.alignment_loss {
        Some(loss) => format!("{label}, alignment loss {:.4}", first(loss)),
        None => label,
    }
}

/// Trains, evaluates and looks.
pub(super) fn train(
    contestant: &Contestant,
    args: &DemoArgs,
    device: &Device,
    data: &Dataset,
    tests: &Tests,
    pictures: &Dataset,
    progress: &mut Progress,
) -> Result<Outcome, TrainError> {
    let start = Instant::now();
    let seeds = Seeds::from_seed(args.seed);
    let (model, settings) = (contestant.model(), contestant.settings(args.epochs));
    let mut trainer = Trainer::new(device, &model, &settings, data, &[seeds], &Variants::new())?;
    let mut reports = Vec::with_capacity(args.epochs);
    for epoch in 1..=args.epochs {
        let report = trainer.train_epoch()?;
        progress.epoch(contestant.name, epoch, args.epochs, &losses(&report));
        reports.push(report);
    }
    let seconds = start.elapsed().as_secs_f64();

    progress.note(contestant.name, "evaluating");
    trainer.add_dataset("clean", &tests.clean)?;
    let accuracy = trainer.evaluate("clean")?.confusion.first().map_or(f64::NAN, |cells| cells.accuracy());
    let mut predictions = Vec::new();
    for (name, patched) in ["patch 0", "patch 1"].into_iter().zip(&tests.patched) {
        trainer.add_dataset(name, patched)?;
        predictions.extend(trainer.evaluate(name)?.predictions.into_iter().next());
    }
    let flips = match predictions.as_slice() {
        [a, b] => flip_rate(a, b),
        _ => f64::NAN,
    };
    let gradients = trainer.input_gradient(device, &tests.first, 0)?;
    let look = look(&mut trainer, device, pictures)?;

    let mut checkpoint = trainer.checkpoint().clone();
    let note = |key: &str, value: String| (key.to_owned(), value);
    checkpoint.notes.extend([
        note("name", contestant.name.to_owned()),
        note("data", "triangles:ES".to_owned()),
        note("seed", args.seed.to_string()),
        note("device", device.title()),
        note("program", format!("rationale {}", env!("CARGO_PKG_VERSION"))),
    ]);
    let figures = Figures {
        name: contestant.name,
        title: contestant.title,
        accuracy,
        accuracy_standard_error: (accuracy * (1.0 - accuracy) / tests.clean.len() as f64).sqrt(),
        flip_rate: flips,
        gradient_inside_mask: gradients.mass_inside(),
        paper_accuracy: contestant.paper,
        train_accuracy: reports.last().map_or(f64::NAN, |report| first(&report.train_accuracy)),
        seconds,
        weights_digest: digest(&checkpoint.tensors),
        kernel_variants: trainer.variants().clone(),
        label_loss_per_epoch: reports.iter().map(|report| first(&report.label_loss)).collect(),
        alignment_loss_per_epoch: reports
            .iter()
            .filter_map(|report| report.alignment_loss.as_ref().map(|loss| first(loss)))
            .collect(),
    };
    Ok(Outcome { figures, checkpoint, look })
}

//! Trains one cell and takes its figures.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::cell::{Agreement, Figures, GateMass, Patched, Scores};
use super::pictures::CellData;
use super::{Job, Outcome};
use crate::data::Dataset;
use crate::exec::Device;
use crate::model::Mapping;
use crate::plan::Variants;
use crate::random::{Random, Seeds};
use crate::train::measures::GRADIENT_PICTURES;
use crate::train::statistics::{group_accuracies, pairwise_agreement};
use crate::train::{Evaluation, TrainError, Trainer, digest, flip_rate};

/// The seeds of a job's replicas: replica 0 has those of the seed itself, the others the same data with initial
/// weights and orders of their own.
pub fn replica_seeds(job: &Job) -> Vec<Seeds> {
    let own = Seeds::from_seed(job.seed);
    let (mut init, mut order) = (Random::new(own.init, 1), Random::new(own.order, 1));
    let others = (1..job.models).map(|_| Seeds { init: init.next_u64(), order: order.next_u64(), ..own });
    std::iter::once(own).chain(others.collect::<Vec<_>>()).collect()
}

/// Runs a job to its end; `None` if it was stopped on the way. `tick` is told the share of the epochs done.
pub fn run(
    job: &Job,
    data: &CellData,
    device: &Device,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(f64),
) -> Option<Outcome> {
    match train(job, data, device, stop, tick) {
        Ok(figures) => figures.map(|figures| Outcome::Done(Box::new(figures))),
        Err(error @ TrainError::Diverged { .. }) => Some(Outcome::Diverged(error.to_string())),
        Err(error) => Some(Outcome::Failed(error.to_string())),
    }
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (sum, count) = values.into_iter().fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    sum / count as f64
}

fn train(
    job: &Job,
    data: &CellData,
    device: &Device,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(f64),
) -> Result<Option<Figures>, TrainError> {
    let config = &job.arm.train;
    let seeds = replica_seeds(job);
    let mut trainer = Trainer::new(device, &job.model(), config, &data.train, &seeds, &Variants::new())?;
    if let Some(val) = data.val.as_ref().filter(|_| job.needs_validation()) {
        trainer.add_dataset("val", val)?;
    }
    let mut curve = Vec::new();
    let mut last = None;
    let mut seconds = 0.0;
    for epoch in 1..=config.epochs {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let began = Instant::now();
        last = Some(trainer.train_epoch()?);
        seconds += began.elapsed().as_secs_f64();
        if job.curve && data.val.is_some() {
            curve.push(mean(trainer.evaluate("val")?.confusion.iter().map(|c| c.balanced_accuracy())));
        }
        tick(epoch as f64 / config.epochs as f64);
    }
    let Some(last) = last else { return Ok(None) };

    let val = match data.val.is_some() && job.needs_validation() {
        true => scores(&trainer.evaluate("val")?),
        false => None,
    };
    let mut figures = Figures {
        test: None,
        val,
        train_accuracy: mean(last.train_accuracy),
        label_loss: mean(last.label_loss),
        alignment_loss: last.alignment_loss.map(mean),
        patched: None,
        input_gradient_mass: None,
        gate_mass: None,
        agreement: None,
        curve,
        predictions: Vec::new(),
        epochs: trainer.epoch(),
        seconds,
        digest: digest(&trainer.checkpoint().tensors),
    };
    if let Some(test) = &data.test {
        judge(&mut figures, &mut trainer, job, test)?;
        look(&mut figures, &mut trainer, device, job, test)?;
    }
    if let Some(copies) = &data.patched {
        figures.patched = Some(patched(&mut trainer, copies)?);
    }
    Ok(Some(figures))
}

/// The scores of the first replica, or their means over the replicas.
fn scores(evaluation: &Evaluation) -> Option<Scores> {
    let all: Vec<Scores> = evaluation.confusion.iter().map(Scores::from).collect();
    let first = all.first()?;
    let per_class = (0..first.per_class.len())
        .map(|class| {
            let known: Vec<f64> = all.iter().filter_map(|scores| scores.per_class[class]).collect();
            (!known.is_empty()).then(|| mean(known))
        })
        .collect();
    Some(Scores {
        pictures: first.pictures,
        accuracy: mean(all.iter().map(|scores| scores.accuracy)),
        balanced_accuracy: mean(all.iter().map(|scores| scores.balanced_accuracy)),
        worst_class: mean(all.iter().map(|scores| scores.worst_class)),
        per_class,
    })
}

fn judge(figures: &mut Figures, trainer: &mut Trainer, job: &Job, test: &Dataset) -> Result<(), TrainError> {
    trainer.add_dataset("test", test)?;
    let evaluation = trainer.evaluate("test")?;
    figures.test = scores(&evaluation);
    if job.models > 1 {
        let pairwise = pairwise_agreement(&evaluation.predictions, test.classes.len())?;
        let balanced_accuracy = evaluation.confusion.iter().map(|c| c.balanced_accuracy()).collect();
        figures.agreement = Some(Agreement { pairwise, balanced_accuracy });
    }
    if job.predictions {
        let letter = |&class: &u32| char::from_digit(class, 36).unwrap_or('?');
        figures.predictions =
            evaluation.predictions.iter().map(|row| row.iter().map(letter).collect()).collect();
    }
    Ok(())
}

/// Input gradient and gate of the first replica.
fn look(
    figures: &mut Figures,
    trainer: &mut Trainer,
    device: &Device,
    job: &Job,
    test: &Dataset,
) -> Result<(), TrainError> {
    let explained: Vec<usize> = test.explained_pictures().take(GRADIENT_PICTURES).collect();
    if explained.is_empty() {
        return Ok(());
    }
    let pictures = test.subset(&explained)?;
    let mass = trainer.input_gradient(device, &pictures, 0)?.mass_inside();
    figures.input_gradient_mass = mass.is_finite().then_some(mass);
    if job.arm.mapping == Mapping::Gate {
        figures.gate_mass = gate_mass(trainer, device, &pictures)?;
    }
    Ok(())
}

/// `None` where every gate is closed, or where there is but one picture.
fn gate_mass(trainer: &mut Trainer, device: &Device, data: &Dataset) -> Result<Option<GateMass>, TrainError> {
    if data.len() < 2 {
        return Ok(None);
    }
    let [own, other, constant] = trainer.gate_mass(device, data, 0)?.means();
    Ok(own.is_finite().then_some(GateMass { own, other, constant }))
}

/// Means over the replicas.
fn patched(trainer: &mut Trainer, copies: &[(usize, Dataset); 2]) -> Result<Patched, TrainError> {
    let classes = copies[0].1.classes.len();
    let labels = &copies[0].1.labels;
    let mut predictions = Vec::new();
    for (name, (_, copy)) in ["patch 0", "patch 1"].into_iter().zip(copies) {
        trainer.add_dataset(name, copy)?;
        predictions.push(trainer.evaluate(name)?.predictions);
    }
    let [first, second] = [&predictions[0], &predictions[1]];
    let models = first.len();
    let mut groups = vec![vec![0.0; copies.len()]; classes];
    let (mut flips, mut misled, mut worst) = (0.0, 0.0, 0.0);
    for (a, b) in first.iter().zip(second) {
        flips += flip_rate(a, b);
        let mut lowest: f64 = 1.0;
        for (patch, predicted) in [a, b].into_iter().enumerate() {
            let found = group_accuracies(predicted, labels, labels)?;
            for group in found {
                groups[group.group as usize][patch] += group.accuracy;
                lowest = lowest.min(group.accuracy);
            }
        }
        worst += lowest;
        // The patch of a class misleads every picture of another class.
        let (mut right, mut all) = (0, 0);
        for ((class, _), predicted) in copies.iter().zip([a, b]) {
            for (predicted, &label) in predicted.iter().zip(labels).filter(|(_, l)| **l as usize != *class) {
                right += usize::from(*predicted == label);
                all += 1;
            }
        }
        misled += right as f64 / f64::from(all.max(1));
    }
    let share = |sum: f64| sum / models as f64;
    groups.iter_mut().flatten().for_each(|sum| *sum = share(*sum));
    Ok(Patched { flip_rate: share(flips), misled_accuracy: share(misled), worst_group: share(worst), groups })
}

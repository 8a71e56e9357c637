//! The spurious triangles (ES) over five seeds: label-only, two-stage, and the two controls, as a Markdown table.
//!
//! `cargo run --release --example five_seeds -- [DEVICE]` (default: auto)

#![allow(clippy::print_stdout)]

use rationale::data::triangles::{PatchRule, TriangleSet};
use rationale::exec::Device;
use rationale::model::{Mapping, ModelConfig};
use rationale::plan::Variants;
use rationale::random::Seeds;
use rationale::train::{MaskSource, Method, TrainConfig, TrainError, Trainer, flip_rate};

/// Named before the first run; data, initial weights and order follow from each.
const SEEDS: [u64; 5] = [101, 102, 103, 104, 105];
const TEST_PICTURES: usize = 3000;

/// Accuracy on the clean test set, and the share of predictions that change with the patch.
fn run(device: &Device, seed: u64, method: Method, masks: MaskSource) -> Result<(f64, f64), TrainError> {
    let seeds = Seeds::from_seed(seed);
    let set = TriangleSet::ES;
    let mapping = if method == Method::LabelOnly { Mapping::None } else { Mapping::Diagonal };
    let model = ModelConfig { mapping, ..ModelConfig::default() };
    let config = TrainConfig { method, masks, ..TrainConfig::default() };
    let train = set.train(seeds.data)?;
    let mut trainer = Trainer::new(device, &model, &config, &train, &[seeds], &Variants::new())?;
    while trainer.epoch() < config.epochs {
        trainer.train_epoch()?;
    }
    let mut predictions = Vec::new();
    let mut accuracy = 0.0;
    for (name, patch) in
        [("clean", PatchRule::None), ("0", PatchRule::Always(0)), ("1", PatchRule::Always(1))]
    {
        trainer.add_dataset(name, &set.test(TEST_PICTURES, seeds.data, patch)?)?;
        let evaluation = trainer.evaluate(name)?;
        match patch {
            PatchRule::None => accuracy = evaluation.confusion[0].accuracy(),
            _ => predictions.extend(evaluation.predictions),
        }
    }
    Ok((accuracy, flip_rate(&predictions[0], &predictions[1])))
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let choice = std::env::args().nth(1).unwrap_or_default().parse()?;
    let device = Device::open(&choice)?;
    println!("Device: {} ({}). Seeds: {SEEDS:?}.\n", device.title(), device.reason());
    println!("| method | accuracy, mean ± sd | each seed | flip rate, mean |\n|---|---|---|---|");
    for (name, method, masks) in [
        ("label-only, no m", Method::LabelOnly, MaskSource::Own),
        ("two-stage, diagonal m", Method::TwoStage, MaskSource::Own),
        ("control: mask all ones", Method::TwoStage, MaskSource::Ones),
        ("control: another picture's mask", Method::TwoStage, MaskSource::Other),
    ] {
        let mut accuracies = Vec::new();
        let mut flips = Vec::new();
        for seed in SEEDS {
            let (accuracy, flip) = run(&device, seed, method, masks)?;
            accuracies.push(accuracy);
            flips.push(flip);
        }
        let (mean, sd) = mean_and_sd(&accuracies);
        let each: Vec<String> = accuracies.iter().map(|a| format!("{a:.3}")).collect();
        println!("| {name} | {mean:.3} ± {sd:.3} | {} | {:.2} |", each.join(" "), mean_and_sd(&flips).0);
    }
    Ok(())
}

//! Learning rates by step, on the device's clock. The rates themselves are held against PyTorch in `src/train/schedule.rs`.

use rationale::exec::Device;
use rationale::model::OptimizerConfig;
use rationale::plan::Variants;
use rationale::random::Seeds;
use rationale::train::{Alternation, Checkpoint, Method, Schedule, TrainConfig, Trainer, digest};

use crate::support;

fn run(device: &Device, config: &TrainConfig, epochs: usize, from: Option<&Checkpoint>) -> Checkpoint {
    let (data, model) = (support::pictures(20), support::small_model(config.method.default_mapping()));
    let seeds = [1, 2].map(Seeds::from_seed);
    let mut trainer = Trainer::new(device, &model, config, &data, &seeds, &Variants::new()).unwrap();
    if let Some(checkpoint) = from {
        trainer.restore(checkpoint).unwrap();
    }
    while trainer.epoch() < epochs {
        trainer.train_epoch().unwrap();
    }
    trainer.checkpoint().clone()
}

/// Plain descent with all pictures in one batch: one step an epoch, whose size is the rate's.
#[test]
fn a_step_is_as_long_as_its_rate() {
    let config = TrainConfig {
        method: Method::LabelOnly,
        batch: 20,
        epochs: 4,
        label_optimizer: OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 },
        label_lr: 1e-3,
        ..support::small_config()
    };
    let warm = TrainConfig { label_warmup: 4.0, ..config.clone() };
    for device in support::devices() {
        let start = run(&device, &config, 0, None);
        let (full, quarter) = (run(&device, &config, 1, None), run(&device, &warm, 1, None));
        for (name, (_, before)) in start.tensors.iter().filter(|(name, _)| !name.starts_with("stage")) {
            for (i, before) in before.iter().enumerate() {
                let step = |after: &Checkpoint| f64::from(after.tensors[name].1[i]) - f64::from(*before);
                // Each weight is rounded once, by at most half a unit of the largest weights, below 2.
                let bound = 5.0 * 2f64.powi(-24);
                assert!((step(&full) - 4.0 * step(&quarter)).abs() <= bound, "{}, {name}", device.title());
            }
        }
        assert_ne!(full.tensors["features.0.weight"], start.tensors["features.0.weight"]);
    }
}

#[test]
fn scheduled_runs_resume_and_follow_their_schedule() {
    for device in support::devices() {
        for alternation in [Alternation::Batch, Alternation::Epoch] {
            let plain = TrainConfig { alternation, epochs: 4, ..support::small_config() };
            let config = TrainConfig {
                label_schedule: Schedule::Cosine,
                label_warmup: 0.5,
                alignment_schedule: Schedule::Step { every: 2, factor: 0.5 },
                ..plain.clone()
            };
            let whole = run(&device, &config, 4, None);
            let resumed = run(&device, &config, 4, Some(&run(&device, &config, 1, None)));
            assert_eq!(digest(&whole.tensors), digest(&resumed.tensors), "{}", device.title());
            // A schedule that has not moved yet gives the bits of a constant rate, and others once it has.
            let later =
                TrainConfig { label_schedule: Schedule::Step { every: 2, factor: 0.5 }, ..plain.clone() };
            let digests =
                |epochs| [&plain, &later].map(|config| digest(&run(&device, config, epochs, None).tensors));
            let [constant, moved] = digests(2);
            assert_eq!(constant, moved, "{}", device.title());
            let [constant, moved] = digests(3);
            assert_ne!(constant, moved, "{}", device.title());
        }
    }
}

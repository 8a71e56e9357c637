//! Streamed pictures: the bits of a run with all of them on the device.

use std::time::Duration;

use rationale::exec::Device;
use rationale::model::OptimizerConfig;
use rationale::plan::Variants;
use rationale::random::Seeds;
use rationale::train::{Alternation, Method, TrainConfig, TrainError, Trainer, digest};

use crate::support;

/// Bytes of a picture: floats, mask, label, and whether it is explained.
const PICTURE: u64 = 32 * 32 * 5 + 8;
const REPLICAS: u64 = 2;
const BATCH: u64 = 4;

/// Two replicas on 27 pictures in seven batches of four, every third picture without a mask.
fn trainer(device: &Device, config: &TrainConfig, cap: Option<u64>) -> Trainer {
    let mut data = support::pictures(27);
    (0..27).filter(|i| i % 3 == 0).for_each(|i| data.explained[i] = false);
    let model = support::small_model(config.method.default_mapping());
    let config = &TrainConfig { batch: BATCH as usize, ..config.clone() };
    let seeds = [7, 8].map(Seeds::from_seed);
    Trainer::within(device, &model, config, &data, &seeds, &Variants::new(), cap).unwrap()
}

/// The cap that has room for two chunks of so many batches.
fn cap(batches: u64) -> u64 {
    2 * batches * REPLICAS * BATCH * PICTURE
}

#[test]
fn streamed_runs_have_the_bits_of_whole_ones() {
    let plain = support::small_config();
    let by_epoch =
        TrainConfig { alternation: Alternation::Epoch, alignment_epochs_first: 1, ..plain.clone() };
    let augment = "flip,shift=2,rotate=15".parse().unwrap();
    let penalty = TrainConfig { augment, method: Method::GradReg, ..plain.clone() };
    let labels = TrainConfig { method: Method::LabelOnly, ..plain.clone() };
    for device in support::devices() {
        for config in [&plain, &by_epoch, &penalty, &labels] {
            let run = |cap: u64, chunks: Option<usize>| {
                let mut trainer = trainer(&device, config, Some(cap));
                assert_eq!(trainer.streaming().map(|found| found.chunks), chunks);
                let reports = [(); 2].map(|()| trainer.train_epoch().unwrap());
                (digest(&trainer.checkpoint().tensors), reports)
            };
            let (streamed, whole) = (run(cap(1), Some(7)), run(27 * PICTURE, None));
            assert_eq!(streamed, whole, "{}, {}", device.title(), config.method);
            // In slices of one batch, and of some; what is left of the second epoch in one go.
            for cap in [cap(2), 27 * PICTURE] {
                let mut trainer = trainer(&device, config, Some(cap));
                let (mut reports, mut calls) = (Vec::new(), 0);
                while reports.is_empty() {
                    let before = trainer.batches();
                    reports.extend(trainer.train_for(Duration::ZERO).unwrap());
                    assert!(before.0 < before.1 && before.1.is_multiple_of(7), "{before:?}");
                    assert_eq!(trainer.batches().0, (before.0 + 1) % before.1);
                    calls += 1;
                }
                assert_eq!(calls, if config.alignment_epochs_first > 0 { 3 * 7 } else { 7 });
                assert_eq!(trainer.train_for(Duration::ZERO).unwrap(), None);
                assert_eq!(trainer.checkpoint().epoch, 1);
                reports.push(trainer.train_epoch().unwrap());
                let sliced = (digest(&trainer.checkpoint().tensors), [reports.remove(0), reports.remove(0)]);
                assert_eq!(sliced, whole, "{}, {}", device.title(), config.method);
            }
        }
    }
}

#[test]
fn chunks_of_several_batches_end_with_a_short_one() {
    // 100 pictures in 13 batches of 8, one replica, five batches to a chunk.
    let (data, model) = (support::pictures(100), support::small_model(Method::TwoStage.default_mapping()));
    for device in support::devices() {
        let run = |cap: Option<u64>, expected: Option<(usize, usize)>| {
            let (config, seeds) = (support::small_config(), [Seeds::from_seed(3)]);
            let mut trainer =
                Trainer::within(&device, &model, &config, &data, &seeds, &Variants::new(), cap).unwrap();
            assert_eq!(trainer.streaming().map(|found| (found.steps, found.chunks)), expected);
            trainer.train_epoch().unwrap();
            trainer.train_epoch().unwrap();
            digest(&trainer.checkpoint().tensors)
        };
        assert_eq!(run(Some(2 * 5 * 8 * PICTURE), Some((5, 3))), run(None, None), "{}", device.title());
    }
}

#[test]
fn streamed_evaluation_finds_the_same() {
    // A batch of evaluation is 250 pictures: 600 pictures are three chunks under this cap.
    let test = support::pictures(600);
    for device in support::devices() {
        let evaluated = |cap| {
            let mut trainer = trainer(&device, &support::small_config(), cap);
            trainer.add_dataset("test", &test).unwrap();
            // Twice: nothing is left over from the first time.
            trainer.evaluate("test").unwrap();
            trainer.evaluate("test").unwrap()
        };
        assert_eq!(evaluated(Some(2 * 250 * PICTURE)), evaluated(None), "{}", device.title());
        // Smaller batches: other last bits of the loss, the same predictions.
        let (small, whole) = (evaluated(Some(cap(1))), evaluated(None));
        assert_eq!(small.predictions, whole.predictions, "{}", device.title());
        assert!(small.loss.iter().zip(&whole.loss).all(|(a, b)| (a - b).abs() < 1e-5 * b));
    }
}

#[test]
fn a_divergence_is_found_in_its_chunk() {
    let config = TrainConfig {
        label_lr: 1e30,
        label_optimizer: OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 },
        ..support::small_config()
    };
    let error = |cap| trainer(&support::cpu(), &config, cap).train_epoch().unwrap_err().to_string();
    assert_eq!(error(Some(cap(1))), error(None));
    assert!(error(None).contains("epoch 1, step"));
}

#[test]
fn a_cap_below_two_batches_is_refused() {
    let (data, model) = (support::pictures(27), support::small_model(Method::TwoStage.default_mapping()));
    let (config, seeds) = (support::small_config(), [Seeds::from_seed(1)]);
    let found =
        Trainer::within(&support::cpu(), &model, &config, &data, &seeds, &Variants::new(), Some(PICTURE));
    let error = found.err().unwrap();
    assert!(matches!(error, TrainError::Setting { key: "memory_cap", .. }), "{error}");
    assert!(error.to_string().contains("two batches of 8 pictures"), "{error}");
}

//! The gate in training: what each stage moves, stage 2 alone first, the same bits again, and where the gate is open.

use rationale::data::Dataset;
use rationale::model::{AlignmentLoss, Conv, Layer, Mapping, ModelConfig, OptimizerConfig};
use rationale::plan::Variants;
use rationale::random::Seeds;
use rationale::train::{
    Alternation, Checkpoint, MappingInStage1, Method, Schedule, TrainConfig, Trainer, digest,
};

use crate::support;

fn model() -> ModelConfig {
    let conv =
        |out, kernel, stride| Layer::Conv(Conv { out, kernel, stride, padding: kernel / 2, dilation: 1 });
    ModelConfig {
        features: vec![conv(4, 5, 4), Layer::Relu],
        mapping: Mapping::Gate,
        classifier: vec![conv(4, 3, 2), Layer::Relu, Layer::AveragePool, Layer::Output],
    }
}

fn config() -> TrainConfig {
    TrainConfig {
        alignment_epochs_first: 2,
        label_schedule: Schedule::Cosine,
        alignment_schedule: Schedule::Step { every: 1, factor: 0.5 },
        epochs: 4,
        ..support::small_config()
    }
}

fn train(
    data: &Dataset,
    config: &TrainConfig,
    seeds: &[Seeds],
    epochs: usize,
    from: Option<&Checkpoint>,
) -> Vec<(String, Checkpoint, Checkpoint)> {
    let mut results = Vec::new();
    for device in support::devices() {
        let mut trainer = Trainer::new(&device, &model(), config, data, seeds, &Variants::new()).unwrap();
        let before = trainer.checkpoint().clone();
        if let Some(checkpoint) = from {
            trainer.restore(checkpoint).unwrap();
        }
        while trainer.epoch() < epochs {
            trainer.train_epoch().unwrap();
        }
        results.push((device.title(), before, trainer.checkpoint().clone()));
    }
    results
}

fn changed(before: &Checkpoint, after: &Checkpoint) -> Vec<String> {
    let bits = |c: &Checkpoint, name: &str| c.tensors[name].1.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let names = before.tensors.keys().filter(|name| !name.starts_with("stage"));
    names.filter(|name| bits(before, name) != bits(after, name)).cloned().collect()
}

#[test]
fn each_stage_moves_its_own_and_keeps_every_bit_of_the_rest() {
    let data = support::pictures(16);
    let seeds = [Seeds::from_seed(3)];
    let still = OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let second = TrainConfig { label_lr: 0.0, label_optimizer: still, ..config() };
    let first = TrainConfig { alignment_lr: 0.0, ..config() };
    for (device, before, after) in train(&data, &second, &seeds, 2, None) {
        let moved = changed(&before, &after);
        assert_eq!(
            moved,
            ["mapping.0.bias", "mapping.0.weight", "mapping.2.bias", "mapping.2.weight"],
            "{device}"
        );
    }
    for mode in [MappingInStage1::Auto, MappingInStage1::Constant, MappingInStage1::Leave] {
        let first = TrainConfig { mapping_in_stage1: mode, ..first.clone() };
        for (device, before, after) in train(&data, &first, &seeds, 2, None) {
            let moved = changed(&before, &after);
            assert!(moved.iter().all(|name| !name.starts_with("mapping")), "{device}: {moved:?}");
            assert_eq!(moved.len(), 6, "{device}: {moved:?}");
        }
    }
    let update = TrainConfig { mapping_in_stage1: MappingInStage1::Update, ..first };
    for (device, before, after) in train(&data, &update, &seeds, 2, None) {
        assert_eq!(changed(&before, &after).len(), 10, "{device}");
    }
}

#[test]
fn stage_2_alone_comes_first_and_a_resumed_run_meets_the_same_bits() {
    let data = support::pictures(20);
    let seeds = [1, 2].map(Seeds::from_seed);
    for alternation in [Alternation::Batch, Alternation::Epoch] {
        let config = TrainConfig { alternation, ..config() };
        let whole = train(&data, &config, &seeds, 4, None);
        let half = train(&data, &config, &seeds, 2, None);
        for ((device, start, whole), (_, _, half)) in whole.iter().zip(&half) {
            // 3 batches, 2 inner steps; 2 epochs alone and 4 of both.
            assert_eq!(whole.tensors["stage2.tick"].1[0], 3.0 * 2.0 * 6.0, "{device}");
            assert_eq!(whole.tensors["stage1.tick"].1[0], 3.0 * 4.0, "{device}");
            for from in [start, half] {
                let resumed = train(&data, &config, &seeds, 4, Some(from));
                let own = resumed.iter().find(|(name, ..)| name == device).unwrap();
                assert_eq!(digest(&own.2.tensors), digest(&whole.tensors), "{device}");
            }
        }
        let single = train(&data, &config, &seeds[1..], 4, None);
        for ((device, _, whole), (_, _, single)) in whole.iter().zip(&single) {
            for (name, (_, values)) in &single.tensors {
                let own = &whole.tensors[name].1[values.len()..];
                assert!(own.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits()), "{device}: {name}");
            }
        }
        let without = TrainConfig { alignment_epochs_first: 0, ..config.clone() };
        let flat = TrainConfig { alignment_schedule: Schedule::Constant, ..config };
        for other in [without, flat] {
            let other = train(&data, &other, &seeds, 4, None);
            assert_ne!(digest(&other[0].2.tensors), digest(&whole[0].2.tensors));
        }
    }
}

#[test]
fn a_penalty_in_stage_1_leaves_stage_2_alone_and_without_weight_changes_no_bit() {
    let data = support::pictures(16);
    let seeds = [Seeds::from_seed(5)];
    let plain = config();
    let with = |lambda| TrainConfig { method: Method::TwoStageGradReg, lambda, ..config() };
    let (plain, nothing, some) = (
        train(&data, &plain, &seeds, 2, None),
        train(&data, &with(0.0), &seeds, 2, None),
        train(&data, &with(0.5), &seeds, 2, None),
    );
    for ((device, before, plain), ((_, _, nothing), (_, _, some))) in
        plain.iter().zip(nothing.iter().zip(&some))
    {
        assert_eq!(digest(&nothing.tensors), digest(&plain.tensors), "{device}");
        assert_eq!(changed(before, some), changed(before, plain), "{device}");
        let differ = changed(plain, some);
        assert!(differ.iter().any(|name| name.starts_with("features")), "{device}: {differ:?}");
    }
}

#[test]
fn every_alignment_loss_trains_the_gate() {
    let data = support::pictures(16);
    for loss in [
        AlignmentLoss::Kl,
        AlignmentLoss::ReverseKl,
        AlignmentLoss::JensenShannon,
        AlignmentLoss::SquaredDistance,
    ] {
        let still = OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
        let config = TrainConfig {
            alignment_loss: loss,
            label_lr: 0.0,
            label_optimizer: still,
            ..support::small_config()
        };
        let seeds = [Seeds::from_seed(1)];
        let device = support::cpu();
        let mut trainer = Trainer::new(&device, &model(), &config, &data, &seeds, &Variants::new()).unwrap();
        let mut losses = Vec::new();
        for _ in 0..10 {
            losses.extend(trainer.train_epoch().unwrap().alignment_loss.unwrap());
        }
        assert!(losses[0] > 0.0 && losses[9] < 0.9 * losses[0], "{loss:?}: {losses:?}");
    }
}

#[test]
fn the_gate_mass_of_an_open_gate_is_that_of_a_constant_one() {
    let data = support::pictures(12);
    let device = support::cpu();
    let seeds = [Seeds::from_seed(1)];
    let config = support::small_config();
    let mut trainer = Trainer::new(&device, &model(), &config, &data, &seeds, &Variants::new()).unwrap();
    let mass = trainer.gate_mass(&device, &data, 0).unwrap();
    assert_eq!((mass.own.len(), mass.closed), (12, 0));
    assert_eq!(mass.own, mass.constant, "open everywhere at the start");
    let [own, other, constant] = mass.means();
    assert!((0.02..0.5).contains(&own) && own == constant, "{own}");
    assert!((other - own).abs() < 1e-12, "every mask is used once");

    let model = support::small_model(Mapping::Diagonal);
    let mut trainer = Trainer::new(&device, &model, &config, &data, &seeds, &Variants::new()).unwrap();
    let error = trainer.gate_mass(&device, &data, 0).unwrap_err().to_string();
    assert!(error.contains("no gate"), "{error}");
}

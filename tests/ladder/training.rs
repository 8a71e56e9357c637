//! Rung 8 and its like: the same bits again, replicas equal single runs, divergence found, errors in words.

use rationale::exec::Device;
use rationale::model::{
    Dimensions, MapShape, Mapping, ModelConfig, Network, OptimizerConfig, Route, Stage1, stage1,
};
use rationale::plan::{Plan, Variants};
use rationale::random::Seeds;
use rationale::train::{Alternation, Checkpoint, Method, TrainConfig, TrainError, Trainer, digest};

use crate::support;

fn run(
    device: &Device,
    config: &TrainConfig,
    seeds: &[Seeds],
    epochs: usize,
    from: Option<&Checkpoint>,
) -> Checkpoint {
    let data = support::pictures(20);
    let model = support::small_model(Mapping::Diagonal);
    let mut trainer = Trainer::new(device, &model, config, &data, seeds, &Variants::new()).unwrap();
    if let Some(checkpoint) = from {
        trainer.restore(checkpoint).unwrap();
    }
    while trainer.epoch() < epochs {
        trainer.train_epoch().unwrap();
    }
    trainer.checkpoint().clone()
}

fn alternations() -> [TrainConfig; 2] {
    [Alternation::Batch, Alternation::Epoch]
        .map(|alternation| TrainConfig { alternation, ..support::small_config() })
}

#[test]
fn two_runs_and_a_resumed_one_give_the_same_bits() {
    for device in support::devices() {
        for config in alternations() {
            let seeds = [Seeds::from_seed(1)];
            let whole = run(&device, &config, &seeds, 4, None);
            let again = run(&device, &config, &seeds, 4, None);
            assert_eq!(digest(&whole.tensors), digest(&again.tensors), "{}", device.title());
            let half = run(&device, &config, &seeds, 2, None);
            assert_ne!(digest(&whole.tensors), digest(&half.tensors));
            let resumed = run(&device, &config, &seeds, 4, Some(&half));
            assert_eq!(digest(&whole.tensors), digest(&resumed.tensors), "{}", device.title());
        }
    }
}

#[test]
fn a_replica_has_the_bits_of_a_single_run_with_its_seed() {
    for device in support::devices() {
        let config = support::small_config();
        let seeds = [11, 12, 13].map(Seeds::from_seed);
        let together = run(&device, &config, &seeds, 2, None);
        for (r, seed) in seeds.iter().enumerate() {
            let alone = run(&device, &config, &[*seed], 2, None);
            for (name, (dims, values)) in &alone.tensors {
                let own = &together.tensors[name].1[r * values.len()..][..values.len()];
                let same = own.iter().zip(values).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{}: replica {r}, {name} {dims:?}", device.title());
            }
        }
    }
}

/// Convolutions, linear layers and element-wise work long enough to be shared among threads.
#[cfg(feature = "threads")]
#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let data = support::pictures(60);
    let config = TrainConfig { batch: 50, ..support::small_config() };
    let seeds = [1, 2].map(Seeds::from_seed);
    let digest_with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let cpu = support::cpu();
            let model = ModelConfig::default();
            let mut trainer = Trainer::new(&cpu, &model, &config, &data, &seeds, &Variants::new()).unwrap();
            trainer.train_epoch().unwrap();
            digest(&trainer.checkpoint().tensors)
        })
    };
    assert_eq!(digest_with(1), digest_with(3));
}

#[test]
fn devices_agree_after_a_few_steps() {
    let Some(gpu) = support::gpu() else { return };
    let config = TrainConfig {
        label_optimizer: OptimizerConfig::Sgd { momentum: 0.9, nesterov: true, weight_decay: 1e-3 },
        ..support::small_config()
    };
    let seeds = [Seeds::from_seed(4)];
    let (a, b) = (run(&support::cpu(), &config, &seeds, 2, None), run(&gpu, &config, &seeds, 2, None));
    for (name, (_, values)) in a.tensors.iter().filter(|(name, _)| !name.starts_with("stage")) {
        let other = &b.tensors[name].1;
        let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        let difference = values.iter().zip(other).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt();
        // Rounding alone parts them; six steps with Adam in stage 2 leave it small.
        assert!(difference <= 1e-3 * norm.max(1.0), "{name}: {difference} of {norm}");
    }
}

/// The methods that share nothing but the loop, each with the mapping that suits it.
fn methods() -> Vec<(ModelConfig, TrainConfig)> {
    let config = |method| TrainConfig { method, label_lr: 3e-3, ..support::small_config() };
    Method::ALL.map(|m| (support::small_model(m.default_mapping()), config(m))).to_vec()
}

#[test]
fn every_method_repeats_resumes_and_has_replicas_that_equal_single_runs() {
    let data = {
        let mut data = support::pictures(20);
        // One batch of each order may hold explained pictures only in part.
        (0..20).filter(|i| i % 3 == 0).for_each(|i| data.explained[i] = false);
        data
    };
    let seeds = [11, 12].map(Seeds::from_seed);
    for device in support::devices() {
        for (model, config) in methods() {
            let run = |seeds: &[Seeds], epochs: usize, from: Option<&Checkpoint>| {
                let mut trainer =
                    Trainer::new(&device, &model, &config, &data, seeds, &Variants::new()).unwrap();
                if let Some(checkpoint) = from {
                    trainer.restore(checkpoint).unwrap();
                }
                while trainer.epoch() < epochs {
                    let report = trainer.train_epoch().unwrap();
                    assert_eq!(report.alignment_loss.is_some(), config.method.explains());
                    assert_eq!(report.multiplier.is_some(), config.method == Method::Constrained);
                }
                trainer.checkpoint().clone()
            };
            let what = format!("{}, {}", device.title(), config.method);
            let whole = run(&seeds, 2, None);
            let resumed = run(&seeds, 2, Some(&run(&seeds, 1, None)));
            assert_eq!(digest(&whole.tensors), digest(&resumed.tensors), "{what}");
            for (r, seed) in seeds.iter().enumerate() {
                for (name, (_, values)) in run(&[*seed], 2, None).tensors {
                    let own = &whole.tensors[&name].1[r * values.len()..][..values.len()];
                    let same = own.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{what}: replica {r}, {name}");
                }
            }
        }
    }
}

#[test]
fn what_learns_from_explanations_has_a_rate_of_its_own() {
    let data = support::pictures(20);
    for (method, moved) in [(Method::NoMapping, "features.0.weight"), (Method::Constrained, "mapping.weight")]
    {
        for alternation in [Alternation::Batch, Alternation::Epoch] {
            if method == Method::Constrained && alternation == Alternation::Epoch {
                continue;
            }
            // Stage 1 stands still; a bound of 0 makes the multiplier grow with the first batch.
            let config = TrainConfig {
                method,
                alternation,
                label_lr: 0.0,
                constraint: 0.0,
                multiplier_lr: 10.0,
                ..support::small_config()
            };
            let model = support::small_model(method.default_mapping());
            let seeds = [Seeds::from_seed(1)];
            let mut trainer =
                Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new()).unwrap();
            let before = trainer.checkpoint().tensors.clone();
            trainer.train_epoch().unwrap();
            let after = &trainer.checkpoint().tensors;
            assert_ne!(before[moved], after[moved], "{method}, {alternation:?}");
            assert_eq!(before["classifier.0.weight"], after["classifier.0.weight"], "{method}");
        }
    }
}

#[test]
fn a_second_term_of_weight_0_changes_nothing() {
    // With a weight of 0 on the second term the weights are those of label-only, bit for bit.
    let data = support::pictures(20);
    let weights = |method, mapping, lambda| {
        let config = TrainConfig { method, lambda, ..support::small_config() };
        let model = support::small_model(mapping);
        let seeds = [Seeds::from_seed(1)];
        let mut trainer =
            Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new()).unwrap();
        trainer.train_epoch().unwrap();
        let tensors = trainer.checkpoint().tensors.clone();
        digest(tensors.iter().filter(|(name, _)| !name.starts_with("stage")))
    };
    let alone = weights(Method::LabelOnly, Mapping::None, 1.0);
    assert_eq!(weights(Method::GradReg, Mapping::None, 0.0), alone);
    assert_eq!(weights(Method::Joint, Mapping::None, 0.0), alone);
    assert_ne!(weights(Method::GradReg, Mapping::None, 1.0), alone);
    assert_ne!(weights(Method::Joint, Mapping::None, 1.0), alone);
    assert_ne!(weights(Method::MaskedCopies, Mapping::None, 1.0), alone);
}

#[test]
fn every_method_but_label_only_wants_explanations() {
    let mut data = support::pictures(20);
    data.explained = vec![false; 20];
    for (model, config) in methods() {
        let seeds = [Seeds::from_seed(1)];
        let trainer = Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new());
        match (config.method, trainer.err()) {
            (Method::LabelOnly, None) => {}
            (method, Some(TrainError::NoExplanations { pictures: 20, method: named })) => {
                assert_eq!(method, named);
            }
            (method, error) => panic!("{method}: {error:?}"),
        }
    }
}

#[test]
fn a_batch_without_explanations_moves_neither_the_multiplier_nor_a_copy() {
    // One explained picture in three batches.
    let mut data = support::pictures(20);
    data.explained = vec![false; 20];
    data.explained[3] = true;
    let config = TrainConfig {
        method: Method::Constrained,
        constraint: 0.0,
        multiplier_lr: 0.5,
        ..support::small_config()
    };
    let model = support::small_model(Mapping::Diagonal);
    for device in support::devices() {
        let seeds = [Seeds::from_seed(1)];
        let mut trainer = Trainer::new(&device, &model, &config, &data, &seeds, &Variants::new()).unwrap();
        let report = trainer.train_epoch().unwrap();
        let (mu, loss) = (report.multiplier.unwrap()[0], report.alignment_loss.unwrap()[0]);
        // One step of the ascent, from 0, by the one loss there was.
        assert!((mu - 0.5 * loss).abs() <= 1e-6 * mu && mu > 0.0, "{}: {mu}, {loss}", device.title());
    }
}

#[test]
fn a_divergence_names_the_step_and_the_first_bad_tensor_and_keeps_the_last_good_state() {
    for device in support::devices() {
        let config = TrainConfig {
            label_lr: 1e30,
            label_optimizer: OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 },
            ..support::small_config()
        };
        let data = support::pictures(20);
        let model = support::small_model(Mapping::Diagonal);
        let seeds = [Seeds::from_seed(1)];
        let mut trainer = Trainer::new(&device, &model, &config, &data, &seeds, &Variants::new()).unwrap();
        let before = trainer.checkpoint().clone();
        let error = trainer.train_epoch().unwrap_err();
        let TrainError::Diverged { epoch, step, ref tensor, last_good, .. } = error else {
            panic!("{error}")
        };
        assert_eq!((epoch, last_good), (1, 0), "{error}");
        assert!(step <= 3 && !tensor.contains("not met again"), "{error}");
        assert_eq!(digest(&before.tensors), digest(&trainer.checkpoint().tensors));
    }
}

#[test]
fn senseless_settings_are_named() {
    let data = support::pictures(20);
    let refuse = |change: &dyn Fn(&mut TrainConfig), expected: &str| {
        let mut config = support::small_config();
        change(&mut config);
        let model = support::small_model(Mapping::Diagonal);
        let seeds = [Seeds::from_seed(1)];
        let error = Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new())
            .err()
            .unwrap_or_else(|| panic!("{expected} was accepted"));
        assert!(error.to_string().contains(expected), "{error}");
    };
    refuse(&|c| c.label_lr = f64::NAN, "label_lr is NaN");
    refuse(&|c| c.alignment_lr = -1.0, "alignment_lr is -1");
    refuse(&|c| c.batch = 21, "--batch 20");
    refuse(&|c| c.batch = 0, "batch is 0");
    refuse(&|c| c.temperature = 0.0, "temperature is 0");
    refuse(&|c| c.class_weights = vec![1.0], "2 classes");
    refuse(&|c| (c.class_weights, c.balance_classes) = (vec![1.0; 2], true), "class_weights = []");
    refuse(&|c| c.lambda = -1.0, "lambda is -1");
    refuse(&|c| c.constraint = f64::NAN, "constraint is NaN");
    refuse(&|c| c.multiplier_lr = f64::INFINITY, "multiplier_lr is inf");
    refuse(&|c| c.method = Method::NoMapping, "--mapping none");
    let joint_by_epoch = |c: &mut TrainConfig| {
        (c.method, c.alternation) = (Method::Joint, Alternation::Epoch);
    };
    refuse(&joint_by_epoch, "both losses act in one step");
}

#[test]
fn a_checkpoint_of_another_model_is_refused() {
    let config = support::small_config();
    let seeds = [Seeds::from_seed(1)];
    let foreign = run(&support::cpu(), &config, &seeds, 1, None);
    let data = support::pictures(20);
    let mut model = support::small_model(Mapping::Diagonal);
    model.features.truncate(2);
    let mut trainer =
        Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new()).unwrap();
    let error = trainer.restore(&foreign).unwrap_err().to_string();
    assert!(error.contains("another model"), "{error}");
}

/// The reference network runs several variants of one kernel in one plan: a record by kernel alone would not do.
#[test]
fn the_variants_that_a_run_records_are_planned_again() {
    let input = MapShape { height: 32, width: 32, channels: 1 };
    let network = Network::new(&ModelConfig::default(), input, 2, 1).unwrap();
    let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(0.0) };
    let data = Dimensions { count: 100, batch: 50, steps: 2, packed: false, augmented: false };
    let plan = |variants: &Variants| stage1(&network, &data, &stage, variants).unwrap();
    let shaders = |plan: &Plan| -> Vec<_> {
        plan.commands().iter().map(|command| (command.shader.kernel, command.shader.variant)).collect()
    };
    let first = plan(&Variants::new());
    let again = plan(&first.variants_used());
    assert_eq!(shaders(&again), shaders(&first));
    assert_eq!(again.variants_used(), first.variants_used());
    let mut joined = Plan::new("joined");
    joined.append(&first).unwrap();
    assert_eq!(joined.variants_used(), first.variants_used());
    let conv: std::collections::BTreeSet<_> =
        shaders(&first).into_iter().filter(|(kernel, _)| *kernel == "conv2d_forward").collect();
    assert!(conv.len() > 1, "no longer a mixture: {conv:?}");
}

/// The state after an epoch with these pictures.
fn after_an_epoch(
    device: &Device,
    config: &TrainConfig,
    data: &rationale::data::Dataset,
) -> (Checkpoint, f64) {
    let model = support::small_model(Mapping::Diagonal);
    let seeds = [Seeds::from_seed(1)];
    let mut trainer = Trainer::new(device, &model, config, data, &seeds, &Variants::new()).unwrap();
    let report = trainer.train_epoch().unwrap();
    (trainer.checkpoint().clone(), report.train_accuracy[0])
}

#[test]
fn a_picture_without_a_label_teaches_m_and_nothing_else() {
    use rationale::data::UNLABELLED;
    let mut data = support::pictures(16);
    let without: Vec<usize> = (0..16).filter(|i| i % 3 == 0).collect();
    without.iter().for_each(|&i| data.labels[i] = UNLABELLED);
    data.explained = (0..16).map(|i| i % 3 == 0).collect();
    data.validate().unwrap();
    for device in support::devices() {
        // All in one batch, so that the order of the pictures is the same sum's.
        let config = TrainConfig { batch: 16, label_lr: 0.0, ..support::small_config() };
        let (begun, _) = after_an_epoch(&device, &TrainConfig { alignment_lr: 0.0, ..config.clone() }, &data);
        let (moved, accuracy) = after_an_epoch(&device, &config, &data);
        for (name, (_, values)) in &moved.tensors {
            let same = *values == begun.tensors[name].1;
            let mapping = name.starts_with("mapping.") && !name.contains("stage");
            assert!(!(mapping && same), "{}: {name} learned nothing", device.title());
            if name.starts_with("features.") || name.starts_with("classifier.") {
                assert!(same, "{}: {name}", device.title());
            }
        }
        // Ten of sixteen are judged.
        assert!((accuracy * 10.0).fract() < 1e-9 || (accuracy * 10.0).fract() > 1.0 - 1e-9, "{accuracy}");

        // Stage 1 by itself sees what it would see with these pictures blackened out: nothing of them.
        let labels = TrainConfig { alignment_lr: 0.0, batch: 16, ..support::small_config() };
        let mut other = data.clone();
        let size = data.picture_len();
        if let rationale::data::Pixels::Float(values) = &mut other.pixels {
            without.iter().for_each(|&i| values[i * size..(i + 1) * size].fill(0.25));
        } else {
            panic!("the triangles are floats");
        }
        let [a, b] = [&data, &other].map(|data| after_an_epoch(&device, &labels, data).0);
        for (name, (_, values)) in a.tensors.iter().filter(|(name, _)| !name.contains("stage2")) {
            assert_eq!(*values, b.tensors[name].1, "{}: {name}", device.title());
        }
    }
    let model = support::small_model(Mapping::Diagonal);
    let seeds = [Seeds::from_seed(1)];
    let refused = |method, data: &rationale::data::Dataset| {
        let config = TrainConfig { method, ..support::small_config() };
        let begun = Trainer::new(&support::cpu(), &model, &config, data, &seeds, &Variants::new());
        begun.err().map(|error| error.to_string()).unwrap_or_default()
    };
    for method in
        [Method::LabelOnly, Method::Joint, Method::MaskedCopies, Method::Constrained, Method::GradReg]
    {
        assert!(refused(method, &data).contains("6 training pictures have no label"), "{method}");
    }
    let config = support::small_config();
    let mut trainer =
        Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new()).unwrap();
    assert!(trainer.add_dataset("test", &data).unwrap_err().to_string().contains("6 pictures of `test`"));
    data.labels.fill(UNLABELLED);
    data.explained.fill(true);
    assert!(refused(Method::TwoStage, &data).contains("none of the 16 training pictures has a label"));
}

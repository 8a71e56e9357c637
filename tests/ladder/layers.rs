//! Normalisations, residual blocks and dropout in whole networks: against PyTorch, in every stage, over a resume.

use rationale::exec::{CpuSession, Device, Session};
use rationale::model::{
    Conv, Dimensions, GroupNorm, Layer, MapShape, Mapping, ModelConfig, Network, OptimizerConfig, Pool,
    Preset, Residual, Route, Stage1, Stage2, bounds, evaluation, grad_reg, initial_weights, logits,
    no_mapping, stage1, stage2,
};
use rationale::plan::{Limits, Part, Plan, Target, Variants};
use rationale::random::Seeds;
use rationale::train::{Checkpoint, Method, TrainConfig, Trainer, digest};

use crate::goldens::Golden;
use crate::gradients::{difference, still};
use crate::support;

fn conv(out: usize, kernel: usize, stride: usize) -> Layer {
    Layer::Conv(Conv { out, kernel, stride, padding: kernel / 2, dilation: 1 })
}

fn norm(groups: usize) -> Layer {
    Layer::GroupNorm(GroupNorm { groups })
}

fn block(layers: Vec<Layer>) -> Layer {
    Layer::Residual(Residual { layers })
}

/// The networks of `tests/golden/make_layers.py`.
fn golden_network(name: &str) -> Network {
    let first = |normed| vec![conv(6, 3, 1), normed, Layer::Relu];
    let features = match name {
        "group" => first(norm(3)),
        "batch" => first(Layer::BatchNorm),
        _ => {
            let mut features = first(norm(3));
            let shrinking = vec![conv(8, 3, 2), norm(4), Layer::Relu, conv(8, 3, 1), norm(2)];
            features.extend([
                block(shrinking),
                Layer::Relu,
                block(vec![conv(8, 3, 1), norm(8)]),
                Layer::Relu,
            ]);
            features
        }
    };
    let classifier = vec![Layer::AveragePool, Layer::Output];
    let model = ModelConfig { features, mapping: Mapping::None, classifier };
    Network::new(&model, MapShape { height: 9, width: 7, channels: 2 }, 3, 1).unwrap()
}

fn follow_pytorch(session: &mut dyn Session, name: &str, bound: f64) {
    let golden = Golden::named("layers");
    let network = golden_network(name);
    // One row more than there are pictures: padding must not count.
    let data = Dimensions { count: 5, batch: 6, steps: 1, packed: true, augmented: false };
    let stage = Stage1 { route: Route::stage1(false), optimizer: still() };
    let none = Variants::new();
    let train = session.load(&stage1(&network, &data, &stage, &none).unwrap()).unwrap();
    let evaluate = session.load(&logits(&network, "train", &data, &none).unwrap()).unwrap();
    session.write_index("train.pixels", &golden.packed("data/pixels")).unwrap();
    session.write_index("train.labels", &golden.words("data/labels")).unwrap();
    session.write_index("train.order", &[0, 1, 2, 3, 4, u32::MAX]).unwrap();
    session.write("train.class_weights", &[1.0; 3]).unwrap();
    for (key, values) in initial_weights(&network, &[0]) {
        let own = golden.floats(&format!("{name}/init/{key}"));
        assert!(own.is_some() || key.contains("running"), "{name} has no {key}");
        let values = own.map_or(values, |own| own.iter().map(|&value| value as f32).collect());
        session.write(&key, &values).unwrap();
    }
    let device = session.device();
    session.run(train, 1).unwrap();
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
    let check = |what: &str, found: Vec<f64>| {
        let d = difference(&found, &golden.floats(&format!("{name}/{what}")).unwrap());
        assert!(d.within(bound), "{device}, {name}, {what}: {d:?}");
    };
    check("loss", wide(session.read("stage1.losses").unwrap()));
    for parameter in network.parameters() {
        let (layer, field) = parameter.name.rsplit_once('.').unwrap();
        let what = format!("gradient/{}", parameter.name);
        let found = wide(session.read(&format!("{layer}.d_{field}")).unwrap());
        // What stands before a normalisation moves only what it takes away again: a bias there has no gradient.
        let largest =
            golden.floats(&format!("{name}/{what}")).unwrap().iter().fold(0.0, |a: f64, b| a.max(b.abs()));
        if largest < 1e-12 {
            assert!(found.iter().all(|g| g.abs() < bound), "{device}, {name}, {what}: {found:?}");
        } else {
            check(&what, found);
        }
    }
    for parameter in network.running() {
        check(&format!("after/{}", parameter.name), wide(session.read(&parameter.name).unwrap()));
    }
    session.run(evaluate, 1).unwrap();
    let mut found = wide(session.read_output(evaluate, "logits").unwrap());
    found.truncate(15);
    check("evaluated", found);
}

#[test]
fn normalisations_and_residual_blocks_follow_pytorch() {
    for name in ["group", "batch", "residual"] {
        // Left over: sessions are read in f32.
        follow_pytorch(&mut CpuSession::<f64>::new(), name, 1e-6);
        for device in support::devices() {
            follow_pytorch(device.session().as_mut(), name, 1e-4);
        }
    }
}

/// Every new layer, in f and in c.
fn model() -> ModelConfig {
    ModelConfig {
        features: vec![
            conv(4, 5, 4),
            Layer::BatchNorm,
            Layer::Relu,
            block(vec![conv(8, 3, 2), norm(2), Layer::Dropout(0.25)]),
            Layer::Relu,
        ],
        mapping: Mapping::Diagonal,
        classifier: vec![Layer::Dropout(0.5), Layer::BatchNorm, Layer::Output],
    }
}

const DATA: Dimensions = Dimensions { count: 16, batch: 8, steps: 2, packed: false, augmented: false };

fn network() -> Network {
    Network::new(&model(), MapShape { height: 32, width: 32, channels: 1 }, 2, 1).unwrap()
}

fn alignment() -> Stage2 {
    Stage2 {
        route: Route::stage2(),
        optimizer: OptimizerConfig::adam(0.0),
        inner_steps: 2,
        axis: Default::default(),
        loss: Default::default(),
        temperature: 1.0,
        hard_masks: true,
    }
}

/// Whether a plan has a command of one of these kernels.
fn runs(plan: &Plan, kernels: &[&str]) -> bool {
    plan.commands().iter().any(|command| kernels.contains(&command.shader.kernel))
}

/// Names of the running statistics that a plan writes.
fn moved(plan: &Plan) -> Vec<String> {
    let names = plan.written().into_iter().map(|id| plan.tensor(id).name.clone());
    names.filter(|name| name.contains("running")).collect()
}

#[test]
fn a_relu_below_a_max_pooling_masks_what_was_pooled() {
    let pool = |kernel, stride| Layer::MaxPool(Pool { kernel, stride: Some(stride), padding: 0 });
    let features = vec![
        conv(4, 3, 1),
        Layer::Relu,
        pool(2, 2),
        conv(8, 3, 1),
        Layer::Relu,
        pool(3, 2),
        conv(8, 3, 1),
        Layer::Relu,
    ];
    let model = ModelConfig { features, mapping: Mapping::None, classifier: vec![Layer::Output] };
    let network = Network::new(&model, MapShape { height: 32, width: 32, channels: 1 }, 2, 1).unwrap();
    let stage = Stage1 { route: Route::stage1(false), optimizer: OptimizerConfig::adam(0.0) };
    let plan = stage1(&network, &DATA, &stage, &Variants::new()).unwrap();
    let masked: Vec<[usize; 2]> = plan
        .commands()
        .iter()
        .filter(|command| command.shader.kernel == "relu_backward")
        .map(|command| {
            let dims = plan.dims(command.args[0].tensor);
            [dims[2], dims[4]]
        })
        .collect();
    // From the last layer back: no pooling behind it, pooled from 16 to 7, pooled from 32 to 16.
    assert_eq!(masked, [[7, 8], [7, 8], [16, 4]]);
}

#[test]
fn only_what_stage_1_trains_acts_as_in_training() {
    let (network, none) = (network(), Variants::new());
    let label = |route| {
        let stage = Stage1 { route, optimizer: OptimizerConfig::adam(0.0) };
        stage1(&network, &DATA, &stage, &none).unwrap()
    };
    let training = ["dropout_forward", "batch_norm_sum", "batch_norm_finish"];
    let whole = label(Route::stage1(true));
    assert!(training.iter().all(|kernel| runs(&whole, &[kernel])));
    assert_eq!(moved(&whole).len(), 4);
    // A frozen f keeps its running statistics too.
    let head = label(Route::to([Part::Classifier]));
    assert!(moved(&head).iter().all(|name| name.starts_with("classifier")) && moved(&head).len() == 2);

    let mut still = vec![
        stage2(&network, &DATA, &alignment(), &none).unwrap(),
        evaluation(&network, "test", &DATA, &none).unwrap().plan,
        logits(&network, "test", &DATA, &none).unwrap(),
    ];
    let ablation = Stage2 { route: Route::to([Part::Features]), ..alignment() };
    let bare = ModelConfig { mapping: Mapping::None, ..model() };
    let bare = Network::new(&bare, network.input(), 2, 1).unwrap();
    still.push(no_mapping(&bare, &DATA, &ablation, &none).unwrap());
    for plan in still {
        assert!(!runs(&plan, &training) && moved(&plan).is_empty(), "{}", plan.name());
        assert!(runs(&plan, &["batch_norm_running"]), "{}", plan.name());
    }
}

fn train(
    device: &Device,
    config: &TrainConfig,
    seeds: &[Seeds],
    epochs: usize,
    from: Option<&Checkpoint>,
) -> Checkpoint {
    // 20 pictures in batches of 8: the last batch is half padding.
    let data = support::pictures(20);
    let mapping = config.method.default_mapping();
    let model = ModelConfig { mapping, ..model() };
    let mut trainer = Trainer::new(device, &model, config, &data, seeds, &Variants::new()).unwrap();
    if let Some(checkpoint) = from {
        trainer.restore(checkpoint).unwrap();
    }
    while trainer.epoch() < epochs {
        trainer.train_epoch().unwrap();
    }
    trainer.checkpoint().clone()
}

#[test]
fn runs_with_dropout_and_running_statistics_repeat_and_resume_and_replicas_equal_single_runs() {
    for device in support::devices() {
        for method in
            [Method::TwoStage, Method::Joint, Method::NoMapping, Method::MaskedCopies, Method::Constrained]
        {
            let config = TrainConfig { method, ..support::small_config() };
            let seeds = [Seeds::from_seed(1)];
            let whole = train(&device, &config, &seeds, 3, None);
            let half = train(&device, &config, &seeds, 1, None);
            let resumed = train(&device, &config, &seeds, 3, Some(&half));
            let title = device.title();
            assert_eq!(digest(&whole.tensors), digest(&resumed.tensors), "{title}, {method}");
            let (_, mean) = &whole.tensors["features.1.running_mean"];
            assert!(mean.iter().any(|&mean| mean != 0.0), "{title}, {method}: {mean:?}");

            let three = [7, 1, 9].map(Seeds::from_seed);
            let together = train(&device, &config, &three, 3, None);
            for (name, (_, alone)) in &whole.tensors {
                let len = alone.len();
                // Losses and the like are no part of a checkpoint; every tensor has its replicas first.
                assert_eq!(&together.tensors[name].1[len..2 * len], alone, "{title}, {method}, {name}");
            }
        }
    }
}

#[test]
fn what_a_layer_cannot_do_is_refused_with_its_name() {
    let (network, none) = (network(), Variants::new());
    let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(0.0) };
    let error = grad_reg(&network, &DATA, &stage, 1.0, true, 1, &none).unwrap_err().to_string();
    assert!(error.contains("`features.1`") && error.contains("grad-reg"), "{error}");
    let error = bounds(&network, "test", &DATA, &none).unwrap_err().to_string();
    assert!(error.contains("`features.1`") && error.contains("--observed-only"), "{error}");
    let inside = Route::stage1(true).stopping_at("features.3.layers.0");
    let stage = Stage1 { route: inside, optimizer: OptimizerConfig::adam(0.0) };
    let error = stage1(&network, &DATA, &stage, &none).unwrap_err().to_string();
    assert!(error.contains("`features.3`"), "{error}");
    let stage = Stage1 { route: Route::stage1(true).stopping_at("features.3"), ..stage };
    let plan = stage1(&network, &DATA, &stage, &none).unwrap();
    let label = |text: &str| plan.commands().iter().any(|command| command.label.starts_with(text));
    assert!(label("features.3.layers.0 backward weight") && label("features.3.shortcut backward weight"));
    assert!(!label("features.3.shortcut backward input") && !label("features.0 backward"));

    let fails = |layers: Vec<Layer>| {
        let features = vec![conv(4, 3, 1), block(layers)];
        let model = ModelConfig { features, mapping: Mapping::None, classifier: vec![Layer::Output] };
        Network::new(&model, MapShape { height: 8, width: 8, channels: 1 }, 2, 1).unwrap_err().to_string()
    };
    assert!(fails(Vec::new()).contains("`features.1`"));
    assert!(fails(vec![Layer::Dropout(0.5)]).contains("no layers but dropout"));
    let unpadded = Layer::Conv(Conv { out: 4, kernel: 3, stride: 1, padding: 0, dilation: 1 });
    let error = fails(vec![unpadded]);
    assert!(error.contains("6×6") && error.contains("8×8") && error.contains("padding"), "{error}");
    assert!(fails(vec![norm(3)]).contains("4 channels"));
    assert!(fails(vec![Layer::Dropout(1.0)]).contains("below 1"));
    assert!(fails(vec![Layer::Output]).contains("last layer"));
}

#[test]
fn dropout_alone_leaves_bounds_and_the_gradient_penalty_as_they_are() {
    let features = vec![conv(4, 5, 4), Layer::Relu, Layer::Dropout(0.25)];
    let classifier = vec![Layer::Dropout(0.5), Layer::Output];
    let model = ModelConfig { features, mapping: Mapping::Diagonal, classifier };
    let network = Network::new(&model, network().input(), 2, 1).unwrap();
    let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(0.0) };
    assert!(grad_reg(&network, &DATA, &stage, 1.0, true, 1, &Variants::new()).is_ok());
    assert!(bounds(&network, "test", &DATA, &Variants::new()).is_ok());
}

#[test]
fn the_residual_network_on_large_colour_pictures_fits_the_smallest_limits_of_webgpu() {
    let model = ModelConfig::preset(Preset::Resnet, Mapping::Diagonal);
    let network = Network::new(&model, MapShape { height: 224, width: 224, channels: 3 }, 5, 1).unwrap();
    let data = Dimensions { count: 64, batch: 50, steps: 2, packed: true, augmented: false };
    let limits = Limits {
        storage_binding_bytes: 128 << 20,
        buffer_bytes: 256 << 20,
        storage_buffers: 8,
        invocations: 256,
        workgroups: 65_535,
        target: Target::PLAIN,
    };
    let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(0.0) };
    stage1(&network, &data, &stage, &Variants::new()).unwrap().check(&limits).unwrap();
    stage2(&network, &data, &alignment(), &Variants::new()).unwrap().check(&limits).unwrap();
}

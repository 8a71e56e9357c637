//! The gate: central differences against the surrogates that its backward passes are the derivatives of, written out in
//! plain f64; what its stages write; the same bits again.
//!
//! A closed gate (u = 1 + s ≤ 0) is 0 and passes slope 0.01 back. The function with that value and that slope is
//! g = 0.01 (u − u₀), u₀ the point at which the slope is taken; and with the gate held constant g = max(u₀, 0).

use std::collections::{BTreeMap, BTreeSet};

use rationale::data::Dataset;
use rationale::exec::{CpuSession, Session};
use rationale::model::{
    AlignmentLoss, Conv, Dimensions, GateGradient, Layer, MapShape, Mapping, ModelConfig, Network,
    OptimizerConfig, Route, Stage1, Stage2, initial_weights, stage1, stage2,
};
use rationale::plan::{Part, Plan, Role, Variants};
use rationale::random::{Random, Seeds};
use rationale::train::{Alternation, Checkpoint, MappingInStage1, Schedule, TrainConfig, Trainer, digest};

use crate::gradients::difference;
use crate::support;

const N: usize = 4;
const H: usize = 5;
const W: usize = 4;
const DATA: Dimensions = Dimensions { count: N, batch: N, steps: 1, packed: false };
const INPUT: MapShape = MapShape { height: H, width: W, channels: 2 };
const C: usize = 4;
const CLASSES: usize = 3;

type Weights = BTreeMap<String, Vec<f64>>;

/// f: conv 3×3 (2→4) and ReLU; the gate; c: one linear layer.
fn network() -> Network {
    let conv = Layer::Conv(Conv { out: C, kernel: 3, stride: 1, padding: 1, dilation: 1 });
    let model = ModelConfig {
        features: vec![conv, Layer::Relu],
        mapping: Mapping::Gate,
        classifier: vec![Layer::Output],
    };
    Network::new(&model, INPUT, CLASSES, 1).unwrap()
}

/// Convolution 3×3 with padding 1 over `[N, H, W, C_in]`, weight `[3, 3, C_in, C_out]`.
fn conv(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let c_out = bias.len();
    let c_in = weight.len() / (9 * c_out);
    let mut y = Vec::new();
    for n in 0..N {
        for (h, w, o) in (0..H * W * c_out).map(|i| (i / c_out / W, i / c_out % W, i % c_out)) {
            let mut sum = bias[o];
            for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
                let (Some(row), Some(column)) = ((h + i).checked_sub(1), (w + j).checked_sub(1)) else {
                    continue;
                };
                if row >= H || column >= W {
                    continue;
                }
                for c in 0..c_in {
                    let at = ((n * H + row) * W + column) * c_in + c;
                    sum += x[at] * weight[((i * 3 + j) * c_in + c) * c_out + o];
                }
            }
            y.push(sum);
        }
    }
    y
}

fn relu(x: Vec<f64>) -> Vec<f64> {
    x.into_iter().map(|x| x.max(0.0)).collect()
}

fn features(p: &Weights, x: &[f64]) -> Vec<f64> {
    relu(conv(x, &p["features.0.weight"], &p["features.0.bias"]))
}

/// u = 1 + s.
fn openness(p: &Weights, h: &[f64]) -> Vec<f64> {
    let hidden = relu(conv(h, &p["mapping.0.weight"], &p["mapping.0.bias"]));
    conv(&hidden, &p["mapping.2.weight"], &p["mapping.2.bias"]).into_iter().map(|s| 1.0 + s).collect()
}

/// m(h); `start` is u where the slope is taken.
fn mapping(p: &Weights, h: &[f64], gradient: GateGradient, start: &[f64]) -> Vec<f64> {
    let gate = |(&u, &start): (&f64, &f64)| match gradient {
        GateGradient::Exact => u.max(0.0),
        GateGradient::Leaky if start > 0.0 => u,
        GateGradient::Leaky => 0.01 * (u - start),
        GateGradient::Constant => start.max(0.0),
    };
    openness(p, h).iter().zip(start).map(gate).zip(h).map(|(g, h)| g * h).collect()
}

fn log_softmax(x: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
    let log_sum = x.clone().map(f64::exp).sum::<f64>().ln();
    x.map(|x| x - log_sum).collect()
}

/// Mean cross-entropy with labels n mod K.
fn label_loss(p: &Weights, x: &[f64], gradient: GateGradient, start: &[f64]) -> f64 {
    let z = mapping(p, &features(p, x), gradient, start);
    let (weight, bias) = (&p["classifier.0.weight"], &p["classifier.0.bias"]);
    let row = |n: usize| {
        let z = &z[n * H * W * C..][..H * W * C];
        let logit =
            |k: usize| bias[k] + z.iter().enumerate().map(|(d, z)| z * weight[d * CLASSES + k]).sum::<f64>();
        -log_softmax((0..CLASSES).map(logit))[n % CLASSES]
    };
    (0..N).map(row).sum::<f64>() / N as f64
}

/// KL over the positions of each channel, mean over channels and the explained pictures: all but the second.
fn alignment_loss(p: &Weights, x: &[f64], masked: &[f64], gradient: GateGradient, start: &[f64]) -> f64 {
    let (z, target) = (mapping(p, &features(p, x), gradient, start), features(p, masked));
    let mut sum = 0.0;
    for (n, c) in [0, 2, 3].into_iter().flat_map(|n| (0..C).map(move |c| (n, c))) {
        let group = |map: &[f64]| log_softmax((0..H * W).map(|i| map[(n * H * W + i) * C + c]));
        sum += group(&target).iter().zip(group(&z)).map(|(p, q)| p.exp() * (p - q)).sum::<f64>();
    }
    sum / (3 * C) as f64
}

/// Loads a plan, fills it, runs it once. Returns pictures, masked pictures and weights as the plain model takes them.
fn run(network: &Network, plan: &Plan) -> (CpuSession<f64>, rationale::exec::Loaded, [Vec<f64>; 2], Weights) {
    let mut random = Random::new(3, 0);
    let mut session = CpuSession::<f64>::new();
    let loaded = session.load(plan).unwrap();
    let pixels: Vec<f32> = (0..N * INPUT.len()).map(|_| random.unit() as f32).collect();
    let masks: Vec<u8> = (0..N * H * W).map(|_| if random.unit() < 0.5 { 255 } else { 0 }).collect();
    let x: Vec<f64> = pixels.iter().map(|&p| 2.0 * f64::from(p) - 1.0).collect();
    let masked = x.iter().enumerate().map(|(i, x)| if masks[i / 2] == 255 { *x } else { 0.0 }).collect();
    let words: Vec<u32> = pixels.iter().map(|p| p.to_bits()).collect();
    session.write_index("train.pixels", &words).unwrap();
    let words: Vec<u32> = masks.chunks(4).map(|m| u32::from_le_bytes(m.try_into().unwrap())).collect();
    session.write_index("train.masks", &words).unwrap();
    session.write_index("train.labels", &[0, 1, 2, 0]).unwrap();
    session.write_index("train.explained", &[1, 0, 1, 1]).unwrap();
    session.write_index("train.order", &[0, 1, 2, 3]).unwrap();
    session.write("train.class_weights", &[1.0; CLASSES]).unwrap();
    let mut weights = Weights::new();
    for (name, values) in initial_weights(network, &[5]) {
        // Away from the identity; the scale's bias around −1, so that a good part of the gates is closed.
        let shift = if name == "mapping.2.bias" { -1.0 } else { 0.0 };
        let moved: Vec<f64> = values.iter().map(|&v| f64::from(v) + shift + 0.3 * random.normal()).collect();
        if plan.find(&name).is_some() {
            session.write_real(&name, &moved).unwrap();
        }
        weights.insert(name, moved);
    }
    session.run(loaded, 1).unwrap();
    (session, loaded, [x, masked], weights)
}

/// Holds the gradients of the parts against central differences of the plain loss.
fn check(
    network: &Network,
    session: &CpuSession<f64>,
    loaded: rationale::exec::Loaded,
    parts: &[Part],
    weights: &Weights,
    loss: impl Fn(&Weights) -> f64,
) {
    for parameter in network.parameters().iter().filter(|p| parts.contains(&p.part)) {
        let (layer, field) = parameter.name.rsplit_once('.').unwrap();
        let found = session.read_real(loaded, &format!("{layer}.d_{field}")).unwrap();
        let mut moved = weights.clone();
        let mut slope = |i: usize| {
            let mut at = |offset: f64| {
                moved.get_mut(&parameter.name).unwrap()[i] = weights[&parameter.name][i] + offset;
                loss(&moved)
            };
            let slope = (at(1e-5) - at(-1e-5)) / 2e-5;
            at(0.0);
            slope
        };
        let expected: Vec<f64> = (0..found.len()).map(&mut slope).collect();
        let d = difference(&found, &expected);
        assert!(d.within(1e-6), "{}: {d:?}\n{found:?}\n{expected:?}", parameter.name);
        assert!(found.iter().any(|d| d.abs() > 1e-6), "{}: nothing to compare", parameter.name);
    }
}

fn still() -> OptimizerConfig {
    OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 }
}

fn align(network: &Network, optimizer: OptimizerConfig, gradient: GateGradient) -> Plan {
    let stage = Stage2 {
        route: Route::stage2().through_gate(gradient),
        optimizer,
        inner_steps: 1,
        loss: AlignmentLoss::Kl,
        axis: Default::default(),
        temperature: 1.0,
        hard_masks: true,
    };
    stage2(network, &DATA, &stage, &Variants::new()).unwrap()
}

#[test]
fn stage_1_gradients_are_those_of_the_surrogates() {
    let network = network();
    for gradient in [GateGradient::Leaky, GateGradient::Exact, GateGradient::Constant] {
        let updated = gradient != GateGradient::Constant;
        let route = Route::stage1(updated).through_gate(gradient);
        let plan = stage1(&network, &DATA, &Stage1 { route, optimizer: still() }, &Variants::new()).unwrap();
        let (mut session, loaded, [x, _], weights) = run(&network, &plan);
        let start = openness(&weights, &features(&weights, &x));
        let closed = start.iter().filter(|&&u| u <= 0.0).count();
        assert!((start.len() / 5..start.len() * 4 / 5).contains(&closed), "{closed} closed");
        let loss = |p: &Weights| label_loss(p, &x, gradient, &start);
        let found = f64::from(session.read("stage1.losses").unwrap()[0]);
        assert!((found - loss(&weights)).abs() < 1e-6, "{found}, {}", loss(&weights));
        let parts: &[Part] = if updated { &Part::ALL } else { &[Part::Features, Part::Classifier] };
        check(&network, &session, loaded, parts, &weights, loss);
    }
}

#[test]
fn stage_2_gradients_are_those_of_the_surrogate() {
    let network = network();
    for gradient in [GateGradient::Leaky, GateGradient::Exact] {
        let plan = align(&network, still(), gradient);
        let (mut session, loaded, [x, masked], weights) = run(&network, &plan);
        let start = openness(&weights, &features(&weights, &x));
        let loss = |p: &Weights| alignment_loss(p, &x, &masked, gradient, &start);
        let found = f64::from(session.read("stage2.losses").unwrap()[0]);
        assert!((found - loss(&weights)).abs() < 1e-6, "{found}, {}", loss(&weights));
        check(&network, &session, loaded, &[Part::Mapping], &weights, loss);
    }
}

#[test]
fn a_gate_needs_a_map() {
    let model = ModelConfig {
        features: vec![Layer::AveragePool],
        mapping: Mapping::Gate,
        classifier: vec![Layer::Output],
    };
    let error = Network::new(&model, INPUT, 2, 1).unwrap_err().to_string();
    assert!(error.contains("`mapping` (gate)") && error.contains("`features`"), "{error}");
}

/// Names of the persistent tensors that a plan writes.
fn writes(plan: &Plan) -> BTreeSet<String> {
    let tensors = plan.written().into_iter().map(|id| plan.tensor(id));
    tensors.filter(|tensor| tensor.role.is_persistent()).map(|tensor| tensor.name.clone()).collect()
}

#[test]
fn stage_2_writes_the_four_tensors_of_the_gate_and_what_belongs_to_them() {
    let plan = align(&network(), OptimizerConfig::adam(0.0), GateGradient::Leaky);
    let mut expected = BTreeSet::from(["stage2.tick".to_owned(), "stage2.losses".to_owned()]);
    for (layer, field) in [(0, "weight"), (0, "bias"), (2, "weight"), (2, "bias")] {
        expected.insert(format!("mapping.{layer}.{field}"));
        expected.insert(format!("mapping.{layer}.d_{field}"));
        expected.insert(format!("stage2.mapping.{layer}.{field}.m"));
        expected.insert(format!("stage2.mapping.{layer}.{field}.v"));
    }
    assert_eq!(writes(&plan), expected);
    let backward: Vec<&str> = plan
        .commands()
        .iter()
        .map(|c| c.shader.kernel)
        .filter(|kernel| kernel.contains("backward"))
        .collect();
    // It stops at the first convolution: nothing goes on to f.
    let count = |what: &str| backward.iter().filter(|kernel| **kernel == what).count();
    assert_eq!(count("gate_backward_scale"), 1);
    assert_eq!(count("conv2d_backward_weight"), 2);
    assert_eq!(count("conv2d_backward_input"), 1);
    assert_eq!(count("relu_backward"), 1);
    assert_eq!(count("gate_backward_input") + count("gate_backward_input_sum"), 0);
}

#[test]
fn stage_1_with_a_constant_gate_touches_no_gradient_of_the_gate_and_none_through_it() {
    let network = network();
    let plan = |route: Route| {
        let stage = Stage1 { route, optimizer: OptimizerConfig::adam(0.0) };
        stage1(&network, &DATA, &stage, &Variants::new())
    };
    let constant = plan(Route::stage1(false).through_gate(GateGradient::Constant)).unwrap();
    assert!(writes(&constant).iter().all(|name| !name.contains("mapping")), "{:?}", writes(&constant));
    let bound = constant.commands().iter().flat_map(|c| c.args.iter().map(move |arg| (c, arg)));
    for (command, arg) in bound {
        let tensor = constant.tensor(arg.tensor);
        let of_m = matches!(tensor.role, Role::Parameter(Part::Mapping));
        assert!(!of_m || command.label.ends_with("forward"), "{} reads {}", command.label, tensor.name);
    }
    let leave = plan(Route::stage1(false).through_gate(GateGradient::Leaky)).unwrap();
    assert!(writes(&leave).iter().all(|name| !name.contains("mapping")), "{:?}", writes(&leave));
    let kernels: Vec<&str> = leave.commands().iter().map(|c| c.shader.kernel).collect();
    assert!(kernels.contains(&"gate_backward_input_sum") && kernels.contains(&"gate_backward_scale"));
    let error = plan(Route::stage1(true).through_gate(GateGradient::Constant)).unwrap_err().to_string();
    assert!(error.contains("mapping_in_stage1"), "{error}");
}

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

//! The gate: central differences against the surrogates that its backward passes are the derivatives of, written out in
//! plain f64; what its stages write; the same bits again.
//!
//! A closed gate (u = 1 + s ≤ 0) is 0 and passes slope 0.01 back. The function with that value and that slope is
//! g = 0.01 (u − u₀), u₀ the point at which the slope is taken; and with the gate held constant g = max(u₀, 0).

use std::collections::{BTreeMap, BTreeSet};

use rationale::exec::{CpuSession, Session};
use rationale::model::{
    AlignmentLoss, Conv, Dimensions, GateGradient, Layer, MapShape, Mapping, ModelConfig, Network,
    OptimizerConfig, Route, Stage1, Stage2, initial_weights, stage1, stage2,
};
use rationale::plan::{Part, Plan, Role, Variants};
use rationale::random::Random;

use crate::gradients::difference;

const N: usize = 4;
const H: usize = 5;
const W: usize = 4;
const DATA: Dimensions = Dimensions { count: N, batch: N, steps: 1, packed: false, augmented: false };
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

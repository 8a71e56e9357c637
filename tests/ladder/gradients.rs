//! Rung 5: central differences through the composed stages, in f64, under several predicates at once.

use rationale::exec::{CpuSession, Loaded, Session};
use rationale::model::{
    AlignmentAxis, Conv, Dimensions, GroupNorm, Layer, Linear, MapShape, Mapping, ModelConfig, Network,
    OptimizerConfig, Pool, Residual, Route, Stage1, Stage2, initial_weights, stage1, stage2,
};
use rationale::plan::{Part, Plan, Variants};
use rationale::random::Random;

/// How two gradients differ; each number is 0 for equal ones and sees another kind of mistake.
#[derive(Debug)]
pub struct Difference {
    /// Largest element difference over the largest element: one wrong element.
    pub element: f64,
    /// Norm of the difference over the norm: many slightly wrong ones.
    pub relative: f64,
    /// 1 − cosine: a wrong direction.
    pub direction: f64,
    /// Sum of the differences over the sum of absolute values: a constant offset or a wrong scale.
    pub bias: f64,
}

pub fn difference(found: &[f64], expected: &[f64]) -> Difference {
    assert_eq!(found.len(), expected.len());
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let delta: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
    let largest = expected.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
    let tiny = f64::MIN_POSITIVE;
    let dot: f64 = found.iter().zip(expected).map(|(a, b)| a * b).sum();
    let both_zero = norm(found) == 0.0 && norm(expected) == 0.0;
    Difference {
        element: delta.iter().fold(0.0, |a: f64, b| a.max(b.abs())) / (largest + tiny),
        relative: norm(&delta) / (norm(expected) + tiny),
        direction: if both_zero { 0.0 } else { 1.0 - dot / (norm(found) * norm(expected) + tiny) },
        bias: delta.iter().sum::<f64>().abs() / (expected.iter().map(|x| x.abs()).sum::<f64>() + tiny),
    }
}

impl Difference {
    pub fn within(&self, bound: f64) -> bool {
        // NaN fails every comparison and so the test.
        self.element <= bound * 10.0
            && self.relative <= bound
            && self.direction <= bound
            && self.bias <= bound
    }
}

#[test]
fn the_predicates_see_what_they_are_for() {
    let right = [1.0, -2.0, 3.0, 0.5];
    assert!(difference(&right, &right).within(0.0));
    assert!(difference(&[0.0; 4], &[0.0; 4]).within(0.0));
    let twice: Vec<f64> = right.iter().map(|x| 2.0 * x).collect();
    let scaled = difference(&twice, &right);
    assert!(scaled.direction < 1e-12 && scaled.relative > 0.9 && scaled.bias > 0.1);
    let flipped: Vec<f64> = right.iter().map(|x| -x).collect();
    assert!(difference(&flipped, &right).direction > 1.9);
    assert!(difference(&[1.0, -2.0, 3.0, 0.6], &right).element > 0.03);
    assert!(!difference(&[f64::NAN, -2.0, 3.0, 0.5], &right).within(1e9));
    assert!(!difference(&[0.0; 4], &right).within(0.5), "a missing gradient");
}

pub const DATA: Dimensions = Dimensions { count: 6, batch: 5, steps: 1, packed: false, augmented: false };

/// A session that holds a data set and weights for a plan.
pub fn session(network: &Network, plan: &Plan, seed: u64) -> (CpuSession<f64>, Loaded) {
    let mut session = CpuSession::<f64>::new();
    let loaded = session.load(plan).unwrap();
    let mut random = Random::new(seed, 0);
    let shape = network.input();
    let pixels: Vec<u32> = (0..DATA.count * shape.len()).map(|_| (random.unit() as f32).to_bits()).collect();
    let masks: Vec<u32> = (0..(DATA.count * shape.height * shape.width).div_ceil(4))
        .map(|_| random.next_u64() as u32)
        .collect();
    let labels: Vec<u32> = (0..DATA.count as u32).map(|i| i % network.classes() as u32).collect();
    session.write_index("train.pixels", &pixels).unwrap();
    session.write_index("train.masks", &masks).unwrap();
    session.write_index("train.labels", &labels).unwrap();
    session.write_index("train.explained", &[1, 1, 0, 1, 1, 1]).unwrap();
    let orders: Vec<u32> = (0..network.replicas()).flat_map(|_| [4, 2, 0, u32::MAX, 5]).collect();
    session.write_index("train.order", &orders).unwrap();
    let weights: Vec<f32> = (0..network.classes()).map(|k| 1.0 + 0.5 * k as f32).collect();
    session.write("train.class_weights", &weights).unwrap();
    if plan.find("train.noise").is_some() {
        let words: Vec<u32> = (0..2 * network.replicas()).map(|_| random.next_u64() as u32).collect();
        session.write_index("train.noise", &words).unwrap();
    }
    let seeds: Vec<u64> = (0..network.replicas() as u64).collect();
    for (name, values) in initial_weights(network, &seeds) {
        // Away from the identity and from zero biases, so that no gradient is special.
        let moved: Vec<f32> = values.iter().map(|v| v + 0.1 * random.normal() as f32).collect();
        if plan.find(&name).is_some() {
            session.write(&name, &moved).unwrap();
        }
    }
    (session, loaded)
}

/// Holds every gradient of the parts against central differences of the loss of its own replica: the sum of recorded
/// losses times their factors.
pub fn check(network: &Network, plan: &Plan, losses: &[(&str, f64)], parts: &[Part], seed: u64) {
    let (session, loaded) = session(network, plan, seed);
    check_in(session, loaded, network, losses, parts, seed);
}

/// The same in a session that is already prepared.
pub fn check_in(
    mut session: CpuSession<f64>,
    loaded: Loaded,
    network: &Network,
    losses: &[(&str, f64)],
    parts: &[Part],
    seed: u64,
) {
    // Every run starts from the same running statistics: what a masked picture meets must not drift from run to run.
    let running: Vec<(String, Vec<f64>)> = network
        .running()
        .into_iter()
        .filter_map(|state| Some((state.name.clone(), session.read_real(loaded, &state.name).ok()?)))
        .collect();
    let run = |session: &mut CpuSession<f64>| {
        running.iter().for_each(|(name, values)| session.write_real(name, values).unwrap());
        session.run(loaded, 1).unwrap();
    };
    let mut checked = 0;
    for parameter in network.parameters().iter().filter(|p| parts.contains(&p.part)) {
        let (layer, field) = parameter.name.rsplit_once('.').unwrap();
        // Anew for each: the last run was with a weight moved.
        run(&mut session);
        let gradient = session.read_real(loaded, &format!("{layer}.d_{field}")).unwrap();
        let values = session.read_real(loaded, &parameter.name).unwrap();
        let len = values.len() / network.replicas();
        let step = 1e-5;
        let picks: Vec<usize> = (0..values.len()).step_by((values.len() / 12).max(1)).collect();
        let mut numeric = Vec::new();
        let mut analytic = Vec::new();
        for &i in &picks {
            let mut at = |offset: f64| {
                let mut moved = values.clone();
                moved[i] += offset;
                session.write_real(&parameter.name, &moved).unwrap();
                run(&mut session);
                let mut loss = |&(name, factor): &(&str, f64)| {
                    factor * session.read_real(loaded, name).unwrap()[i / len]
                };
                losses.iter().map(&mut loss).sum::<f64>()
            };
            numeric.push((at(step) - at(-step)) / (2.0 * step));
            analytic.push(gradient[i]);
        }
        session.write_real(&parameter.name, &values).unwrap();
        let found = difference(&analytic, &numeric);
        assert!(
            found.within(1e-5) || numeric.iter().chain(&analytic).all(|g| g.abs() < 1e-9),
            "{} (seed {seed}): {found:?}\n{analytic:?}\n{numeric:?}",
            parameter.name
        );
        checked += 1;
    }
    assert!(checked >= 2);
}

pub fn still() -> OptimizerConfig {
    OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 }
}

fn conv(out: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Layer {
    Layer::Conv(Conv { out, kernel, stride, padding, dilation })
}

pub fn models() -> Vec<(ModelConfig, MapShape)> {
    let pool = Layer::MaxPool(Pool { kernel: 3, stride: Some(2), padding: 1 });
    let all = |mapping| ModelConfig {
        features: vec![conv(4, 3, 1, 1, 1), pool.clone(), Layer::Relu, conv(5, 3, 2, 2, 2), Layer::Relu],
        mapping,
        classifier: vec![
            conv(6, 1, 1, 0, 1),
            Layer::AveragePool,
            Layer::Linear(Linear { out: 7 }),
            Layer::Relu,
            Layer::Output,
        ],
    };
    let mapped = |mapping| (all(mapping), MapShape { height: 9, width: 7, channels: 3 });
    let grey = ModelConfig {
        features: vec![conv(8, 5, 2, 2, 1), Layer::Relu, conv(4, 3, 2, 1, 1)],
        mapping: Mapping::Dense,
        classifier: vec![Layer::Output],
    };
    // ReLUs below windows that overlap.
    let pooled = ModelConfig {
        features: vec![conv(4, 3, 1, 1, 1), Layer::Relu, pool.clone(), conv(5, 3, 1, 1, 1)],
        mapping: Mapping::Diagonal,
        classifier: vec![conv(6, 1, 1, 0, 1), Layer::Relu, pool.clone(), Layer::Output],
    };
    let same_size = Layer::MaxPool(Pool { kernel: 3, stride: Some(1), padding: 1 });
    let block = |layers| Layer::Residual(Residual { layers });
    let norm = |groups| Layer::GroupNorm(GroupNorm { groups });
    let residual = ModelConfig {
        features: vec![
            conv(6, 3, 1, 1, 1),
            norm(3),
            Layer::Relu,
            // Around it a convolution of stride 2; within it a block that begins with it, and one that keeps its input.
            block(vec![block(vec![conv(6, 3, 1, 1, 1)]), norm(2), Layer::Relu, conv(8, 3, 2, 1, 1), norm(4)]),
            Layer::Relu,
            block(vec![Layer::Dropout(0.4), conv(8, 1, 1, 0, 1), Layer::BatchNorm]),
        ],
        mapping: Mapping::Diagonal,
        classifier: vec![
            block(vec![norm(1), Layer::Relu, conv(5, 1, 1, 0, 1)]),
            conv(5, 1, 1, 0, 1),
            Layer::Relu,
            // Begins with windows over what a ReLU let through, and goes around them.
            block(vec![same_size, conv(5, 1, 1, 0, 1)]),
            Layer::AveragePool,
            Layer::Dropout(0.2),
            Layer::Linear(Linear { out: 6 }),
            Layer::BatchNorm,
            Layer::Relu,
            Layer::Output,
        ],
    };
    vec![
        mapped(Mapping::None),
        mapped(Mapping::Diagonal),
        mapped(Mapping::Conv1x1),
        mapped(Mapping::Dense),
        (grey, MapShape { height: 11, width: 13, channels: 1 }),
        (pooled, MapShape { height: 9, width: 7, channels: 3 }),
        (residual, MapShape { height: 9, width: 7, channels: 3 }),
    ]
}

#[test]
fn stage_1_gradients_are_the_derivatives_of_its_loss() {
    for (i, (model, input)) in models().into_iter().enumerate() {
        let network = Network::new(&model, input, 3, 2).unwrap();
        let route = Route::stage1(network.has_mapping());
        let plan = stage1(&network, &DATA, &Stage1 { route, optimizer: still() }, &Variants::new()).unwrap();
        check(&network, &plan, &[("stage1.losses", 1.0)], &Part::ALL, i as u64);
    }
}

#[test]
fn stage_2_gradients_are_the_derivatives_of_its_loss() {
    for axis in [AlignmentAxis::Features, AlignmentAxis::Positions] {
        for (i, (model, input)) in models().into_iter().enumerate().skip(1) {
            let network = Network::new(&model, input, 3, 2).unwrap();
            let stage = Stage2 {
                route: Route::stage2(),
                optimizer: still(),
                inner_steps: 1,
                axis,
                loss: Default::default(),
                temperature: 0.7,
                hard_masks: i % 2 == 0,
            };
            let plan = stage2(&network, &DATA, &stage, &Variants::new()).unwrap();
            check(&network, &plan, &[("stage2.losses", 1.0)], &[Part::Mapping], i as u64);
        }
    }
}

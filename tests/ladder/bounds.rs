//! Bounds hold: against every corner of a box and ten thousand points in it, on each device and across them.

use rationale::exec::{CpuSession, Device, Loaded, Session};
use rationale::model::{
    Conv, Dimensions, Layer, Linear, MapShape, Mapping, ModelConfig, Network, Pool, bounds, initial_weights,
    logits,
};
use rationale::plan::{Plan, Variants};
use rationale::random::Random;

use crate::support;

const CLASSES: usize = 3;
const SHAPE: MapShape = MapShape { height: 6, width: 5, channels: 1 };
const AREA: usize = 30;

fn conv(out: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> Layer {
    Layer::Conv(Conv { out, kernel, stride, padding, dilation })
}

/// Every kind of layer, and one that is a single linear layer.
fn models() -> Vec<(&'static str, ModelConfig)> {
    let deep = |mapping| ModelConfig {
        features: vec![
            conv(4, 3, 1, 1, 1),
            Layer::MaxPool(Pool { kernel: 3, stride: Some(2), padding: 1 }),
            Layer::Relu,
            conv(5, 2, 1, 1, 2),
            Layer::Relu,
        ],
        mapping,
        classifier: vec![
            conv(6, 1, 1, 0, 1),
            Layer::AveragePool,
            Layer::Linear(Linear { out: 7 }),
            Layer::Relu,
            Layer::Output,
        ],
    };
    let flat = ModelConfig { features: Vec::new(), mapping: Mapping::None, classifier: vec![Layer::Output] };
    vec![
        ("diagonal", deep(Mapping::Diagonal)),
        ("dense", deep(Mapping::Dense)),
        ("conv1x1", deep(Mapping::Conv1x1)),
        ("gate", deep(Mapping::Gate)),
        ("one linear layer", flat),
    ]
}

fn network(model: &ModelConfig) -> Network {
    Network::new(model, SHAPE, CLASSES, 1).unwrap()
}

/// Initial weights, moved so that no bias is 0 and no mapping the identity.
fn weights(network: &Network, seeds: &[u64]) -> Vec<(String, Vec<f32>)> {
    let mut all = initial_weights(network, seeds);
    for (i, (_, values)) in all.iter_mut().enumerate() {
        let each = values.len() / seeds.len();
        for (values, &seed) in values.chunks_mut(each).zip(seeds) {
            let mut random = Random::new(seed, 100 + i as u64);
            values.iter_mut().for_each(|value| *value += 0.2 * random.normal() as f32);
        }
    }
    all
}

/// One picture, a mask that leaves out 12 of its 30 pixels, and which they are.
fn picture() -> (Vec<f32>, Vec<u8>, Vec<usize>) {
    let mut random = Random::new(11, 0);
    let pixels = (0..AREA).map(|_| random.unit() as f32).collect();
    let irrelevant: Vec<usize> = (0..AREA).filter(|i| i % 5 == 1 || i % 5 == 3).collect();
    let mask = (0..AREA).map(|i| if irrelevant.contains(&i) { 0 } else { 255 }).collect();
    assert_eq!(irrelevant.len(), 12);
    (pixels, mask, irrelevant)
}

/// The picture at every corner of its box, then at 10,000 points of it.
fn versions(pixels: &[f32], irrelevant: &[usize]) -> Vec<f32> {
    let mut all = Vec::new();
    let mut random = Random::new(12, 0);
    for version in 0..4096 + 10_000 {
        let mut pixels = pixels.to_vec();
        for (bit, &at) in irrelevant.iter().enumerate() {
            let corner = (version >> bit & 1) as f32;
            pixels[at] = if version < 4096 { corner } else { random.unit() as f32 };
        }
        all.extend(pixels);
    }
    all
}

fn dimensions(count: usize) -> Dimensions {
    let batch = count.min(500);
    Dimensions { count, batch, steps: count.div_ceil(batch), packed: false, augmented: false }
}

/// Pictures, masks and weights in a session that has loaded a plan.
fn prepare(
    session: &mut dyn Session,
    network: &Network,
    seeds: &[u64],
    data: &Dimensions,
    pixels: &[f32],
    masks: &[u8],
) {
    let words: Vec<u32> = pixels.iter().map(|value| value.to_bits()).collect();
    session.write_index("data.pixels", &words).unwrap();
    let mut masks: Vec<u8> = masks.iter().copied().cycle().take(data.count * AREA).collect();
    masks.resize(masks.len().next_multiple_of(4), 0);
    let (masks, _) = masks.as_chunks();
    let masks: Vec<u32> = masks.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    session.write_index("data.masks", &masks).unwrap();
    let mut order: Vec<u32> = (0..data.count as u32).collect();
    order.resize(data.steps * data.batch, u32::MAX);
    session.write_index("data.order", &order.repeat(network.replicas())).unwrap();
    session.write_index("data.clock", &[0]).unwrap();
    for (name, values) in weights(network, seeds) {
        session.write(&name, &values).unwrap();
    }
}

/// Outputs of every step, rows of padding left out; for one replica.
fn collect(session: &mut dyn Session, loaded: Loaded, data: &Dimensions, names: &[&str]) -> Vec<Vec<f32>> {
    let mut all = vec![Vec::new(); names.len()];
    for _ in 0..data.steps {
        session.run(loaded, 1).unwrap();
        for (all, name) in all.iter_mut().zip(names) {
            all.extend(session.read_output(loaded, name).unwrap());
        }
    }
    all.iter_mut().for_each(|values| values.truncate(data.count * CLASSES));
    all
}

/// lower, upper and margins of one picture.
fn bounds_of(session: &mut dyn Session, network: &Network, pixels: &[f32], mask: &[u8]) -> [Vec<f32>; 3] {
    let data = dimensions(1);
    let plan = bounds(network, "data", &data, &Variants::new()).unwrap();
    let loaded = session.load(&plan).unwrap();
    prepare(session, network, &[5], &data, pixels, mask);
    collect(session, loaded, &data, &["logits.lo", "logits.hi", "margins"]).try_into().unwrap()
}

fn logits_of(session: &mut dyn Session, network: &Network, pixels: &[f32]) -> Vec<f32> {
    let data = dimensions(pixels.len() / AREA);
    let plan = logits(network, "data", &data, &Variants::new()).unwrap();
    let loaded = session.load(&plan).unwrap();
    prepare(session, network, &[5], &data, pixels, &[0; AREA]);
    collect(session, loaded, &data, &["logits"]).remove(0)
}

/// The class with the largest logit.
fn class(logits: &[f32]) -> usize {
    (0..CLASSES).max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap()
}

#[test]
fn bounds_hold_every_corner_and_ten_thousand_points_on_and_across_devices() {
    let (pixels, mask, irrelevant) = picture();
    let versions = versions(&pixels, &irrelevant);
    let devices = support::devices();
    for (name, model) in models() {
        let network = network(&model);
        let session = |device: &Device| device.session();
        // What f32 gives on each device, and what arithmetic without rounding to f32 gives.
        let mut observed: Vec<Vec<f32>> =
            devices.iter().map(|device| logits_of(session(device).as_mut(), &network, &versions)).collect();
        observed.push(logits_of(&mut CpuSession::<f64>::new(), &network, &versions));
        for device in &devices {
            let [lower, upper, margins] = bounds_of(session(device).as_mut(), &network, &pixels, &mask);
            let base = logits_of(session(device).as_mut(), &network, &pixels);
            let predicted = class(&base);
            let mut least_lead = [f32::INFINITY; CLASSES];
            for logits in observed.iter().flat_map(|logits| logits.chunks_exact(CLASSES)) {
                for k in 0..CLASSES {
                    assert!(
                        lower[k] <= logits[k] && logits[k] <= upper[k],
                        "{name} on {}: {logits:?} is outside of {lower:?} … {upper:?}",
                        device.title()
                    );
                    least_lead[k] = least_lead[k].min(logits[predicted] - logits[k]);
                }
            }
            for k in (0..CLASSES).filter(|&k| k != predicted) {
                let by_ends = lower[predicted] - upper[k];
                assert!(margins[k] <= least_lead[k] + 1e-6 * least_lead[k].abs(), "{name}: {margins:?}");
                assert!(margins[k] >= by_ends - 1e-5 * (1.0 + by_ends.abs()), "{name}: {margins:?}");
            }
            assert_eq!(margins[predicted], 0.0);
        }
    }
}

/// γ of `ops::interval::margin`, written down again.
fn share(terms: usize) -> f64 {
    let n = 2.0 * (terms + 4) as f64 / f64::from(1 << 23);
    n / (1.0 - n)
}

#[test]
fn one_linear_layer_is_exact_and_a_full_mask_leaves_the_margin_alone() {
    let (pixels, mask, irrelevant) = picture();
    let versions = versions(&pixels, &irrelevant);
    let (_, model) = models().pop().unwrap();
    let network = network(&model);
    let all = weights(&network, &[5]);
    let (weight, bias) = (&all[0].1, &all[1].1);
    let exact = logits_of(&mut CpuSession::<f64>::new(), &network, &versions);
    let kept = logits_of(&mut CpuSession::<f64>::new(), &network, &pixels);
    for device in support::devices() {
        let [lower, upper, _] = bounds_of(device.session().as_mut(), &network, &pixels, &mask);
        let [still_lower, still_upper, _] =
            bounds_of(device.session().as_mut(), &network, &pixels, &[255; AREA]);
        for k in 0..CLASSES {
            let column: f64 = (0..AREA).map(|i| f64::from(weight[i * CLASSES + k]).abs()).sum();
            // |x| ≤ 1: the sizes add up to at most this; every x has a margin of 2⁻²² of its own.
            let sizes = column + f64::from(bias[k]).abs();
            let margin = share(AREA) * sizes + column / f64::from(1 << 22);
            // Within the margin, and as much again for the rounding that the margin is there for.
            let near = |bound: f32, value: f64| {
                let away = (f64::from(bound) - value).abs();
                assert!(away <= 2.0 * margin, "{bound} is {away:e} from {value}, the margin is {margin:e}");
            };
            let corners = exact[..4096 * CLASSES].chunks_exact(CLASSES).map(|logits| f64::from(logits[k]));
            near(lower[k], corners.clone().fold(f64::INFINITY, f64::min));
            near(upper[k], corners.fold(f64::NEG_INFINITY, f64::max));
            near(still_lower[k], f64::from(kept[k]));
            near(still_upper[k], f64::from(kept[k]));
            assert!(still_lower[k] < still_upper[k]);
        }
    }
}

#[test]
fn a_smaller_mask_never_narrows_a_bound_and_a_full_one_closes_it() {
    let (pixels, _, _) = picture();
    for (name, model) in models() {
        let network = network(&model);
        for device in support::devices() {
            let mut before: Option<[Vec<f32>; 3]> = None;
            let mut widths = Vec::new();
            for relevant in [AREA, 29, 20, 10, 1, 0] {
                let mask: Vec<u8> =
                    (0..AREA).map(|i| if i * 7 % AREA < relevant { 255 } else { 0 }).collect();
                let [lower, upper, margins] = bounds_of(device.session().as_mut(), &network, &pixels, &mask);
                if let Some([last_lower, last_upper, _]) = &before {
                    for k in 0..CLASSES {
                        // The same sums of larger terms: only the margin's own rounding may fall, by an ULP.
                        let slack = |x: f32| x.abs() * 2.0 * f32::EPSILON;
                        assert!(lower[k] <= last_lower[k] + slack(last_lower[k]), "{name}, {relevant}");
                        assert!(upper[k] >= last_upper[k] - slack(last_upper[k]), "{name}, {relevant}");
                    }
                }
                widths.push((0..CLASSES).map(|k| upper[k] - lower[k]).fold(0.0, f32::max));
                before = Some([lower, upper, margins]);
            }
            // All that is left with a full mask are margins, about 1e-5 per layer.
            assert!(widths[0] < 1e-3 * widths[5], "{name}: {widths:?}");
            assert!(widths[1] > 10.0 * widths[0], "{name}: {widths:?}");
        }
    }
}

#[test]
fn each_replica_has_the_bits_of_the_single_run() {
    let (pixels, mask, _) = picture();
    let data = dimensions(1);
    for (name, model) in models() {
        let run = |device: &Device, seeds: &[u64]| {
            let network = Network::new(&model, SHAPE, CLASSES, seeds.len()).unwrap();
            let plan: Plan = bounds(&network, "data", &data, &Variants::new()).unwrap();
            let mut session = device.session();
            let loaded = session.load(&plan).unwrap();
            prepare(session.as_mut(), &network, seeds, &data, &pixels, &mask);
            session.run(loaded, 1).unwrap();
            ["logits.lo", "logits.hi", "margins"].map(|name| session.read_output(loaded, name).unwrap())
        };
        for device in support::devices() {
            let both = run(&device, &[8, 5]);
            for (r, seed) in [8, 5].into_iter().enumerate() {
                let single = run(&device, &[seed]);
                for (both, single) in both.iter().zip(&single) {
                    assert_eq!(both[r * CLASSES..][..CLASSES], single[..], "{name}, replica {r}");
                }
            }
        }
    }
}

//! Rung 6: ten steps of the reference setting against PyTorch (`tests/golden/make_goldens.py`).

use std::collections::BTreeMap;

use rationale::exec::{CpuSession, Session};
use rationale::model::{
    Dimensions, GateGradient, MapShape, Mapping, ModelConfig, Network, OptimizerConfig, Route, Stage1,
    Stage2, Tape, advance, data_source, initial_weights, stage1, stage2,
};
use rationale::ops::{cross_entropy, gather, reduce};
use rationale::plan::{Part, Plan, Variants};

use crate::gradients::difference;
use crate::support;

const DATA: Dimensions = Dimensions { count: 24, batch: 8, steps: 10, packed: true, augmented: false };

pub struct Golden(Vec<u8>);

impl Golden {
    fn open(mapping: Mapping) -> Self {
        Self::named(&format!("reference_{mapping}"))
    }

    pub fn named(name: &str) -> Self {
        let path = format!("{}/tests/golden/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Golden(std::fs::read(path).unwrap())
    }

    pub fn floats(&self, name: &str) -> Option<Vec<f64>> {
        let file = safetensors::SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).ok()?;
        let data = view.data();
        Some(match view.dtype() {
            safetensors::Dtype::F32 => {
                data.chunks(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect()
            }
            safetensors::Dtype::F64 => {
                data.chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
            }
            other => panic!("{name} is {other:?}"),
        })
    }

    pub fn words(&self, name: &str) -> Vec<u32> {
        let file = safetensors::SafeTensors::deserialize(&self.0).unwrap();
        let view = file.tensor(name).unwrap();
        match view.dtype() {
            safetensors::Dtype::U8 => view.data().iter().map(|&b| u32::from(b)).collect(),
            safetensors::Dtype::U32 => {
                view.data().chunks(4).map(|b| u32::from_le_bytes(b.try_into().unwrap())).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }

    /// Bytes, four to a word.
    pub fn packed(&self, name: &str) -> Vec<u32> {
        let bytes = self.words(name);
        bytes.chunks(4).map(|b| b.iter().rev().fold(0, |word, byte| word << 8 | byte)).collect()
    }
}

fn network(mapping: Mapping) -> Network {
    let model = match mapping {
        Mapping::Gate => ModelConfig::anywhere(false, mapping),
        _ => ModelConfig::reference(mapping),
    };
    Network::new(&model, MapShape { height: 32, width: 32, channels: 1 }, 2, 1).unwrap()
}

fn prepare(session: &mut dyn Session, network: &Network, plan: &Plan, golden: &Golden) {
    session.write_index("train.pixels", &golden.packed("data/pixels")).unwrap();
    session.write_index("train.masks", &golden.packed("data/masks")).unwrap();
    session.write_index("train.labels", &golden.words("data/labels")).unwrap();
    session.write_index("train.explained", &golden.words("data/explained")).unwrap();
    session.write_index("train.order", &golden.words("data/batches")).unwrap();
    session.write("train.class_weights", &[1.0, 1.0]).unwrap();
    // What the golden does not hold starts as here: m as the identity, biases at zero.
    for (name, values) in initial_weights(network, &[0]) {
        let own = golden.floats(&format!("init/{name}"));
        let values = own.map_or(values, |own| own.iter().map(|&v| v as f32).collect());
        if plan.find(&name).is_some() {
            session.write(&name, &values).unwrap();
        }
    }
}

/// Some rows of a matrix, where the golden keeps only some.
fn like_golden(golden: &Golden, network: &Network, name: &str, values: &[f32]) -> Vec<f64> {
    let values: Vec<f64> = values.iter().map(|&v| f64::from(v)).collect();
    if name == "mapping.weight" && values.len() == network.features().len().pow(2) {
        let width = network.features().len();
        let rows = golden.words("rows/mapping.weight");
        return rows.iter().flat_map(|&row| values[row as usize * width..][..width].to_vec()).collect();
    }
    values
}

/// Ten steps; `bound` holds for losses (relative), gradients and final weights (see `gradients::Difference`).
fn ten_steps(session: &mut dyn Session, mapping: Mapping, bound: f64, drift: f64) {
    let golden = Golden::open(mapping);
    let network = network(mapping);
    let gate = mapping == Mapping::Gate;
    let route =
        if gate { Route::stage1(false).through_gate(GateGradient::Constant) } else { Route::stage1(true) };
    let first = Stage1 { route, optimizer: OptimizerConfig::adam(1e-2) };
    let second = Stage2 {
        route: Route::stage2(),
        optimizer: OptimizerConfig::adam(0.0),
        inner_steps: 5,
        axis: Default::default(),
        loss: Default::default(),
        temperature: 1.0,
        hard_masks: true,
    };
    let none = Variants::new();
    let mut plan = stage1(&network, &DATA, &first, &none).unwrap();
    plan.append(&stage2(&network, &DATA, &second, &none).unwrap()).unwrap();
    plan.append(&advance(&network, "train", &DATA).unwrap()).unwrap();
    let loaded = session.load(&plan).unwrap();
    prepare(session, &network, &plan, &golden);
    let rates = if gate { [3e-3, 2e-3] } else { [1e-3, 1e-2] };
    session.write("stage1.lr", &rates[..1]).unwrap();
    session.write("stage2.lr", &rates[1..]).unwrap();
    let device = session.device();

    // Step 0 is watched: the first value of every gradient in stage 1, and of m's in stage 2.
    let mut seen: BTreeMap<String, Vec<Vec<f32>>> = BTreeMap::new();
    let finished = session
        .observe(loaded, &mut |_, tensor, values| {
            if tensor.name.contains(".d_weight") || tensor.name.contains(".d_bias") {
                seen.entry(tensor.name.clone()).or_default().push(values.to_vec());
            }
            true
        })
        .unwrap();
    assert!(finished);
    session.run(loaded, 9).unwrap();

    let mut compared = 0;
    for parameter in network.parameters() {
        let (layer, field) = parameter.name.rsplit_once('.').unwrap();
        let gradients = seen.iter().find(|(name, _)| **name == format!("{layer}.d_{field}")).unwrap().1;
        // Stage 1 leaves a gate alone: the first gradient of its weights is that of stage 2.
        for (stage, index) in [("grad1", 0), ("grad2", usize::from(!gate))] {
            let Some(expected) = golden.floats(&format!("{stage}/{}", parameter.name)) else { continue };
            let found = like_golden(&golden, &network, &parameter.name, &gradients[index]);
            let d = difference(&found, &expected);
            assert!(d.within(bound), "{device}, {mapping}, {stage}/{}: {d:?}", parameter.name);
            compared += 1;
        }
        let expected = golden.floats(&format!("final/{}", parameter.name)).unwrap();
        let found = like_golden(&golden, &network, &parameter.name, &session.read(&parameter.name).unwrap());
        let d = difference(&found, &expected);
        assert!(
            d.relative <= drift && d.direction <= drift,
            "{device}, {mapping}, final/{}: {d:?}",
            parameter.name
        );
    }
    assert_eq!(compared, 12, "10 gradients of stage 1, 2 of stage 2; with a gate 8 and 4");

    for (name, key) in [("stage1.losses", "loss/stage1"), ("stage2.losses", "loss/stage2")] {
        let expected = golden.floats(key).unwrap();
        let found = session.read(name).unwrap();
        assert_eq!(found.len(), expected.len());
        for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= bound * expected.abs() + 1e-7,
                "{device}, {mapping}, {key}[{step}]: {found}, {expected}"
            );
        }
    }
}

#[test]
fn ten_steps_in_f64_follow_pytorch() {
    for mapping in [Mapping::Diagonal, Mapping::Dense, Mapping::Gate] {
        // Left over: the golden's gradients are stored in f32, our hyperparameters are f32 uniforms.
        ten_steps(&mut CpuSession::<f64>::new(), mapping, 1e-6, 1e-5);
    }
}

#[test]
fn ten_steps_on_the_cpu_device_follow_pytorch() {
    for mapping in [Mapping::Diagonal, Mapping::Dense, Mapping::Gate] {
        ten_steps(support::cpu().session().as_mut(), mapping, 1e-4, 1e-3);
    }
}

#[test]
fn ten_steps_on_the_gpu_follow_pytorch() {
    for mapping in [Mapping::Diagonal, Mapping::Dense, Mapping::Gate] {
        if let Some(device) = support::gpu() {
            ten_steps(device.session().as_mut(), mapping, 1e-4, 1e-3);
        }
    }
}

#[test]
fn the_input_gradient_follows_pytorch() {
    for mapping in [Mapping::Diagonal, Mapping::Gate] {
        input_gradient(mapping);
    }
}

fn input_gradient(mapping: Mapping) {
    let golden = Golden::open(mapping);
    let network = network(mapping);
    let mut plan = Plan::new("input gradient");
    let source = data_source(&mut plan, "train", &network, &DATA).unwrap();
    let mut value = gather::pictures(&mut plan, "x", &source, DATA.batch).unwrap();
    let rows = gather::labels(&mut plan, "labels", &source, DATA.batch).unwrap();
    let norm = reduce::sum(&mut plan, "norm", rows.label_weight).unwrap();
    let mut tape = Tape::default();
    for part in Part::ALL {
        value = network.forward(&mut plan, part, value, &mut tape).unwrap();
    }
    plan.reshape(value, &[1, DATA.batch, 2]).unwrap();
    let (_, d_logits) =
        cross_entropy::forward(&mut plan, "loss", value, rows.labels, rows.label_weight, norm, 1.0).unwrap();
    let route = Route::default().through_gate(GateGradient::Exact);
    let d_x = network.backward(&mut plan, &tape, d_logits, &route, true).unwrap().unwrap();
    plan.promote(d_x, "d_x").unwrap();
    for device in support::devices() {
        let mut session = device.session();
        let loaded = session.load(&plan).unwrap();
        prepare(session.as_mut(), &network, &plan, &golden);
        session.run(loaded, 1).unwrap();
        let found: Vec<f64> =
            session.read_output(loaded, "d_x").unwrap().into_iter().map(f64::from).collect();
        let d = difference(&found, &golden.floats("grad1/input").unwrap());
        assert!(d.within(1e-4), "{}, {mapping}: {d:?}", device.title());
    }
}

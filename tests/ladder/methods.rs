//! The methods beside the two stages: their gradients in f64, and what each one writes.

use rationale::exec::{CpuSession, Session};
use rationale::model::{
    Constraint, Conv, Dimensions, GateGradient, GroupNorm, Layer, Linear, MapShape, Mapping, ModelConfig,
    Network, OptimizerConfig, Pool, Residual, Route, Stage1, Stage2, Tape, advance, constrained, data_source,
    grad_reg, joint, masked_copies, no_mapping, stage1, stage2,
};
use rationale::ops::{cross_entropy, gather, kl_divergence, reduce, softmax};
use rationale::plan::{Part, Plan, Role, Variants};
use rationale::shader::DType;

use crate::goldens::Golden;
use crate::gradients::{DATA, check, check_in, difference, models, session, still};
use crate::support;

fn label(network: &Network) -> Stage1 {
    Stage1 { route: Route::stage1(network.has_mapping()), optimizer: still() }
}

fn alignment(network: &Network) -> Stage2 {
    Stage2 {
        route: if network.has_mapping() { Route::stage2() } else { Route::to([Part::Features]) },
        optimizer: still(),
        inner_steps: 1,
        axis: Default::default(),
        loss: Default::default(),
        temperature: 0.7,
        hard_masks: true,
    }
}

/// Layers that do the same in every pass: the losses here come from plans that train and from plans that do not, and
/// central differences run a plan many times, in which running statistics would move.
fn steady(layers: Vec<Layer>) -> Vec<Layer> {
    let layer = |layer| match layer {
        Layer::Dropout(_) => None,
        Layer::BatchNorm => Some(Layer::GroupNorm(GroupNorm { groups: 1 })),
        Layer::Residual(block) => Some(Layer::Residual(Residual { layers: steady(block.layers) })),
        other => Some(other),
    };
    layers.into_iter().filter_map(layer).collect()
}

/// The last one has normalisations and residual blocks.
fn networks() -> Vec<Network> {
    let network = |(model, input): (ModelConfig, MapShape)| {
        let (features, classifier) = (steady(model.features), steady(model.classifier));
        Network::new(&ModelConfig { features, classifier, ..model }, input, 3, 2).unwrap()
    };
    models().into_iter().map(network).collect()
}

#[test]
fn the_second_backward_pass_gives_the_derivatives_of_the_penalty() {
    let networks = networks();
    let (normalised, plain) = networks.split_last().unwrap();
    let error = grad_reg(normalised, &DATA, &label(normalised), 0.5, true, 1, &Variants::new()).unwrap_err();
    assert!(error.to_string().contains("no second backward pass through normalisations"), "{error}");
    for (i, network) in plain.iter().enumerate() {
        for (lambda, hard) in [(0.5, true), (2.0, false)] {
            let plan = grad_reg(network, &DATA, &label(network), lambda, hard, 1, &Variants::new()).unwrap();
            let losses = [("stage1.losses", 1.0), ("stage2.losses", f64::from(lambda))];
            check(network, &plan, &losses, &Part::ALL, i as u64);
        }
    }
}

#[test]
fn the_second_backward_pass_takes_a_gate_as_constant() {
    // A gate whose last weights are all zero is the same at every position and for every picture: a constant, whose
    // penalty central differences can see. Some channels are closed.
    let conv = |out| Layer::Conv(Conv { out, kernel: 3, stride: 2, padding: 1, dilation: 1 });
    let model = ModelConfig {
        features: vec![conv(6), Layer::Relu],
        mapping: Mapping::Gate,
        classifier: vec![conv(5), Layer::Relu, Layer::AveragePool, Layer::Output],
    };
    let network = Network::new(&model, MapShape { height: 9, width: 7, channels: 2 }, 3, 2).unwrap();
    let route = Route::stage1(false).through_gate(GateGradient::Constant);
    let stage = Stage1 { route, optimizer: still() };
    let plan = grad_reg(&network, &DATA, &stage, 0.5, true, 1, &Variants::new()).unwrap();
    let (mut session, loaded) = session(&network, &plan, 3);
    let zeros = session.read("mapping.2.weight").unwrap().len();
    session.write("mapping.2.weight", &vec![0.0; zeros]).unwrap();
    session.write("mapping.2.bias", &[0.5, -1.5, -0.25, 2.0, -3.0, 0.0].repeat(2)).unwrap();
    let losses = [("stage1.losses", 1.0), ("stage2.losses", 0.5)];
    check_in(session, loaded, &network, &losses, &[Part::Features, Part::Classifier], 3);

    let open = Stage1 { route: Route::stage1(true), optimizer: still() };
    let error = grad_reg(&network, &DATA, &open, 0.5, true, 1, &Variants::new()).unwrap_err().to_string();
    assert!(error.contains("mapping_in_stage1"), "{error}");
}

#[test]
fn masked_copies_follow_both_cross_entropies() {
    for (i, network) in networks().iter().enumerate() {
        let plan = masked_copies(network, &DATA, &label(network), i % 2 == 0, &Variants::new()).unwrap();
        check(network, &plan, &[("stage1.losses", 1.0), ("stage2.losses", 1.0)], &Part::ALL, i as u64);
    }
}

/// The loss of a stage with its target held constant: cross-entropy and divergence, as outputs of one plan. The target
/// is a tensor that the host writes.
fn surrogate(network: &Network, stage: &Stage2) -> Plan {
    let mut recorded = Plan::new("surrogate");
    let plan = &mut recorded;
    let replicas = network.replicas();
    let source = data_source(plan, "train", network, &DATA).unwrap();
    let x = gather::pictures(plan, "x", &source, DATA.batch).unwrap();
    let rows = gather::labels(plan, "labels", &source, DATA.batch).unwrap();
    let mut tape = Tape::default();
    let features = network.forward(plan, Part::Features, x, &mut tape).unwrap();
    let dims = plan.dims(features).to_vec();
    let target = plan.add("target", &dims, DType::F32, Role::Data).unwrap();
    let z = network.forward(plan, Part::Mapping, features, &mut tape).unwrap();
    let logits = network.forward(plan, Part::Classifier, z, &mut tape).unwrap();
    plan.reshape(logits, &[replicas, DATA.batch, network.classes()]).unwrap();
    let ones = plan.add("ones", &[replicas], DType::F32, Role::Data).unwrap();
    let axis = softmax::Axis::Features;
    let (weight, t) = (rows.explained, stage.temperature);
    let (kl, _) = kl_divergence::forward(plan, "kl", target, z, weight, ones, axis, t).unwrap();
    let (ce, _) =
        cross_entropy::forward(plan, "ce", logits, rows.labels, rows.label_weight, ones, 1.0).unwrap();
    for (name, losses, norm) in [("CE", ce, rows.label_weight), ("KL", kl, rows.explained)] {
        for (name, of) in [(name.to_owned(), losses), (format!("{name} norm"), norm)] {
            let total = reduce::sum(plan, &name, of).unwrap();
            plan.promote(total, &name).unwrap();
        }
    }
    recorded
}

/// Holds gradients in one session against central differences of CE + lambda · KL in another one of the same weights and
/// data, whose target is that of the start.
fn check_against_constant_target(
    network: &Network,
    plan: &Plan,
    [label, lambda]: [f64; 2],
    parts: &[Part],
    seed: u64,
) {
    let stage = alignment(network);
    let (mut own, loaded) = session(network, plan, seed);
    own.run(loaded, 1).unwrap();
    let (mut other, constant) = session(network, &surrogate(network, &stage), seed);
    other.write("ones", &vec![1.0; network.replicas()]).unwrap();
    other.write_real("target", &target_of(network, &stage, seed)).unwrap();
    let loss = |session: &mut CpuSession<f64>, r: usize| {
        session.run(constant, 1).unwrap();
        let read = |name: &str| session.read_real(constant, name).unwrap()[r];
        label * read("CE") / read("CE norm") + lambda * read("KL") / read("KL norm")
    };
    for parameter in network.parameters().iter().filter(|p| parts.contains(&p.part)) {
        let (layer, field) = parameter.name.rsplit_once('.').unwrap();
        let gradient = own.read_real(loaded, &format!("{layer}.d_{field}")).unwrap();
        let values = own.read_real(loaded, &parameter.name).unwrap();
        let len = values.len() / network.replicas();
        let (mut numeric, mut analytic) = (Vec::new(), Vec::new());
        for i in (0..values.len()).step_by((values.len() / 12).max(1)) {
            let mut at = |offset: f64| {
                let mut moved = values.clone();
                moved[i] += offset;
                other.write_real(&parameter.name, &moved).unwrap();
                loss(&mut other, i / len)
            };
            numeric.push((at(1e-5) - at(-1e-5)) / 2e-5);
            analytic.push(gradient[i]);
        }
        other.write_real(&parameter.name, &values).unwrap();
        let found = difference(&analytic, &numeric);
        let still = numeric.iter().chain(&analytic).all(|g| g.abs() < 1e-9);
        assert!(
            found.within(1e-5) || still,
            "{} (seed {seed}): {found:?}\n{analytic:?}\n{numeric:?}",
            parameter.name
        );
    }
}

/// f(x′) of the batch, from the weights and data of a seed.
fn target_of(network: &Network, stage: &Stage2, seed: u64) -> Vec<f64> {
    let mut plan = Plan::new("target");
    let source = data_source(&mut plan, "train", network, &DATA).unwrap();
    // All that the session writes must be known.
    gather::labels(&mut plan, "labels", &source, DATA.batch).unwrap();
    let masked = gather::masked(&mut plan, "x'", &source, DATA.batch, stage.hard_masks).unwrap();
    let target = network.forward(&mut plan, Part::Features, masked, &mut Tape::default()).unwrap();
    plan.promote(target, "f(x')").unwrap();
    let (mut session, loaded) = session(network, &plan, seed);
    session.run(loaded, 1).unwrap();
    session.read_real(loaded, "f(x')").unwrap()
}

#[test]
fn joint_optimisation_follows_both_losses_with_the_target_held_constant() {
    for (i, network) in networks().iter().enumerate() {
        let stage = alignment(network);
        let plan = joint(network, &DATA, &label(network), &stage, 3.0, &Variants::new()).unwrap();
        check_against_constant_target(network, &plan, [1.0, 3.0], &Part::ALL, i as u64);
    }
}

/// Dropout, batch statistics and residual blocks, on the way to both losses.
fn trained_and_steady() -> Network {
    let (model, input) = models().pop().unwrap();
    Network::new(&model, input, 3, 2).unwrap()
}

#[test]
fn joint_and_constrained_send_both_losses_through_a_pass_of_training() {
    let network = &trained_and_steady();
    assert!(network.has_dropout() && !network.running().is_empty());
    let (label, stage, none) = (label(network), alignment(network), Variants::new());
    let plan = joint(network, &DATA, &label, &stage, 3.0, &none).unwrap();
    // m and c do not move f(x'), so that the target is constant by itself.
    let losses = [("stage1.losses", 1.0), ("stage2.losses", 3.0)];
    check(network, &plan, &losses, &[Part::Mapping, Part::Classifier], 5);

    let constraint = Constraint { epsilon: 0.25, rate: 0.0 };
    let plan = constrained(network, &DATA, &label, &stage, constraint, &none).unwrap();
    let (mut session, loaded) = session(network, &plan, 6);
    session.write("constraint.multiplier", &[1.5, 1.5]).unwrap();
    let losses = [("stage1.losses", 1.0), ("stage2.losses", 1.5)];
    check_in(session, loaded, network, &losses, &[Part::Mapping], 6);

    // What reaches f adds up: without the second loss it is the gradient of stage 1, which has its own differences.
    let gradients = |plan: &Plan| {
        let (mut session, loaded) = crate::gradients::session(network, plan, 7);
        session.run(loaded, 1).unwrap();
        let names = network.parameters().into_iter().map(|parameter| parameter.name);
        let of = |name: String| {
            let (layer, field) = name.rsplit_once('.').unwrap();
            session.read_real(loaded, &format!("{layer}.d_{field}")).unwrap()
        };
        names.flat_map(of).collect::<Vec<f64>>()
    };
    let alone = gradients(&stage1(network, &DATA, &label, &none).unwrap());
    let [nothing, both] =
        [0.0, 3.0].map(|lambda| gradients(&joint(network, &DATA, &label, &stage, lambda, &none).unwrap()));
    let d = difference(&nothing, &alone);
    assert!(d.within(1e-12), "{d:?}");
    assert!(difference(&both, &alone).relative > 1e-3);
}

#[test]
fn without_a_mapping_f_follows_the_divergence_with_the_target_held_constant() {
    let network = &networks()[0];
    let plan = no_mapping(network, &DATA, &alignment(network), &Variants::new()).unwrap();
    check_against_constant_target(network, &plan, [0.0, 1.0], &[Part::Features], 4);
}

/// The network of `tests/golden/make_grad_reg.py`.
fn golden_network() -> Network {
    let conv = |out, kernel, stride, padding| Layer::Conv(Conv { out, kernel, stride, padding, dilation: 1 });
    let model = ModelConfig {
        features: vec![
            conv(4, 5, 2, 2),
            Layer::Relu,
            Layer::MaxPool(Pool { kernel: 2, stride: None, padding: 0 }),
            conv(6, 3, 1, 1),
            Layer::Relu,
        ],
        mapping: Mapping::Diagonal,
        classifier: vec![Layer::AveragePool, Layer::Linear(Linear { out: 5 }), Layer::Relu, Layer::Output],
    };
    Network::new(&model, MapShape { height: 16, width: 16, channels: 1 }, 3, 1).unwrap()
}

/// Five steps on cross-entropy + the penalty, against PyTorch's double backward.
fn follow_pytorch(session: &mut dyn Session, bound: f64, drift: f64) {
    let golden = Golden::named("grad_reg");
    let network = golden_network();
    let data = Dimensions { count: 12, batch: 6, steps: 5, packed: true, augmented: false };
    let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(0.0) };
    let mut plan = grad_reg(&network, &data, &stage, 0.75, true, 1, &Variants::new()).unwrap();
    plan.append(&advance(&network, "train", &data).unwrap()).unwrap();
    let loaded = session.load(&plan).unwrap();
    session.write_index("train.pixels", &golden.packed("data/pixels")).unwrap();
    session.write_index("train.masks", &golden.packed("data/masks")).unwrap();
    for (name, key) in [("labels", "labels"), ("explained", "explained"), ("order", "batches")] {
        session.write_index(&format!("train.{name}"), &golden.words(&format!("data/{key}"))).unwrap();
    }
    session.write("stage1.lr", &[1e-2]).unwrap();
    let own = |session: &mut dyn Session, name: &str| -> Vec<f64> {
        session.read(name).unwrap().into_iter().map(f64::from).collect()
    };
    for parameter in network.parameters() {
        let start = golden.floats(&format!("init/{}", parameter.name)).unwrap();
        let start: Vec<f32> = start.into_iter().map(|v| v as f32).collect();
        session.write(&parameter.name, &start).unwrap();
    }
    let device = session.device();
    // Labels that weigh nothing leave the penalty alone, and move no weight.
    for (weight, key) in [(0.0, "penalty"), (1.0, "gradient")] {
        session.write("train.class_weights", &[weight; 3]).unwrap();
        session.write_index("train.clock", &[0]).unwrap();
        session.run(loaded, 1).unwrap();
        for parameter in network.parameters() {
            let (layer, field) = parameter.name.rsplit_once('.').unwrap();
            let mut expected = golden.floats(&format!("{key}/{}", parameter.name)).unwrap();
            if key == "penalty" {
                expected.iter_mut().for_each(|value| *value *= 0.75);
            }
            let d = difference(&own(session, &format!("{layer}.d_{field}")), &expected);
            assert!(d.within(bound), "{device}, {key}/{}: {d:?}", parameter.name);
        }
    }
    session.run(loaded, 4).unwrap();
    for parameter in network.parameters() {
        let expected = golden.floats(&format!("final/{}", parameter.name)).unwrap();
        let d = difference(&own(session, &parameter.name), &expected);
        assert!(d.relative <= drift && d.direction <= drift, "{device}, {}: {d:?}", parameter.name);
    }
    for (name, key) in [("stage1.losses", "loss/label"), ("stage2.losses", "loss/penalty")] {
        let expected = golden.floats(key).unwrap();
        for (found, expected) in own(session, name).iter().zip(&expected) {
            let error = (found - expected).abs();
            assert!(error <= drift * expected.abs(), "{device}, {key}: {found}, {expected}");
        }
    }
}

#[test]
fn grad_reg_follows_the_double_backward_of_pytorch() {
    // Left over: sessions are read in f32, and our rates are f32 uniforms.
    follow_pytorch(&mut CpuSession::<f64>::new(), 1e-6, 1e-5);
    for device in support::devices() {
        follow_pytorch(device.session().as_mut(), 1e-4, 1e-3);
    }
}

#[test]
fn constrained_sends_the_alignment_loss_to_m_alone_and_moves_its_multiplier() {
    for (i, network) in networks().iter().enumerate().skip(1) {
        let (label, stage) = (label(network), alignment(network));
        let gradients = |plan: &Plan, mu: &[f32]| {
            let (mut session, loaded) = session(network, plan, i as u64);
            if plan.find("constraint.multiplier").is_some() {
                session.write("constraint.multiplier", mu).unwrap();
            }
            session.run(loaded, 1).unwrap();
            (session, loaded)
        };
        let none = Variants::new();
        let (ce, ce_loaded) = gradients(&stage1(network, &DATA, &label, &none).unwrap(), &[]);
        let (kl, kl_loaded) = gradients(&stage2(network, &DATA, &stage, &none).unwrap(), &[]);
        let mu = [0.5, 3.0];
        let constraint = Constraint { epsilon: 0.25, rate: 0.125 };
        for routed in [true, false] {
            let mut label = label.clone();
            if !routed {
                label.route = Route::stage1(false);
            }
            let plan = constrained(network, &DATA, &label, &stage, constraint, &none).unwrap();
            let (own, loaded) = gradients(&plan, &mu);
            for parameter in network.parameters() {
                let (layer, field) = parameter.name.rsplit_once('.').unwrap();
                let name = format!("{layer}.d_{field}");
                let mut expected = ce.read_real(ce_loaded, &name).unwrap();
                if parameter.part == Part::Mapping {
                    let len = expected.len() / 2;
                    let from_labels = if routed { 1.0 } else { 0.0 };
                    let second = kl.read_real(kl_loaded, &name).unwrap();
                    for (k, (e, second)) in expected.iter_mut().zip(second).enumerate() {
                        *e = from_labels * *e + f64::from(mu[k / len]) * second;
                    }
                }
                let d = difference(&own.read_real(loaded, &name).unwrap(), &expected);
                assert!(d.within(1e-12), "{name} ({i}, {routed}): {d:?}");
            }
            let losses = own.read_real(loaded, "stage2.losses").unwrap();
            let after = own.read_real(loaded, "constraint.multiplier").unwrap();
            for r in 0..2 {
                let expected = (f64::from(mu[r]) + 0.125 * (losses[r] - 0.25)).max(0.0);
                assert!((after[r] - expected).abs() < 1e-12 && expected > 0.0);
            }
        }
    }
}

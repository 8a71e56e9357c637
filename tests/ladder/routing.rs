//! Idea 3 of the house: gradient routing is a value, and it is proved: on the plan, and on the bytes.

use std::collections::BTreeSet;

use rationale::data::Dataset;
use rationale::model::{
    Dimensions, MapShape, Mapping, Network, OptimizerConfig, Route, Stage1, Stage2, stage1, stage2,
};
use rationale::plan::{Part, Plan, Role, Variants};
use rationale::random::Seeds;
use rationale::train::{Alternation, Checkpoint, Method, TrainConfig, Trainer};

use crate::support;

const DATA: Dimensions = Dimensions { count: 16, batch: 8, steps: 2, packed: false, augmented: false };

fn network(mapping: Mapping, replicas: usize) -> Network {
    let input = MapShape { height: 32, width: 32, channels: 1 };
    Network::new(&support::small_model(mapping), input, 2, replicas).unwrap()
}

fn align(network: &Network) -> Plan {
    let stage = Stage2 {
        route: Route::stage2(),
        optimizer: OptimizerConfig::adam(0.0),
        inner_steps: 2,
        axis: Default::default(),
        loss: Default::default(),
        temperature: 1.0,
        hard_masks: true,
    };
    stage2(network, &DATA, &stage, &Variants::new()).unwrap()
}

fn label(network: &Network, route: Route) -> Plan {
    let stage = Stage1 { route, optimizer: OptimizerConfig::adam(0.0) };
    stage1(network, &DATA, &stage, &Variants::new()).unwrap()
}

/// Names of the persistent tensors that a plan writes.
fn persistent_writes(plan: &Plan) -> BTreeSet<String> {
    plan.written()
        .into_iter()
        .map(|id| plan.tensor(id))
        .filter(|tensor| tensor.role.is_persistent())
        .map(|tensor| tensor.name.clone())
        .collect()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn stage_2_writes_m_its_gradient_its_optimiser_and_its_losses_and_nothing_else() {
    for mapping in [Mapping::Dense, Mapping::Diagonal, Mapping::Conv1x1] {
        let plan = align(&network(mapping, 1));
        let expected = names(&[
            "mapping.weight",
            "mapping.bias",
            "mapping.d_weight",
            "mapping.d_bias",
            "stage2.mapping.weight.m",
            "stage2.mapping.weight.v",
            "stage2.mapping.bias.m",
            "stage2.mapping.bias.v",
            "stage2.tick",
            "stage2.losses",
        ]);
        assert_eq!(persistent_writes(&plan), expected, "{mapping}");
    }
}

#[test]
fn stage_2_binds_f_read_only_and_holds_no_gradient_command_of_f_or_c() {
    let plan = align(&network(Mapping::Diagonal, 1));
    for command in plan.commands() {
        for arg in &command.args {
            let tensor = plan.tensor(arg.tensor);
            if let Role::Parameter(part) | Role::Gradient(part) | Role::Optimizer(part) = tensor.role {
                assert!(!arg.writes || part == Part::Mapping, "{} writes {}", command.label, tensor.name);
                assert!(part != Part::Classifier, "{} touches {}", command.label, tensor.name);
            }
        }
        assert!(!command.shader.kernel.starts_with("conv2d_backward"), "{}", command.label);
        assert!(!command.shader.kernel.starts_with("relu_backward"), "{}", command.label);
    }
}

#[test]
fn a_route_decides_which_gradient_commands_there_are() {
    let network = network(Mapping::Diagonal, 1);
    let backward = |route: Route| -> Vec<String> {
        let plan = label(&network, route);
        let backward = plan.commands().iter().filter(|c| c.shader.kernel.contains("backward"));
        backward.map(|c| format!("{} {}", c.label, c.shader.kernel)).collect()
    };
    let count = |list: &[String], what: &str| list.iter().filter(|name| name.contains(what)).count();

    let all = backward(Route::stage1(true));
    assert_eq!(count(&all, "conv2d_backward_weight"), 2);
    // Nothing below the first layer wants a gradient.
    assert_eq!(count(&all, "conv2d_backward_input"), 1);

    let without_m = backward(Route::stage1(false));
    assert_eq!(count(&without_m, "diagonal_backward_weight"), 0);
    assert_eq!(count(&without_m, "diagonal_backward_input"), 1);

    let head = backward(Route::to([Part::Mapping, Part::Classifier]));
    assert_eq!(count(&head, "conv2d"), 0);
    assert_eq!(count(&head, "diagonal_backward_weight"), 1);

    let f_alone = backward(Route::to([Part::Features]));
    assert_eq!(count(&f_alone, "linear_backward_weight"), 0);
    assert_eq!(count(&f_alone, "conv2d_backward_weight"), 2);

    let stopped = backward(Route::stage1(true).stopping_at("features.2"));
    assert_eq!(count(&stopped, "conv2d_backward_weight"), 1);
    assert_eq!(count(&stopped, "conv2d_backward_input"), 0);

    let nowhere = backward(Route::default());
    assert!(nowhere.is_empty(), "{nowhere:?}");
}

#[test]
fn a_route_to_an_unknown_layer_lists_the_known_ones() {
    let stage = Stage1 {
        route: Route::stage1(true).stopping_at("features.9"),
        optimizer: OptimizerConfig::adam(0.0),
    };
    let network = network(Mapping::Diagonal, 1);
    let error = stage1(&network, &DATA, &stage, &Variants::new()).unwrap_err().to_string();
    assert!(error.contains("features.9") && error.contains("features.2"), "{error}");
}

/// Every tensor of a checkpoint that differs between two states.
fn changed(before: &Checkpoint, after: &Checkpoint) -> BTreeSet<String> {
    let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let differs = |name: &&String| bits(&before.tensors[*name].1) != bits(&after.tensors[*name].1);
    before.tensors.keys().filter(differs).cloned().collect()
}

fn trained(data: &Dataset, config: &TrainConfig) -> Vec<(String, Checkpoint, Checkpoint)> {
    let mut results = Vec::new();
    for device in support::devices() {
        let model = support::small_model(Mapping::Diagonal);
        let seeds = [Seeds::from_seed(3)];
        let mut trainer = Trainer::new(&device, &model, config, data, &seeds, &Variants::new()).unwrap();
        let before = trainer.checkpoint().clone();
        for _ in 0..3 {
            trainer.train_epoch().unwrap();
        }
        results.push((device.title(), before, trainer.checkpoint().clone()));
    }
    results
}

#[test]
fn frozen_buffers_keep_every_bit() {
    let data = support::pictures(16);
    // Stage 1 moves c alone; stage 2 moves m: f must not change by a bit, nor must any state of f.
    let config = TrainConfig {
        label_route: Some(Route::to([Part::Classifier])),
        alternation: Alternation::Epoch,
        ..support::small_config()
    };
    for (device, before, after) in trained(&data, &config) {
        let changed = changed(&before, &after);
        assert!(changed.contains("mapping.weight") && changed.contains("classifier.0.weight"), "{device}");
        let strays: Vec<_> = changed.iter().filter(|name| name.contains("features")).collect();
        assert!(strays.is_empty(), "{device}: {strays:?}");
    }
}

#[test]
fn stage_2_alone_moves_m_alone() {
    let data = support::pictures(16);
    // A learning rate and decay of 0 hold still what stage 1 would move; stage 2's own state still moves.
    let config = TrainConfig {
        label_lr: 0.0,
        label_optimizer: OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 },
        ..support::small_config()
    };
    for (device, before, after) in trained(&data, &config) {
        let parameters: BTreeSet<String> =
            changed(&before, &after).into_iter().filter(|name| !name.starts_with("stage")).collect();
        assert_eq!(parameters, names(&["mapping.bias", "mapping.weight"]), "{device}");
    }
}

#[test]
fn without_explained_pictures_in_a_batch_stage_2_takes_no_step() {
    // One explained picture in two batches of eight: one stage-2 step per epoch, two inner updates.
    let mut data = support::pictures(16);
    data.explained = vec![false; 16];
    data.explained[3] = true;
    for (device, _, after) in trained(&data, &support::small_config()) {
        let updates = after.tensors["stage2.tick"].1[0];
        assert_eq!(updates, 3.0 * 2.0, "{device}: epochs × inner steps");
        assert_eq!(after.tensors["stage1.tick"].1[0], 3.0 * 2.0, "{device}: epochs × batches");
    }
}

#[test]
fn label_only_has_no_stage_2() {
    let config = TrainConfig { method: Method::LabelOnly, ..support::small_config() };
    let data = support::pictures(16);
    for (device, before, _) in trained(&data, &config) {
        assert!(before.tensors.keys().all(|name| !name.starts_with("stage2")), "{device}");
    }
}

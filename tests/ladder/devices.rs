//! Rungs 9 and 10: fallbacks forced, plans past the limits refused, devices lost, nothing leaked.

use std::time::Duration;

use rationale::doctor;
use rationale::exec::{Device, ExecError, GpuSession, Options, Session};
use rationale::gpu::GpuOptions;
use rationale::model::Mapping;
use rationale::ops;
use rationale::plan::{Limits, Plan, PlanError, Role, Target, Variants};
use rationale::random::Seeds;
use rationale::shader::DType;
use rationale::train::{TrainError, Trainer};
use rationale::tuning;

use crate::support;

#[test]
fn every_kernel_runs_under_the_default_limits_and_without_any_feature() {
    let Some(device) = support::gpu_with(GpuOptions { default_limits: true, ..GpuOptions::default() }) else {
        return;
    };
    let Device::Gpu { gpu, .. } = &device else { panic!("the test adapter is no GPU") };
    assert_eq!(gpu.device().features(), rationale::wgpu::Features::empty());
    assert_eq!(gpu.limits().storage_binding_bytes, 128 << 20);
    // The fallback of every kernel that has one: its first variant.
    let forced: Variants = rationale::kernels::KERNELS
        .iter()
        .map(|kernel| (kernel.name.to_owned(), kernel.variants[0].to_owned()))
        .collect();
    for case in ops::cases(&forced).unwrap() {
        let finding = doctor::examine(&device, &case, 7).unwrap();
        assert!(finding.passed(), "{} {}: {:?}", finding.kernel, finding.shape, finding.fault);
    }
}

#[test]
fn a_plan_past_a_limit_says_which_by_how_much_and_what_to_change() {
    let mut plan = Plan::new("large");
    let x = plan.add("x", &[1, 64 << 20], DType::F32, Role::Data).unwrap();
    ops::relu::forward(&mut plan, "relu", x).unwrap();
    let limits = Limits { storage_binding_bytes: 128 << 20, ..Limits::NONE };
    let error = plan.check(&limits).unwrap_err();
    assert!(matches!(error, PlanError::Limit { .. }));
    let text = error.to_string();
    for part in ["`x`", "max_storage_buffer_binding_size", "134217728", "--batch"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    if let Some(device) = support::gpu_with(GpuOptions { default_limits: true, ..GpuOptions::default() }) {
        let error = device.session().load(&plan).unwrap_err();
        assert!(matches!(error, ExecError::Plan(PlanError::Limit { .. })), "{error}");
    }
}

/// Two linear layers of different shapes.
fn layers(variants: &Variants) -> Result<Vec<Plan>, ExecError> {
    let mut plan = Plan::with_variants("layers", variants);
    let mut x = plan.add("x", &[1, 64, 32], DType::F32, Role::Data)?;
    for (label, d_in, d_out) in [("first", 32, 64), ("second", 64, 16)] {
        let weight = plan.add(format!("{label}.weight"), &[1, d_in, d_out], DType::F32, Role::Data)?;
        let bias = plan.add(format!("{label}.bias"), &[1, d_out], DType::F32, Role::Data)?;
        x = ops::linear::forward(&mut plan, label, x, weight, bias, true)?;
    }
    Ok(vec![plan])
}

#[test]
fn a_plan_for_subgroups_is_refused_where_there_are_none() {
    let Some(plain) = support::gpu_with(GpuOptions { default_limits: true, ..GpuOptions::default() }) else {
        return;
    };
    let target = plain.limits().target;
    assert_eq!(target.subgroup_size, None);
    let forced = Variants::from([("linear_forward".to_owned(), "subgroup".to_owned())]);
    let other = layers(&forced.clone().on(Target { subgroup_size: Some(8), ..target })).unwrap().remove(0);
    assert!(other.commands().iter().all(|command| command.shader.variant == "subgroup"));
    let error = plain.session().load(&other).unwrap_err();
    assert!(matches!(error, ExecError::Plan(PlanError::Unsupported { .. })), "{error}");
    assert!(error.to_string().contains("subgroup"), "{error}");
    support::cpu().session().load(&other).unwrap();
    // Recorded for the device itself, the same wish falls through to what it has.
    let own = layers(&forced.on(target)).unwrap().remove(0);
    assert!(own.commands().iter().all(|command| command.shader.subgroup_size.is_none()));
    plain.session().load(&own).unwrap();
}

#[test]
fn tuned_choices_are_planned_again_by_shape() {
    let Some(device) = support::gpu() else { return };
    let target = device.limits().target;
    let tuning = tuning::tune(&device, Duration::from_secs(600), layers).unwrap();
    assert_eq!((tuning.tuned.len(), tuning.left_out), (2, 0));
    for tuned in &tuning.tuned {
        assert!(tuned.times.len() >= 3 && tuned.times.len() <= 4, "{tuned:?}");
        assert!(tuned.times.iter().all(|(_, seconds)| *seconds > 0.0), "{tuned:?}");
        assert!(tuned.times.iter().any(|(name, _)| *name == tuned.chosen), "{tuned:?}");
    }
    // Whatever was fastest here: another choice for each shape is followed too.
    let second = |tuned: &tuning::Tuned| (tuned.key.clone(), tuned.times[1].0.to_owned());
    let others: Variants = tuning.tuned.iter().map(second).collect();
    let plan = layers(&others.on(target)).unwrap().remove(0);
    for choice in plan.choices() {
        let tuned = tuning.tuned.iter().find(|tuned| tuned.key == choice.key).unwrap();
        assert_eq!(choice.chosen, tuned.times[1].0);
    }
    let nothing = tuning::tune(&device, Duration::ZERO, layers).unwrap();
    assert_eq!((nothing.tuned.len(), nothing.left_out), (0, 2));
}

fn trainer(device: &Device) -> Trainer {
    let model = support::small_model(Mapping::Diagonal);
    let seeds = [Seeds::from_seed(1)];
    let data = support::pictures(16);
    Trainer::new(device, &model, &support::small_config(), &data, &seeds, &Variants::new()).unwrap()
}

#[test]
fn a_lost_device_is_an_error_and_training_goes_on_elsewhere() {
    let Some(device) = support::gpu() else { return };
    let Device::Gpu { gpu, .. } = &device else { panic!("the test adapter is no GPU") };
    let mut first = trainer(&device);
    first.train_epoch().unwrap();
    gpu.device().destroy();
    let error = first.train_epoch().unwrap_err();
    assert!(matches!(error, TrainError::Exec(ExecError::DeviceLost { .. })), "{error}");
    // The last good state is in host memory: it goes on on another device.
    let saved = first.checkpoint().clone();
    assert_eq!(saved.epoch, 1);
    let fresh = support::gpu().unwrap();
    let mut second = trainer(&fresh);
    second.restore(&saved).unwrap();
    second.train_epoch().unwrap();

    let whole_device = support::gpu().unwrap();
    let mut whole = trainer(&whole_device);
    whole.train_epoch().unwrap();
    whole.train_epoch().unwrap();
    assert_eq!(whole.checkpoint(), second.checkpoint());
}

#[test]
fn opening_a_session_on_a_lost_device_is_an_error_too() {
    let Some(device) = support::gpu() else { return };
    let Device::Gpu { gpu, .. } = &device else { panic!("the test adapter is no GPU") };
    gpu.device().destroy();
    let mut plan = Plan::new("small");
    let x = plan.add("x", &[1, 4], DType::F32, Role::Data).unwrap();
    ops::relu::forward(&mut plan, "relu", x).unwrap();
    let error = device.session().load(&plan).unwrap_err();
    assert!(matches!(error, ExecError::DeviceLost { .. }), "{error}");
}

#[test]
fn steps_leave_no_objects_behind_and_a_dropped_trainer_none_at_all() {
    let Some(device) = support::gpu() else { return };
    let Device::Gpu { gpu, .. } = &device else { panic!("the test adapter is no GPU") };
    let live = || {
        let counters = gpu.device().get_internal_counters().hal;
        [counters.buffers.read(), counters.bind_groups.read()]
    };
    let settle = || {
        gpu.device().poll(rationale::wgpu::PollType::wait_indefinitely()).unwrap();
    };
    {
        // The first trainer makes what the device keeps: pipelines and staging memory.
        trainer(&device).train_epoch().unwrap();
    }
    settle();
    let before = live();
    let mut trainer = trainer(&device);
    trainer.train_epoch().unwrap();
    settle();
    let after_one = live();
    assert!(
        after_one[0] > before[0] && after_one[1] > before[1],
        "the counters count: {before:?} {after_one:?}"
    );
    for _ in 0..20 {
        trainer.train_epoch().unwrap();
    }
    settle();
    assert_eq!(live(), after_one, "40 more steps allocate nothing that stays");
    drop(trainer);
    settle();
    assert_eq!(live(), before, "a dropped trainer leaves nothing");
}

#[test]
fn a_session_that_is_given_nonsense_says_so() {
    for device in support::devices() {
        let mut session = device.session();
        let mut plan = Plan::new("small");
        let x = plan.add("x", &[1, 4], DType::F32, Role::Data).unwrap();
        ops::relu::forward(&mut plan, "relu", x).unwrap();
        session.load(&plan).unwrap();
        assert!(matches!(session.write("x", &[1.0]), Err(ExecError::Length { expected: 4, found: 1, .. })));
        assert!(matches!(session.write("y", &[1.0]), Err(ExecError::UnknownTensor { .. })));
        assert!(matches!(session.read_index("x"), Err(ExecError::UnknownTensor { .. })));
        let mut other = Plan::new("other");
        let x = other.add("x", &[1, 5], DType::F32, Role::Data).unwrap();
        ops::relu::forward(&mut other, "relu", x).unwrap();
        assert!(matches!(session.load(&other), Err(ExecError::Disagreement { .. })));
    }
}

/// Guard words catch a kernel that writes past its tensor: shown on a plan whose grid is too large for a kernel
/// that trusts its count.
#[test]
fn guards_are_seen_when_broken() {
    let Some(Device::Gpu { gpu, .. }) = support::gpu() else { return };
    let mut session = GpuSession::new(std::rc::Rc::clone(&gpu), Options { guards: true });
    let mut plan = Plan::new("small");
    let x = plan.add("x", &[1, 4], DType::F32, Role::Data).unwrap();
    ops::relu::forward(&mut plan, "relu", x).unwrap();
    session.load(&plan).unwrap();
    assert_eq!(session.broken_guards().unwrap(), Vec::<String>::new());
    session.break_guard("x").unwrap();
    assert_eq!(session.broken_guards().unwrap(), vec!["x".to_owned()]);
}

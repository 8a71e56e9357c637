//! Adam, AdamW and momentum SGD in place, and the count of updates that they share.

use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims};
use crate::cpu::optimizer as uniform;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Settings of Adam (Kingma and Ba, 2015) and AdamW (Loshchilov and Hutter, 2019); the learning rate is a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the mean of gradients, in [0, 1).
    pub beta1: f64,
    /// Decay of the mean of squared gradients, in [0, 1).
    pub beta2: f64,
    /// Added to the root of the second moment, after its bias correction.
    pub epsilon: f64,
    /// L2 factor, or the decay of AdamW.
    pub weight_decay: f64,
    /// AdamW: parameters shrink by lr·weight_decay; else weight_decay·parameter is added to the gradient.
    pub decoupled: bool,
}

/// Settings of gradient descent with momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// Factor of the old velocity; 0 for plain descent.
    pub momentum: f64,
    /// Nesterov's form: the step looks ahead along the velocity.
    pub nesterov: bool,
    /// L2 factor: weight_decay·parameter is added to the gradient.
    pub weight_decay: f64,
}

fn check(op: &str, name: &str, value: f64, below: f64) -> Result<f32, PlanError> {
    if (0.0..below).contains(&value) {
        return Ok(value as f32);
    }
    let range = if below.is_finite() { format!("below {below}") } else { "finite".to_owned() };
    let message = format!("{name} must be at least 0 and {range}, but is {value}");
    Err(PlanError::Settings { op: op.to_owned(), message })
}

/// β and 1 − β, each rounded once.
fn beta(op: &str, name: &str, value: f64) -> Result<(f32, f32), PlanError> {
    Ok((check(op, name, value, 1.0)?, (1.0 - value) as f32))
}

/// Records the count of an update: in tick `[R, 4]` = (updates, 1 − β1^t, 1 − β2^t, active), active becomes 1 where
/// norm `[R]` is above 0 (or NaN, which shall be seen), and the other three go on; elsewhere only active becomes 0.
/// All of tick is 0 before the first update. The betas are those of the optimiser that follows; any for SGD.
pub fn tick(
    plan: &mut Plan,
    label: &str,
    tick: TensorId,
    norm: TensorId,
    beta1: f64,
    beta2: f64,
) -> Result<(), PlanError> {
    let &[replicas] = plan.dims(norm) else {
        return Err(super::shape_error(plan, label, norm, "[R]"));
    };
    expect_dims(plan, label, tick, "[R, 4]", &[replicas, 4])?;
    let (beta1, one_minus_beta1) = beta(label, "beta1", beta1)?;
    let (beta2, one_minus_beta2) = beta(label, "beta2", beta2)?;
    let shader = plan.direct("optimizer_tick")?;
    let params = uniform::Tick { replicas: replicas as u32, beta1, one_minus_beta1, beta2, one_minus_beta2 };
    plan.record(
        Record::new(shader, format!("{label} tick"))
            .args([norm, tick])
            .params(&params)
            .work(Work::Invocations(replicas))
            .flops(5 * replicas),
    )
}

/// Checks `[R, …]` tensors that must agree, tick `[R, 4]` and lr `[R]`; returns R·size and size.
fn parameter_sizes(
    plan: &Plan,
    label: &str,
    [parameter, tick, lr]: [TensorId; 3],
    like: &[TensorId],
) -> Result<(u32, u32), PlanError> {
    let dims = plan.dims(parameter);
    let Some(&replicas) = dims.first() else {
        return Err(super::shape_error(plan, label, parameter, "[R, …]"));
    };
    for &tensor in like {
        expect_dims(plan, label, tensor, "as the parameter", dims)?;
    }
    expect_dims(plan, label, tick, "[R, 4]", &[replicas, 4])?;
    expect_dims(plan, label, lr, "[R]", &[replicas])?;
    let count = count32(label, "parameters", plan.tensor(parameter).len())?;
    Ok((count, count / replicas as u32))
}

/// Records one update of parameter, m and v `[R, …]` in place, with the gradient `[R, …]`, tick `[R, 4]` (see [`tick`])
/// and lr `[R]`. Nothing changes for a replica that is not active.
#[allow(clippy::too_many_arguments)] // each is a tensor of the formula
pub fn adam(
    plan: &mut Plan,
    label: &str,
    parameter: TensorId,
    gradient: TensorId,
    m: TensorId,
    v: TensorId,
    tick: TensorId,
    lr: TensorId,
    adam: &Adam,
) -> Result<(), PlanError> {
    let (count, size) = parameter_sizes(plan, label, [parameter, tick, lr], &[gradient, m, v])?;
    let (beta1, one_minus_beta1) = beta(label, "beta1", adam.beta1)?;
    let (beta2, one_minus_beta2) = beta(label, "beta2", adam.beta2)?;
    let params = uniform::Adam {
        count,
        size,
        beta1,
        one_minus_beta1,
        beta2,
        one_minus_beta2,
        epsilon: check(label, "epsilon", adam.epsilon, f64::INFINITY)?,
        weight_decay: check(label, "weight_decay", adam.weight_decay, f64::INFINITY)?,
        decoupled: u32::from(adam.decoupled),
    };
    let shader = plan.choose("optimizer_adam", &super::by_fours(size as usize))?;
    plan.record(
        Record::new(shader, format!("{label} adam"))
            .args([gradient, tick, lr, parameter, m, v])
            .params(&params)
            .work(Work::Invocations(super::blocks(shader, 1, count as usize)))
            .flops(17 * count as usize),
    )
}

/// Records one update of parameter and velocity `[R, …]` in place, with the gradient `[R, …]`, tick `[R, 4]` (see
/// [`tick`]) and lr `[R]`. Nothing changes for a replica that is not active. The first velocity is 0.
#[allow(clippy::too_many_arguments)] // each is a tensor of the formula
pub fn sgd(
    plan: &mut Plan,
    label: &str,
    parameter: TensorId,
    gradient: TensorId,
    velocity: TensorId,
    tick: TensorId,
    lr: TensorId,
    sgd: &Sgd,
) -> Result<(), PlanError> {
    let (count, size) = parameter_sizes(plan, label, [parameter, tick, lr], &[gradient, velocity])?;
    let params = uniform::Sgd {
        count,
        size,
        momentum: check(label, "momentum", sgd.momentum, f64::INFINITY)?,
        weight_decay: check(label, "weight_decay", sgd.weight_decay, f64::INFINITY)?,
        nesterov: u32::from(sgd.nesterov),
    };
    let shader = plan.choose("optimizer_sgd", &super::by_fours(size as usize))?;
    plan.record(
        Record::new(shader, format!("{label} sgd"))
            .args([gradient, tick, lr, parameter, velocity])
            .params(&params)
            .work(Work::Invocations(super::blocks(shader, 1, count as usize)))
            .flops(8 * count as usize),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let shapes: [(&[usize], bool); 5] = [
        (&[1, 1], false),
        (&[3, 9, 7], true),
        (&[2, 3, 3, 4, 13], false),
        (&[1, 70_001], true),
        (&[3, 100_004], true),
    ];
    cases_at(variants, &[1, 3, 70], &shapes)
}

/// Ticks of so many replicas, and updates of parameters of these dimensions, decoupled or Nesterov or not.
pub(crate) fn cases_at(
    variants: &Variants,
    replicas: &[usize],
    shapes: &[(&[usize], bool)],
) -> Result<Vec<Case>, PlanError> {
    use accuracy::ULP;
    let mut cases = Vec::new();
    // After three and after no updates, and once not active.
    let ticks = Fill::Floats(vec![3.0, 0.271, 0.002_997, 1.0, 1.0, 0.1, 0.001, 1.0, 2.0, 0.19, 0.002, 0.0]);
    for &replicas in replicas {
        let mut plan = Plan::with_variants("optimizer", variants);
        let state = super::input(&mut plan, "tick", &[replicas, 4])?;
        let norm = super::input(&mut plan, "norm", &[replicas])?;
        tick(&mut plan, "adam", state, norm, 0.9, 0.999)?;
        cases.push(Case {
            kernel: "optimizer_tick",
            shape: format!("{replicas}"),
            plan,
            inputs: vec![(state, ticks.clone()), (norm, Fill::Floats(vec![2.0, 0.0, 7.5, f32::NAN]))],
            // Two roundings.
            tolerance: Tolerance::Mixed { relative: ULP, absolute: 0.0 },
        });
    }
    for &(dims, form) in shapes {
        for kernel in ["optimizer_adam", "optimizer_sgd"] {
            let mut plan = Plan::with_variants("optimizer", variants);
            let mut inputs = Vec::new();
            let mut input = |plan: &mut Plan, name: &str, dims: &[usize], fill: Fill| {
                let tensor = super::input(plan, name, dims)?;
                inputs.push((tensor, fill));
                Ok(tensor)
            };
            let parameter = input(&mut plan, "parameter", dims, Fill::Uniform(-1.0, 1.0))?;
            let gradient = input(&mut plan, "gradient", dims, Fill::Uniform(-1.0, 1.0))?;
            let m = input(&mut plan, "m", dims, Fill::Uniform(-1.0, 1.0))?;
            let state = input(&mut plan, "tick", &[dims[0], 4], ticks.clone())?;
            let lr = input(&mut plan, "lr", &dims[..1], Fill::Floats(vec![0.01, 0.1]))?;
            let weight_decay = 0.125;
            if kernel == "optimizer_adam" {
                let v = input(&mut plan, "v", dims, Fill::Uniform(0.01, 1.0))?;
                let settings =
                    Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay, decoupled: form };
                adam(&mut plan, "adam", parameter, gradient, m, v, state, lr, &settings)?;
            } else {
                let settings = Sgd { momentum: 0.9, nesterov: form, weight_decay };
                sgd(&mut plan, "sgd", parameter, gradient, m, state, lr, &settings)?;
            }
            // Gradient with decay: at most 1.125, three roundings with the moment's, sums up to 2.2 in size. Adam's
            // step is at most 1 / (0.0999 / √0.002997) · 0.01 / 0.271 or 1 / (0.0999 / √0.001) · 0.1 / 0.1, below 0.4,
            // through two roots (4.5 ULP each) and three quotients (2.5 ULP each).
            cases.push(Case {
                kernel,
                shape: format!("{dims:?}{}", if form { " decoupled or Nesterov" } else { "" }),
                plan,
                inputs,
                tolerance: Tolerance::Mixed { relative: 4.0 * ULP, absolute: (4.0 * 2.2 + 0.4 * 20.0) * ULP },
            });
        }
    }
    Ok(cases)
}

//! A gate on a feature map: y = g ⊙ h, g = max(1 + s, 0), where s is computed from h by layers of its own.

use super::{Case, Fill, Tolerance, count32, expect_dims};
use crate::cpu::gate::Gate;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// What a closed gate (1 + s ≤ 0) passes back in training, so that it can open again.
pub const CLOSED_SLOPE: f32 = 0.01;

/// Records an element-wise kernel over tensors of one shape; returns its output.
fn record(
    plan: &mut Plan,
    label: &str,
    kernel: &'static str,
    inputs: &[TensorId],
    out: &str,
    slope: f32,
    flops: usize,
) -> Result<TensorId, PlanError> {
    let dims = plan.dims(inputs[0]).to_vec();
    for &input in &inputs[1..] {
        expect_dims(plan, label, input, "one shape for all", &dims)?;
    }
    let count = plan.tensor(inputs[0]).len();
    let params = Gate { count: count32(label, "elements", count)?, slope };
    let shader = plan.direct(kernel)?;
    let out = plan.activation(plan.fresh_name(&format!("{label}.{out}")), &dims)?;
    plan.record(
        Record::new(shader, format!("{label} {}", kernel.trim_start_matches("gate_").replace('_', " ")))
            .args(inputs.iter().copied().chain([out]))
            .params(&params)
            .work(Work::Invocations(count))
            .flops(flops * count),
    )?;
    Ok(out)
}

/// Records y = g ⊙ h, element by element; h and s have one shape, which y has too.
pub fn forward(plan: &mut Plan, label: &str, h: TensorId, s: TensorId) -> Result<TensorId, PlanError> {
    record(plan, label, "gate_forward", &[h, s], "y", 0.0, 3)
}

/// Records d_s = σ(1 + s) ⊙ h ⊙ d_y, σ(u) = 1 where u > 0, else `slope`: 0 for the derivative of [`forward`],
/// [`CLOSED_SLOPE`] for training.
pub fn backward_scale(
    plan: &mut Plan,
    label: &str,
    h: TensorId,
    s: TensorId,
    d_y: TensorId,
    slope: f32,
) -> Result<TensorId, PlanError> {
    if !(slope.is_finite() && slope >= 0.0) {
        return Err(PlanError::Settings {
            op: label.to_owned(),
            message: format!("the slope of a closed gate is finite and not negative, but is {slope}"),
        });
    }
    record(plan, label, "gate_backward_scale", &[h, s, d_y], "d_s", slope, 4)
}

/// Records d_h = g ⊙ d_y: the gate counts as a constant.
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    s: TensorId,
    d_y: TensorId,
) -> Result<TensorId, PlanError> {
    record(plan, label, "gate_backward_input", &[s, d_y], "d_h", 0.0, 3)
}

/// Records d_h = g ⊙ d_y + d_branch, where d_branch is what comes back to h through s.
pub fn backward_input_sum(
    plan: &mut Plan,
    label: &str,
    s: TensorId,
    d_y: TensorId,
    d_branch: TensorId,
) -> Result<TensorId, PlanError> {
    record(plan, label, "gate_backward_input_sum", &[s, d_y, d_branch], "d_h", 0.0, 4)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &[&[1], &[63], &[2, 3, 9, 7, 5], &[1, 70_001], &[3, 2, 25, 33, 13]])
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[&[usize]]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &dims in shapes {
        let names = ["h", "s", "d_y", "d_branch"];
        for kernel in
            ["gate_forward", "gate_backward_scale", "gate_backward_input", "gate_backward_input_sum"]
        {
            let mut plan = Plan::with_variants("gate", variants);
            let mut tensor = |i: usize| super::input(&mut plan, names[i], dims);
            let [h, s, d_y, branch] = [tensor(0)?, tensor(1)?, tensor(2)?, tensor(3)?];
            let used = match kernel {
                "gate_forward" => {
                    forward(&mut plan, "gate", h, s)?;
                    vec![h, s]
                }
                "gate_backward_scale" => {
                    backward_scale(&mut plan, "gate", h, s, d_y, CLOSED_SLOPE)?;
                    vec![h, s, d_y]
                }
                "gate_backward_input" => {
                    backward_input(&mut plan, "gate", s, d_y)?;
                    vec![s, d_y]
                }
                _ => {
                    backward_input_sum(&mut plan, "gate", s, d_y, branch)?;
                    vec![s, d_y, branch]
                }
            };
            // Exactly closed, closed, barely open; one of the shapes meets what training may meet when it goes wrong.
            let poison = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
            let edges = [-1.0, -1.000_000_1, -0.999_999_94, 0.0, -0.0, 2.5, -7.0, 0.25];
            let scales: Vec<f32> =
                if dims.len() == 5 { edges.into_iter().chain(poison).collect() } else { edges.to_vec() };
            let inputs = used.into_iter().map(|tensor| {
                (tensor, if tensor == s { Fill::Floats(scales.clone()) } else { Fill::Normal(1.0) })
            });
            cases.push(Case {
                kernel,
                shape: format!("{dims:?}"),
                inputs: inputs.collect(),
                plan,
                // (1 + s) h is a sum of two products, h and s h, and d_branch is one more.
                tolerance: Tolerance::Dot { terms: 3 },
            });
        }
    }
    Ok(cases)
}

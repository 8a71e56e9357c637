//! ReLU: y = max(x, 0).

use super::{Case, Fill, Tolerance};
use crate::cpu::relu::Relu;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records y = max(x, 0), element by element; returns y, shaped as x.
pub fn forward(plan: &mut Plan, label: &str, x: TensorId) -> Result<TensorId, PlanError> {
    let dims = plan.dims(x).to_vec();
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &dims)?;
    let count = plan.tensor(x).len();
    let shader = plan.choose("relu_forward", &super::by_fours(count))?;
    plan.record(
        Record::new(shader, format!("{label} forward"))
            .args([x, y])
            .params(&Relu { count: count as u32 })
            .work(Work::Invocations(super::blocks(shader, 1, count)))
            .flops(count),
    )?;
    Ok(y)
}

/// Records d_x = d_y where y > 0, else 0; y is the output of [`forward`].
pub fn backward(plan: &mut Plan, label: &str, y: TensorId, d_y: TensorId) -> Result<TensorId, PlanError> {
    let dims = plan.dims(y).to_vec();
    if plan.dims(d_y) != dims {
        return Err(super::shape_error(plan, &format!("{label} backward"), d_y, format!("{dims:?}")));
    }
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), &dims)?;
    let count = plan.tensor(y).len();
    let shader = plan.choose("relu_backward", &super::by_fours(count))?;
    plan.record(
        Record::new(shader, format!("{label} backward"))
            .args([y, d_y, d_x])
            .params(&Relu { count: count as u32 })
            .work(Work::Invocations(super::blocks(shader, 1, count)))
            .flops(count),
    )?;
    Ok(d_x)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &[&[1], &[63], &[2, 3, 5, 7], &[1, 70_001], &[3, 1, 8], &[1, 300_004]])
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[&[usize]]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &dims in shapes {
        let mut plan = Plan::with_variants("relu", variants);
        let x = super::input(&mut plan, "x", dims)?;
        // One of the shapes meets what training may meet when it goes wrong.
        let fill = if dims.len() == 4 {
            Fill::Floats(vec![1.0, f32::NAN, -1.0, f32::INFINITY, -0.0, f32::NEG_INFINITY, 0.5])
        } else {
            Fill::Normal(1.0)
        };
        forward(&mut plan, "relu", x)?;
        cases.push(Case {
            kernel: "relu_forward",
            shape: format!("{dims:?}"),
            plan,
            inputs: vec![(x, fill)],
            tolerance: Tolerance::Exact,
        });

        let mut plan = Plan::with_variants("relu", variants);
        let y = super::input(&mut plan, "y", dims)?;
        let d_y = super::input(&mut plan, "d_y", dims)?;
        backward(&mut plan, "relu", y, d_y)?;
        cases.push(Case {
            kernel: "relu_backward",
            shape: format!("{dims:?}"),
            plan,
            inputs: vec![(y, Fill::Floats(vec![0.0, 1.5, 0.0, 0.25, -0.0])), (d_y, Fill::Normal(1.0))],
            tolerance: Tolerance::Exact,
        });
    }
    Ok(cases)
}

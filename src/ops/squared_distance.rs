//! The mean squared distance of z from the target, an alignment loss without a softmax, with its gradient in z.

use super::softmax::{SHAPES, sparse_nan};
use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims, shape_error};
use crate::cpu::lanes::LANES;
use crate::cpu::squared_distance::SquaredDistance;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records losses `[R, N, 1]` and d_z, shaped as z; returns both.
///
/// target and z `[R, N, …]` with D values to a picture, weight `[R, N]`, norm `[R]` (what the mean divides by).
/// loss = weight / D · Σ (z − target)², and d_z = 2·weight / (norm·D) · (z − target). Where norm or weight is 0, both are
/// exactly 0. Nothing flows into the target.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    target: TensorId,
    z: TensorId,
    weight: TensorId,
    norm: TensorId,
) -> Result<(TensorId, TensorId), PlanError> {
    let dims = plan.dims(z).to_vec();
    if dims.len() < 3 {
        return Err(shape_error(plan, label, z, "[R, N, …]"));
    }
    expect_dims(plan, label, target, "as z", &dims)?;
    expect_dims(plan, label, weight, "[R, N]", &dims[..2])?;
    expect_dims(plan, label, norm, "[R]", &dims[..1])?;
    let count = plan.tensor(z).len();
    count32(label, "values", count)?;
    let rows = dims[0] * dims[1];
    let length = count / rows;
    let params = SquaredDistance { rows: rows as u32, length: length as u32, batch: dims[1] as u32 };
    let shader = plan.direct("squared_distance_forward")?;
    let losses = plan.activation(plan.fresh_name(&format!("{label}.losses")), &[dims[0], dims[1], 1])?;
    let d_z = plan.activation(plan.fresh_name(&format!("{label}.d_z")), &dims)?;
    plan.record(
        Record::new(shader, format!("{label} forward"))
            .args([target, z, weight, norm, losses, d_z])
            .params(&params)
            .work(Work::Workgroups(rows))
            .flops(4 * count)
            .iterations(length.div_ceil(LANES) + LANES.ilog2() as usize),
    )?;
    Ok((losses, d_z))
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for (dims, ..) in SHAPES {
        let mut plan = Plan::with_variants("squared_distance", variants);
        let target = super::input(&mut plan, "target", dims)?;
        let z = super::input(&mut plan, "z", dims)?;
        let weight = super::input(&mut plan, "weight", &dims[..2])?;
        let norm = super::input(&mut plan, "norm", &dims[..1])?;
        forward(&mut plan, "distance", target, z, weight, norm)?;
        let length: usize = dims[2..].iter().product();
        // A sum of squares has no cancellation: that of the sum, a difference squared, two quotients, three products.
        let relative = accuracy::lanes_sum(length) + (1.5 + 2.0 * 2.5 + 1.5) * accuracy::ULP;
        let normal = Fill::Normal(1.0);
        let infinite = Fill::Floats(vec![0.5, f32::INFINITY, -0.0, f32::NEG_INFINITY, 1e30]);
        for (what, z_fill) in [("", normal.clone()), (" infinities", infinite), (" NaN", sparse_nan())] {
            cases.push(Case {
                kernel: "squared_distance_forward",
                shape: format!("{dims:?}{what}"),
                plan: plan.clone(),
                inputs: vec![
                    (target, normal.clone()),
                    (z, z_fill),
                    (weight, Fill::Floats(vec![1.0, 0.0, 2.0])),
                    (norm, Fill::Floats(vec![1.0, 3.0, 0.0])),
                ],
                tolerance: Tolerance::Mixed { relative, absolute: 0.0 },
            });
        }
    }
    Ok(cases)
}

//! The penalty of Ross et al. (2017): the squared input gradient outside of the mask.

use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims};
use crate::cpu::input_penalty::InputPenalty;
use crate::cpu::lanes::LANES;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records losses `[R, N]` = weight · Σ (outside · g)² and d_g = the gradient of scale · Σ losses / norm in g; returns
/// both.
///
/// g `[R, N, H, W, C]` is an input gradient, outside `[R, N, H, W]` is 1 − mask, weight `[R, N]`, norm `[R]` (what the mean
/// divides by). Where weight or norm is 0, both are exactly 0.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    g: TensorId,
    outside: TensorId,
    weight: TensorId,
    norm: TensorId,
    scale: f32,
) -> Result<(TensorId, TensorId), PlanError> {
    let dims = plan.dims(g).to_vec();
    let &[replicas, batch, height, width, channels] = dims.as_slice() else {
        return Err(super::shape_error(plan, label, g, "[R, N, H, W, C]"));
    };
    expect_dims(plan, label, outside, "[R, N, H, W]", &dims[..4])?;
    expect_dims(plan, label, weight, "[R, N]", &dims[..2])?;
    expect_dims(plan, label, norm, "[R]", &dims[..1])?;
    if !scale.is_finite() {
        let message = format!("the factor of the penalty must be finite, but is {scale}");
        return Err(PlanError::Settings { op: label.to_owned(), message });
    }
    let count = count32(label, "values", plan.tensor(g).len())? as usize;
    let size = height * width * channels;
    let params = InputPenalty {
        rows: (replicas * batch) as u32,
        batch: batch as u32,
        size: size as u32,
        channels: channels as u32,
        scale,
    };
    let losses = plan.activation(plan.fresh_name(&format!("{label}.losses")), &dims[..2])?;
    let d_g = plan.activation(plan.fresh_name(&format!("{label}.d_g")), &dims)?;
    let shader = plan.direct("input_penalty_forward")?;
    plan.record(
        Record::new(shader, format!("{label} forward"))
            .args([g, outside, weight, norm, losses, d_g])
            .params(&params)
            .work(Work::Workgroups(replicas * batch))
            .flops(5 * count)
            .iterations(size.div_ceil(LANES) + LANES.ilog2() as usize),
    )?;
    Ok((losses, d_g))
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    use accuracy::ULP;
    let mut cases = Vec::new();
    for dims in [[1, 1, 1, 1, 1], [2, 3, 9, 7, 4], [3, 2, 25, 33, 13], [1, 5, 32, 32, 1]] {
        let size: usize = dims[2..].iter().product();
        // |g| and outside are at most 1: no loss is negative, so its error is relative: the sum's, and that of a square of
        // a product. A norm of about 1 / size makes d_g as large as the losses: at most 2 · 0.7 · 2 · size / 0.5, off
        // by a quotient and five products.
        let relative = accuracy::lanes_sum(size) + 3.0 * ULP;
        let absolute = 5.6 * size as f64 * (2.5 + 5.0) * ULP;
        let share = 1.0 / size as f32;
        let poison =
            Fill::Floats((0..97).map(|i| if i == 41 { f32::NAN } else { i as f32 / 97.0 }).collect());
        for (what, fill) in [("", Fill::Uniform(-1.0, 1.0)), (" NaN", poison)] {
            let mut plan = Plan::with_variants("input_penalty", variants);
            let g = super::input(&mut plan, "g", &dims)?;
            let outside = super::input(&mut plan, "outside", &dims[..4])?;
            let weight = super::input(&mut plan, "weight", &dims[..2])?;
            let norm = super::input(&mut plan, "norm", &dims[..1])?;
            forward(&mut plan, "penalty", g, outside, weight, norm, 0.7)?;
            cases.push(Case {
                kernel: "input_penalty_forward",
                shape: format!("{dims:?}{what}"),
                plan,
                inputs: vec![
                    (g, fill),
                    (outside, Fill::Floats(vec![0.0, 1.0, 0.25, 1.0, 0.9])),
                    (weight, Fill::Floats(vec![1.0, 0.0, 2.0, 0.3])),
                    (norm, Fill::Floats(vec![0.5 * share, 3.0 * share, 0.0])),
                ],
                tolerance: Tolerance::Mixed { relative, absolute },
            });
        }
    }
    Ok(cases)
}

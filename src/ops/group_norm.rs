//! Group normalisation (Wu and He 2018): each picture by itself, its channels in groups of neighbours. Its scale and shift
//! are those of [`super::normalize`].

use super::normalize::{self, EPSILON, SHAPES, UP_TO};
use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims, shape_error};
use crate::cpu::group_norm::GroupNorm;
use crate::cpu::lanes::LANES;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

fn params(plan: &Plan, op: &str, x: TensorId, groups: usize) -> Result<GroupNorm, PlanError> {
    let &[replicas, batch, height, width, channels] = plan.dims(x) else {
        return Err(shape_error(plan, op, x, "[R, N, H, W, C]"));
    };
    if groups == 0 || !channels.is_multiple_of(groups) {
        return Err(PlanError::Settings {
            op: op.to_owned(),
            message: format!(
                "{channels} channels cannot be cut into {groups} groups of one size; `groups` must divide them"
            ),
        });
    }
    count32(op, "elements", plan.tensor(x).len())?;
    Ok(GroupNorm {
        rows: (replicas * batch) as u32,
        batch: batch as u32,
        positions: (height * width) as u32,
        channels: channels as u32,
        groups: groups as u32,
        epsilon: EPSILON,
    })
}

/// Work and loop iterations of a workgroup for each picture and group, with so many passes over its values.
fn record(
    shader: &'static crate::shader::Shader,
    op: String,
    p: &GroupNorm,
    passes: usize,
    sums: usize,
) -> Record {
    let length = p.positions as usize * (p.channels / p.groups) as usize;
    Record::new(shader, op)
        .params(p)
        .work(Work::Workgroups((p.rows * p.groups) as usize))
        .iterations(passes * length.div_ceil(LANES) + sums * LANES.ilog2() as usize)
}

/// Records mean and inverse deviation of every group of x `[R, N, H, W, C]`; returns them, `[R, N, G, 2]`.
pub fn statistics(plan: &mut Plan, label: &str, x: TensorId, groups: usize) -> Result<TensorId, PlanError> {
    let op = format!("{label} statistics");
    let params = params(plan, &op, x, groups)?;
    let shader = plan.direct("group_norm_statistics")?;
    let dims = [plan.dims(x)[0], plan.dims(x)[1], groups, 2];
    let out = plan.activation(plan.fresh_name(&format!("{label}.statistics")), &dims)?;
    let flops = 4 * plan.tensor(x).len();
    plan.record(record(shader, op, &params, 2, 2).args([x, out]).flops(flops))?;
    Ok(out)
}

/// Records y for x `[R, N, H, W, C]`, weight and bias `[R, C]`; returns y, shaped as x, and the statistics that the
/// backward directions need.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    weight: TensorId,
    bias: TensorId,
    groups: usize,
) -> Result<(TensorId, TensorId), PlanError> {
    let statistics = statistics(plan, label, x, groups)?;
    Ok((normalize::forward(plan, label, x, statistics, weight, bias)?, statistics))
}

/// Records d_x from x and its statistics, weight `[R, C]` and d_y; returns d_x, shaped as x. The gradient passes through
/// the statistics too.
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    statistics: TensorId,
    weight: TensorId,
    d_y: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let groups = plan.dims(statistics).get(2).copied().unwrap_or(0);
    let params = params(plan, &op, x, groups)?;
    let dims = plan.dims(x).to_vec();
    expect_dims(plan, &op, d_y, "as x", &dims)?;
    expect_dims(plan, &op, statistics, "[R, N, G, 2]", &[dims[0], dims[1], groups, 2])?;
    expect_dims(plan, &op, weight, "[R, C]", &[dims[0], dims[4]])?;
    let shader = plan.direct("group_norm_backward_input")?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), &dims)?;
    let flops = 11 * plan.tensor(x).len();
    plan.record(record(shader, op, &params, 2, 2).args([x, statistics, weight, d_y, d_x]).flops(flops))?;
    Ok(d_x)
}

/// Roundings on the way of one of `length` values, `width` to a position, into their sum: by 64 lanes and a tree, or, as
/// the twin adds, by blocks of 64 positions, over blocks, over channels.
fn additions(length: usize, width: usize) -> f64 {
    let lanes = length.div_ceil(LANES) + LANES.ilog2() as usize;
    let positions = length / width;
    lanes.max(positions.min(64) + positions.div_ceil(64) + width) as f64
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &SHAPES)
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[([usize; 5], usize)]) -> Result<Vec<Case>, PlanError> {
    const U: f64 = 0.5 * accuracy::ULP;
    let mut cases = Vec::new();
    for &(dims, groups) in shapes {
        let [replicas, batch, height, width, channels] = dims;
        let each = channels / groups;
        let sum = additions(height * width * each, each) * U;
        let shape = format!("{dims:?} in {groups}");

        let mut plan = Plan::with_variants("group_norm", variants);
        let x = super::input(&mut plan, "x", &dims)?;
        statistics(&mut plan, "norm", x, groups)?;
        // |x| ≤ 2, so the mean is off by at most that times the sum's error and the quotient's 2.5 ULP.
        let mean = f64::from(UP_TO) * (sum + 2.5 * accuracy::ULP);
        // Distances from a mean that is off by δ add δ² to the variance: their sum is 0. Half of the variance's relative
        // error (a difference squared, a product, the sum, a quotient, the sum with epsilon), and 2 ULP of inverseSqrt or
        // of a root and a quotient.
        let variance = 4.0 * U + sum + 2.5 * accuracy::ULP + mean * mean / f64::from(EPSILON);
        let relative = 0.5 * variance + 5.0 * accuracy::ULP;
        cases.push(Case {
            kernel: "group_norm_statistics",
            shape: shape.clone(),
            plan,
            inputs: vec![(x, Fill::Uniform(-UP_TO, UP_TO))],
            tolerance: Tolerance::Mixed { relative, absolute: mean },
        });

        let mut plan = Plan::with_variants("group_norm", variants);
        let x = super::input(&mut plan, "x", &dims)?;
        let statistics = super::input(&mut plan, "statistics", &[replicas, batch, groups, 2])?;
        let weight = super::input(&mut plan, "weight", &[replicas, channels])?;
        let d_y = super::input(&mut plan, "d_y", &dims)?;
        backward_input(&mut plan, "norm", x, statistics, weight, d_y)?;
        // |g| ≤ 4 and |x̂| ≤ 8: means of magnitudes 4 and 32, with a product and three more roundings in a term; then
        // ρ (g − offset − x̂ · slope) of magnitude 2 (4 + 4 + 8 · 32), six roundings.
        let (offset, slope) =
            (4.0 * (sum + U + 2.5 * accuracy::ULP), 32.0 * (sum + 4.0 * U + 2.5 * accuracy::ULP));
        let absolute = 2.0 * (offset + 8.0 * slope) + 2.0 * (4.0 + 4.0 + 256.0) * 6.0 * U;
        let fill = Fill::Uniform(-UP_TO, UP_TO);
        cases.push(Case {
            kernel: "group_norm_backward_input",
            shape,
            plan,
            inputs: [x, statistics, weight, d_y].map(|input| (input, fill.clone())).to_vec(),
            tolerance: Tolerance::Mixed { relative: 0.0, absolute },
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_do_not_divide_the_channels_are_refused() {
        let mut plan = Plan::new("test");
        let x = plan.activation("x", &[1, 2, 3, 3, 8]).unwrap();
        let error = statistics(&mut plan, "features.1", x, 3).unwrap_err().to_string();
        assert!(
            error.contains("features.1") && error.contains("8 channels") && error.contains("3 groups"),
            "{error}"
        );
        assert!(statistics(&mut plan, "n", x, 0).is_err());
        let flat = plan.activation("flat", &[1, 2, 8]).unwrap();
        assert!(matches!(statistics(&mut plan, "n", flat, 2), Err(PlanError::Shape { .. })));
    }
}

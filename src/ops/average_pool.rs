//! Global average pooling: the mean of each channel over all positions.

use super::{Case, Fill, Tolerance, shape_error};
use crate::cpu::average_pool::AveragePool;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

fn params(dims: &[usize]) -> Option<AveragePool> {
    let &[replicas, batch, height, width, channels] = dims else { return None };
    Some(AveragePool {
        images: (replicas * batch) as u32,
        positions: (height * width) as u32,
        channels: channels as u32,
    })
}

/// Records y `[R, N, 1, 1, C]` = the mean of x `[R, N, H, W, C]` over H and W; returns y.
pub fn forward(plan: &mut Plan, label: &str, x: TensorId) -> Result<TensorId, PlanError> {
    let op = format!("{label} forward");
    let dims = plan.dims(x).to_vec();
    let params = params(&dims).ok_or_else(|| shape_error(plan, &op, x, "[R, N, H, W, C]"))?;
    let shader = plan.direct("average_pool_forward")?;
    let y_dims = [dims[0], dims[1], 1, 1, dims[4]];
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &y_dims)?;
    plan.record(
        Record::new(shader, op)
            .args([x, y])
            .params(&params)
            .work(Work::Invocations(y_dims.iter().product()))
            .iterations(dims[2] * dims[3])
            .flops(dims.iter().product()),
    )?;
    Ok(y)
}

/// Records d_x, shaped `x_dims`, from d_y `[R, N, 1, 1, C]`; returns d_x.
pub fn backward(
    plan: &mut Plan,
    label: &str,
    d_y: TensorId,
    x_dims: &[usize],
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward");
    let wrong = |plan: &Plan| {
        shape_error(plan, &op, d_y, format!("[R, N, 1, 1, C] of an input [R, N, H, W, C] = {x_dims:?}"))
    };
    let params = params(x_dims).ok_or_else(|| wrong(plan))?;
    if plan.dims(d_y) != [x_dims[0], x_dims[1], 1, 1, x_dims[4]] {
        return Err(wrong(plan));
    }
    let shader = plan.direct("average_pool_backward")?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), x_dims)?;
    let count = plan.tensor(d_x).len();
    plan.record(
        Record::new(shader, op).args([d_y, d_x]).params(&params).work(Work::Invocations(count)).flops(count),
    )?;
    Ok(d_x)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &[[1, 1, 1, 1, 1], [2, 3, 9, 7, 4], [3, 1, 25, 33, 13], [1, 2, 5, 1, 16]])
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[[usize; 5]]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &dims in shapes {
        let [replicas, batch, height, width, channels] = dims;
        let mut plan = Plan::with_variants("average_pool_forward", variants);
        let x = super::input(&mut plan, "x", &dims)?;
        forward(&mut plan, "pool", x)?;
        cases.push(Case {
            kernel: "average_pool_forward",
            shape: format!("{dims:?}"),
            plan,
            inputs: vec![(x, Fill::Normal(1.0))],
            // The division adds at most 2.5 ulp = 5 u.
            tolerance: Tolerance::Dot { terms: height * width + 5 },
        });

        let mut plan = Plan::with_variants("average_pool_backward", variants);
        let d_y = super::input(&mut plan, "d_y", &[replicas, batch, 1, 1, channels])?;
        backward(&mut plan, "pool", d_y, &dims)?;
        cases.push(Case {
            kernel: "average_pool_backward",
            shape: format!("{dims:?}"),
            plan,
            inputs: vec![(d_y, Fill::Normal(1.0))],
            // WGSL promises a division to 2.5 ulp.
            tolerance: Tolerance::Mixed {
                relative: 2.5 * f64::from(f32::EPSILON),
                absolute: f64::from(f32::MIN_POSITIVE),
            },
        });
    }
    Ok(cases)
}

//! What group and batch normalisation share: y = weight · (x − mean) · inverse deviation + bias, with mean and inverse
//! deviation given. Its bias gradient is [`super::bias::backward`].

use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims, reduce, shape_error};
use crate::cpu::normalize::Normalization;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// What is added to a variance before its root is taken, so that a constant map is no division by zero.
pub const EPSILON: f32 = 1e-5;

/// The uniform for x `[R, N, H, W, C]` and statistics `[R, N or 1, G, 2]`; an error names the tensor that does not suit.
fn params(plan: &Plan, op: &str, x: TensorId, statistics: TensorId) -> Result<Normalization, PlanError> {
    let &[replicas, batch, height, width, channels] = plan.dims(x) else {
        return Err(shape_error(plan, op, x, "[R, N, H, W, C]"));
    };
    count32(op, "elements", plan.tensor(x).len())?;
    match *plan.dims(statistics) {
        [r, blocks, groups, 2]
            if r == replicas && (blocks == batch || blocks == 1) && channels.is_multiple_of(groups) =>
        {
            Ok(Normalization {
                replicas: replicas as u32,
                batch: batch as u32,
                positions: (height * width) as u32,
                channels: channels as u32,
                groups: groups as u32,
                span: (batch / blocks) as u32,
                slices: 1,
                slice_length: (batch * height * width) as u32,
            })
        }
        _ => {
            let expected = format!("[{replicas}, {batch} or 1, G, 2] with {channels} channels in G groups");
            Err(shape_error(plan, op, statistics, expected))
        }
    }
}

/// Records y from x `[R, N, H, W, C]`, statistics `[R, N or 1, G, 2]` (mean and inverse deviation, of each picture or of
/// the batch), weight and bias `[R, C]`; returns y, shaped as x.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    statistics: TensorId,
    weight: TensorId,
    bias: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} forward");
    let params = params(plan, &op, x, statistics)?;
    let dims = plan.dims(x).to_vec();
    for tensor in [weight, bias] {
        expect_dims(plan, &op, tensor, "[R, C]", &[dims[0], dims[4]])?;
    }
    let shader = plan.direct("normalize_forward")?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &dims)?;
    let count = plan.tensor(x).len();
    plan.record(
        Record::new(shader, op)
            .args([x, statistics, weight, bias, y])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(4 * count),
    )?;
    Ok(y)
}

/// Records d_x from d_y `[R, N, H, W, C]`, the statistics being constants; returns d_x, shaped as d_y.
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    statistics: TensorId,
    weight: TensorId,
    d_y: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let params = params(plan, &op, d_y, statistics)?;
    let dims = plan.dims(d_y).to_vec();
    expect_dims(plan, &op, weight, "[R, C]", &[dims[0], dims[4]])?;
    let shader = plan.direct("normalize_backward_input")?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), &dims)?;
    let count = plan.tensor(d_y).len();
    plan.record(
        Record::new(shader, op)
            .args([statistics, weight, d_y, d_x])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(2 * count),
    )?;
    Ok(d_x)
}

/// Records d_weight `[R, C]` = Σ over pictures and positions of x̂ ⊙ d_y.
pub fn backward_weight(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    statistics: TensorId,
    d_y: TensorId,
    d_weight: TensorId,
) -> Result<(), PlanError> {
    let op = format!("{label} backward weight");
    let mut params = params(plan, &op, x, statistics)?;
    expect_dims(plan, &op, d_y, "as x", plan.dims(x))?;
    let [replicas, channels] = [params.replicas, params.channels].map(|n| n as usize);
    expect_dims(plan, &op, d_weight, "[R, C]", &[replicas, channels])?;
    let shader = plan.direct("normalize_backward_weight")?;
    let rows = params.slice_length as usize;
    let (slices, slice_length) = reduce::slicing(rows, channels, reduce::busy(shader));
    (params.slices, params.slice_length) = (slices as u32, slice_length as u32);
    let partial = reduce::partial(plan, d_weight, slices)?;
    plan.record(
        Record::new(shader, op.clone())
            .args([x, statistics, d_y, partial])
            .params(&params)
            .work(Work::Invocations(replicas * slices * channels))
            .iterations(slice_length)
            .flops(4 * plan.tensor(x).len()),
    )?;
    if slices > 1 {
        reduce::sum_slices(plan, &op, partial, d_weight)?;
    }
    Ok(())
}

/// Shapes `[R, N, H, W, C]` and groups for doctor and the tests.
pub(super) const SHAPES: [([usize; 5], usize); 6] = [
    ([1, 1, 1, 1, 1], 1),
    ([2, 3, 9, 7, 8], 2),
    ([1, 2, 25, 33, 13], 13),
    ([3, 2, 4, 4, 16], 1),
    ([1, 5, 3, 2, 12], 4),
    ([1, 40, 24, 24, 4], 2),
];

/// Bound of the values that the cases draw: x, mean, weight, bias and d_y lie in [−2, 2), inverse deviations too, so that
/// |x̂| ≤ 8.
pub(super) const UP_TO: f32 = 2.0;

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &SHAPES)
}

/// The cases of every kernel here at these shapes, with statistics of each picture and of the batch.
pub(crate) fn cases_at(variants: &Variants, shapes: &[([usize; 5], usize)]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(dims, groups) in shapes {
        let [replicas, batch, height, width, channels] = dims;
        for blocks in [batch, 1] {
            for kernel in ["normalize_forward", "normalize_backward_input", "normalize_backward_weight"] {
                let mut plan = Plan::with_variants("normalize", variants);
                let x = super::input(&mut plan, "x", &dims)?;
                let statistics = super::input(&mut plan, "statistics", &[replicas, blocks, groups, 2])?;
                let mut inputs = vec![x, statistics];
                // A difference, two products and a sum, of magnitudes 4, 8, 16 and 18: a rounding each.
                let mut absolute = (4.0 * 4.0 + 2.0 * 8.0 + 16.0 + 18.0) * 0.5 * accuracy::ULP;
                if kernel == "normalize_forward" {
                    let weight = super::input(&mut plan, "weight", &[replicas, channels])?;
                    let bias = super::input(&mut plan, "bias", &[replicas, channels])?;
                    forward(&mut plan, "norm", x, statistics, weight, bias)?;
                    inputs.extend([weight, bias]);
                } else if kernel == "normalize_backward_input" {
                    let weight = super::input(&mut plan, "weight", &[replicas, channels])?;
                    backward_input(&mut plan, "norm", statistics, weight, x)?;
                    inputs.push(weight);
                } else {
                    let d_y = super::input(&mut plan, "d_y", &dims)?;
                    let d_weight = plan.activation("d_weight", &[replicas, channels])?;
                    backward_weight(&mut plan, "norm", x, statistics, d_y, d_weight)?;
                    inputs.push(d_y);
                    // Terms of magnitude 16, each with three roundings and the additions of its slice (or, in the twin, of
                    // its picture's share of the slice) and of the slices.
                    let terms = batch * height * width;
                    let shader = plan.direct("normalize_backward_weight")?;
                    let (slices, length) = reduce::slicing(terms, channels, reduce::busy(shader));
                    let roundings = length + batch + slices + 5;
                    absolute = (terms * roundings) as f64 * 16.0 * 0.5 * accuracy::ULP;
                }
                let fill = Fill::Uniform(-UP_TO, UP_TO);
                cases.push(Case {
                    kernel,
                    shape: format!("{dims:?} in {groups}, statistics of {blocks}"),
                    plan,
                    inputs: inputs.into_iter().map(|input| (input, fill.clone())).collect(),
                    tolerance: Tolerance::Mixed { relative: 0.0, absolute },
                });
            }
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut plan = Plan::new("test");
        let x = plan.activation("x", &[1, 2, 3, 3, 8]).unwrap();
        let statistics = plan.activation("statistics", &[1, 2, 4, 2]).unwrap();
        let weight = plan.activation("weight", &[1, 8]).unwrap();
        let short = plan.activation("short", &[1, 7]).unwrap();
        let uneven = plan.activation("uneven", &[1, 2, 3, 2]).unwrap();
        assert!(matches!(forward(&mut plan, "n", x, uneven, weight, weight), Err(PlanError::Shape { .. })));
        assert!(matches!(
            forward(&mut plan, "n", x, statistics, weight, short),
            Err(PlanError::Shape { .. })
        ));
        assert!(matches!(
            forward(&mut plan, "n", weight, statistics, weight, weight),
            Err(PlanError::Shape { .. })
        ));
        assert!(matches!(
            backward_weight(&mut plan, "n", x, statistics, weight, weight),
            Err(PlanError::Shape { .. })
        ));
        assert!(forward(&mut plan, "n", x, statistics, weight, weight).is_ok());
    }
}

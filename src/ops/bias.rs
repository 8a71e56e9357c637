//! The gradient of a bias; its forward direction is part of the layer that has the bias.

use super::{Case, Fill, Tolerance, reduce, shape_error};
use crate::cpu::bias::Bias;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records d_bias = the sum of d_y over its rows; d_bias is `[R, …]` with C elements per replica, d_y
/// `[R, rows…, …]` whose last dimensions hold the same C: pictures for a linear or a diagonal layer, positions of
/// pictures for a convolution.
pub fn backward(plan: &mut Plan, label: &str, d_y: TensorId, d_bias: TensorId) -> Result<(), PlanError> {
    let op = format!("{label} bias backward");
    let replicas = plan.dims(d_bias)[0];
    let channels = plan.tensor(d_bias).len() / replicas;
    let dims = plan.dims(d_y);
    let mut tails = (1..=dims.len()).map(|first| dims[first..].iter().product::<usize>());
    if dims[0] != replicas || !tails.any(|tail| tail == channels) {
        let expected = format!("[{replicas}, rows…, …] whose last dimensions hold {channels} elements");
        return Err(shape_error(plan, &op, d_y, expected));
    }
    let rows = plan.tensor(d_y).len() / replicas / channels;

    let shader = plan.choose("bias_backward", &super::by_fours(channels))?;
    let invocations = super::blocks(shader, 1, channels);
    let (slices, slice_length) = reduce::slicing(rows, invocations, reduce::busy(shader));
    let partial = reduce::partial(plan, d_bias, slices)?;
    plan.record(
        Record::new(shader, op.clone())
            .args([d_y, partial])
            .params(&Bias {
                replicas: replicas as u32,
                rows: rows as u32,
                channels: channels as u32,
                slices: slices as u32,
                slice_length: slice_length as u32,
            })
            .work(Work::Invocations(replicas * slices * invocations))
            .iterations(slice_length)
            .flops(replicas * rows * channels),
    )?;
    if slices > 1 {
        reduce::sum_slices(plan, &op, partial, d_bias)?;
    }
    Ok(())
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let shapes: [(&[usize], [usize; 2]); 5] = [
        (&[1, 1, 1], [1, 1]),
        (&[3, 5, 13], [3, 13]),
        (&[2, 3, 9, 7, 4], [2, 4]),
        (&[2, 3, 4, 2, 2], [2, 16]), // a diagonal layer on features not yet flat
        (&[1, 40_000, 8], [1, 8]),
    ];
    cases_at(variants, &shapes)
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(
    variants: &Variants,
    shapes: &[(&[usize], [usize; 2])],
) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(dims, d_bias_dims) in shapes {
        let mut plan = Plan::with_variants("bias_backward", variants);
        let d_y = super::input(&mut plan, "d_y", dims)?;
        let d_bias = plan.activation("d_bias", &d_bias_dims)?;
        backward(&mut plan, "layer", d_y, d_bias)?;
        let channels = d_bias_dims[1];
        let rows = dims.iter().product::<usize>() / dims[0] / channels;
        cases.push(Case {
            kernel: "bias_backward",
            shape: format!("{dims:?} to {d_bias_dims:?}"),
            plan,
            inputs: vec![(d_y, Fill::Normal(1.0))],
            tolerance: Tolerance::Dot { terms: rows },
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_that_are_no_tail_of_d_y_are_refused() {
        let mut plan = Plan::new("test");
        let d_y = plan.activation("d_y", &[1, 6, 4]).unwrap();
        let d_bias = plan.activation("d_bias", &[1, 3]).unwrap();
        assert!(matches!(backward(&mut plan, "l", d_y, d_bias), Err(PlanError::Shape { .. })));
        let d_bias = plan.activation("other", &[2, 4]).unwrap();
        assert!(matches!(backward(&mut plan, "l", d_y, d_bias), Err(PlanError::Shape { .. })));
    }
}

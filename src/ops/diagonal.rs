//! Diagonal linear layer: z = w ⊙ x + b. Its bias gradient is [`super::bias::backward`].

use super::{Case, Fill, Tolerance, reduce, shape_error};
use crate::cpu::diagonal::Diagonal;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// The uniform for x (or z) `[R, N, …]` and a weight `[R, D]`; an error names the tensor that does not suit.
pub(super) fn params(plan: &Plan, op: &str, x: TensorId, weight: TensorId) -> Result<Diagonal, PlanError> {
    let &[replicas, features] = plan.dims(weight) else {
        return Err(shape_error(plan, op, weight, "[R, D]"));
    };
    let dims = plan.dims(x);
    if dims.len() < 2 || dims[0] != replicas || dims[2..].iter().product::<usize>() != features {
        let expected = format!("[{replicas}, N, …] with {features} features to a picture");
        return Err(shape_error(plan, op, x, expected));
    }
    Ok(Diagonal {
        replicas: replicas as u32,
        batch: dims[1] as u32,
        features: features as u32,
        slices: 1,
        slice_length: dims[1] as u32,
    })
}

/// Records z = w ⊙ x + b; x is `[R, N, …]` with D features to a picture, weight and bias are `[R, D]`; returns z,
/// shaped as x.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    weight: TensorId,
    bias: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} forward");
    let params = params(plan, &op, x, weight)?;
    if plan.dims(bias) != plan.dims(weight) {
        return Err(shape_error(plan, &op, bias, format!("{:?}", plan.dims(weight))));
    }
    let shader = plan.direct("diagonal_forward")?;
    let dims = plan.dims(x).to_vec();
    let z = plan.activation(plan.fresh_name(&format!("{label}.z")), &dims)?;
    let count = plan.tensor(x).len();
    plan.record(
        Record::new(shader, op)
            .args([x, weight, bias, z])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(2 * count),
    )?;
    Ok(z)
}

/// Records d_x = w ⊙ d_z; returns d_x, shaped as d_z.
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    d_z: TensorId,
    weight: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let params = params(plan, &op, d_z, weight)?;
    let shader = plan.direct("diagonal_backward_input")?;
    let dims = plan.dims(d_z).to_vec();
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), &dims)?;
    let count = plan.tensor(d_z).len();
    plan.record(
        Record::new(shader, op)
            .args([d_z, weight, d_x])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(count),
    )?;
    Ok(d_x)
}

/// Records d_weight `[R, D]` = Σ over n of x ⊙ d_z.
pub fn backward_weight(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    d_z: TensorId,
    d_weight: TensorId,
) -> Result<(), PlanError> {
    let op = format!("{label} backward weight");
    let mut params = params(plan, &op, x, d_weight)?;
    self::params(plan, &op, d_z, d_weight)?;
    if plan.dims(d_z)[1] != plan.dims(x)[1] {
        return Err(shape_error(plan, &op, d_z, format!("the batch of {:?}", plan.dims(x))));
    }
    let shader = plan.direct("diagonal_backward_weight")?;
    let [replicas, features] = [params.replicas, params.features].map(|n| n as usize);
    let (slices, slice_length) = reduce::slicing(params.batch as usize, features, reduce::busy(shader));
    (params.slices, params.slice_length) = (slices as u32, slice_length as u32);
    let partial = reduce::partial(plan, d_weight, slices)?;
    plan.record(
        Record::new(shader, op.clone())
            .args([x, d_z, partial])
            .params(&params)
            .work(Work::Invocations(replicas * slices * features))
            .iterations(slice_length)
            .flops(2 * plan.tensor(x).len()),
    )?;
    if slices > 1 {
        reduce::sum_slices(plan, &op, partial, d_weight)?;
    }
    Ok(())
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &[&[1, 1, 1], &[3, 5, 13], &[2, 3, 9, 7, 4], &[1, 1000, 5]])
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[&[usize]]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &dims in shapes {
        let (replicas, batch) = (dims[0], dims[1]);
        let features = dims[2..].iter().product();
        for (kernel, terms) in
            [("diagonal_forward", 2), ("diagonal_backward_input", 1), ("diagonal_backward_weight", batch)]
        {
            let mut plan = Plan::with_variants(kernel, variants);
            let x = super::input(&mut plan, "x", dims)?;
            let weight = super::input(&mut plan, "weight", &[replicas, features])?;
            let bias = super::input(&mut plan, "bias", &[replicas, features])?;
            let d_z = super::input(&mut plan, "d_z", dims)?;
            let d_weight = plan.activation("d_weight", &[replicas, features])?;
            let inputs = match kernel {
                "diagonal_forward" => {
                    forward(&mut plan, "mapping", x, weight, bias)?;
                    vec![x, weight, bias]
                }
                "diagonal_backward_input" => {
                    backward_input(&mut plan, "mapping", d_z, weight)?;
                    vec![d_z, weight]
                }
                _ => {
                    backward_weight(&mut plan, "mapping", x, d_z, d_weight)?;
                    vec![x, d_z]
                }
            };
            cases.push(Case {
                kernel,
                shape: format!("{dims:?}"),
                plan,
                inputs: inputs.into_iter().map(|input| (input, Fill::Normal(1.0))).collect(),
                tolerance: Tolerance::Dot { terms },
            });
        }
    }
    Ok(cases)
}

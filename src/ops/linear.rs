//! Linear layer: y = x W + b, perhaps with a ReLU behind it. Its bias gradient is [`super::bias::backward`].

use super::family::{self, Product};
use super::{Case, Fill, Tolerance, reduce, shape_error};
use crate::cpu::linear::Linear;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants};
use crate::shader::Shader;

/// The uniform for x `[R, N, …]`, y `[R, N, D_out]` of batch N and a weight `[R, D_in, D_out]`.
fn params(plan: &Plan, op: &str, batch: usize, weight: TensorId) -> Result<Linear, PlanError> {
    let &[replicas, features_in, features_out] = plan.dims(weight) else {
        return Err(shape_error(plan, op, weight, "[R, D_in, D_out]"));
    };
    Ok(Linear {
        replicas: replicas as u32,
        batch: batch as u32,
        features_in: features_in as u32,
        features_out: features_out as u32,
        slices: 1,
        slice_length: batch as u32,
        relu: 0,
    })
}

/// Whether dimensions are `[R, N, …]` with so many features to a picture.
pub(super) fn fits(dims: &[usize], replicas: usize, batch: usize, features: usize) -> bool {
    dims.len() >= 2 && dims[..2] == [replicas, batch] && dims[2..].iter().product::<usize>() == features
}

/// The variant of a kernel for a product of this layer.
fn choose(
    plan: &mut Plan,
    kernel: &'static str,
    p: &Linear,
    product: Product,
) -> Result<&'static Shader, PlanError> {
    let quads = p.features_in.is_multiple_of(4) && p.features_out.is_multiple_of(4);
    let fitting = [("shared_tile", true), ("subgroup", quads), ("register_block", quads), ("direct", true)];
    let shape = format!("{}x{}x{}", p.batch, p.features_in, p.features_out);
    plan.choose_for(kernel, &family::order(plan.target(), kernel, product, &fitting), &shape)
}

/// Multiplications and additions of one product.
fn flops(p: &Linear) -> usize {
    [p.replicas, p.batch, p.features_in, p.features_out].iter().map(|&n| n as usize).product::<usize>() * 2
}

/// Records y = x W + b, with y = max(y, 0) behind it if `relu`; x is `[R, N, …]` with D_in features to a picture,
/// weight `[R, D_in, D_out]`, bias `[R, D_out]`; returns y `[R, N, D_out]`.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    weight: TensorId,
    bias: TensorId,
    relu: bool,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} forward");
    let batch = plan.dims(x).get(1).copied().unwrap_or(0);
    let params = Linear { relu: relu.into(), ..params(plan, &op, batch, weight)? };
    let &[replicas, d_in, d_out] = plan.dims(weight) else {
        return Err(shape_error(plan, &op, weight, "[R, D_in, D_out]"));
    };
    if !fits(plan.dims(x), replicas, batch, d_in) {
        let expected = format!("[{replicas}, N, …] with {d_in} features to a picture");
        return Err(shape_error(plan, &op, x, expected));
    }
    if plan.dims(bias) != [replicas, d_out] {
        return Err(shape_error(plan, &op, bias, format!("[{replicas}, {d_out}]")));
    }
    let product = Product::new(batch, d_out);
    let shader = choose(plan, "linear_forward", &params, product)?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &[replicas, batch, d_out])?;
    plan.record(
        Record::new(shader, op)
            .args([x, weight, bias, y])
            .params(&params)
            .work(super::work(shader, replicas * product.blocks(shader)))
            .iterations(d_in)
            .flops(flops(&params)),
    )?;
    Ok(y)
}

/// Records d_x = d_y Wᵀ; d_y is `[R, N, D_out]`; returns d_x, shaped `x_dims` = `[R, N, …]`.
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    d_y: TensorId,
    weight: TensorId,
    x_dims: &[usize],
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let batch = x_dims.get(1).copied().unwrap_or(0);
    let params = params(plan, &op, batch, weight)?;
    let [replicas, d_in, d_out] =
        [params.replicas, params.features_in, params.features_out].map(|n| n as usize);
    if !fits(plan.dims(d_y), replicas, batch, d_out) || !fits(x_dims, replicas, batch, d_in) {
        let expected = format!("[{replicas}, N, {d_out}] of an input [{replicas}, N, {d_in}] = {x_dims:?}");
        return Err(shape_error(plan, &op, d_y, expected));
    }
    let product = Product::new(batch, d_in);
    let shader = choose(plan, "linear_backward_input", &params, product)?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), x_dims)?;
    plan.record(
        Record::new(shader, op)
            .args([d_y, weight, d_x])
            .params(&params)
            .work(super::work(shader, replicas * product.blocks(shader)))
            .iterations(d_out)
            .flops(flops(&params)),
    )?;
    Ok(d_x)
}

/// Records d_weight `[R, D_in, D_out]` = xᵀ d_y; x is `[R, N, …]` with D_in features to a picture, d_y
/// `[R, N, D_out]`.
pub fn backward_weight(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    d_y: TensorId,
    d_weight: TensorId,
) -> Result<(), PlanError> {
    let op = format!("{label} backward weight");
    let batch = plan.dims(x).get(1).copied().unwrap_or(0);
    let mut params = params(plan, &op, batch, d_weight)?;
    let [replicas, d_in, d_out] =
        [params.replicas, params.features_in, params.features_out].map(|n| n as usize);
    for (tensor, features) in [(x, d_in), (d_y, d_out)] {
        if !fits(plan.dims(tensor), replicas, batch, features) {
            let expected = format!("[{replicas}, {batch}, …] with {features} features to a picture");
            return Err(shape_error(plan, &op, tensor, expected));
        }
    }
    let product = Product::new(d_in, d_out);
    let shader = choose(plan, "linear_backward_weight", &params, product)?;
    let blocks = product.blocks(shader);
    let (slices, slice_length) = reduce::slicing(batch, blocks, reduce::busy(shader));
    (params.slices, params.slice_length) = (slices as u32, slice_length as u32);
    let partial = reduce::partial(plan, d_weight, slices)?;
    plan.record(
        Record::new(shader, op.clone())
            .args([x, d_y, partial])
            .params(&params)
            .work(super::work(shader, replicas * slices * blocks))
            .iterations(slice_length)
            .flops(flops(&params)),
    )?;
    if slices > 1 {
        reduce::sum_slices(plan, &op, partial, d_weight)?;
    }
    Ok(())
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let shapes: [(&[usize], usize); 6] = [
        (&[1, 1, 1], 1),
        (&[3, 5, 13], 7),
        (&[2, 9, 8], 4),
        (&[2, 3, 5, 4, 4], 16), // features not yet flat
        (&[1, 33, 100], 36),
        (&[2, 300, 16], 2),
    ];
    cases_at(variants, &shapes)
}

/// Dimensions of x, and D_out.
pub(crate) fn cases_at(variants: &Variants, shapes: &[(&[usize], usize)]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(x_dims, d_out) in shapes {
        let (replicas, batch) = (x_dims[0], x_dims[1]);
        let d_in = x_dims[2..].iter().product();
        for (kernel, terms) in [
            ("linear_forward", d_in + 1),
            ("linear_backward_input", d_out),
            ("linear_backward_weight", batch),
        ] {
            let mut plan = Plan::with_variants(kernel, variants);
            let x = super::input(&mut plan, "x", x_dims)?;
            let weight = super::input(&mut plan, "weight", &[replicas, d_in, d_out])?;
            let bias = super::input(&mut plan, "bias", &[replicas, d_out])?;
            let d_y = super::input(&mut plan, "d_y", &[replicas, batch, d_out])?;
            let d_weight = plan.activation("d_weight", &[replicas, d_in, d_out])?;
            let inputs = match kernel {
                "linear_forward" => {
                    forward(&mut plan, "layer", x, weight, bias, d_out % 2 == 0)?;
                    vec![x, weight, bias]
                }
                "linear_backward_input" => {
                    backward_input(&mut plan, "layer", d_y, weight, x_dims)?;
                    vec![d_y, weight]
                }
                _ => {
                    backward_weight(&mut plan, "layer", x, d_y, d_weight)?;
                    vec![x, d_y]
                }
            };
            cases.push(Case {
                kernel,
                shape: format!("{x_dims:?} to {d_out}"),
                plan,
                inputs: inputs.into_iter().map(|input| (input, Fill::Normal(1.0))).collect(),
                tolerance: Tolerance::Dot { terms },
            });
        }
    }
    Ok(cases)
}

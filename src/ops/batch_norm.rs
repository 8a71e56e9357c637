//! Batch normalisation (Ioffe and Szegedy 2015): each channel over the pictures of a batch that count. Its scale and shift
//! are those of [`super::normalize`].

use super::normalize::{self, EPSILON, UP_TO};
use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims, reduce, shape_error};
use crate::cpu::batch_norm::BatchNorm;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Share of the running statistics that a batch replaces.
pub const MOMENTUM: f32 = 0.1;

/// Mean and variance of each channel, both `[R, C]`, that training moves and evaluation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Mean.
    pub mean: TensorId,
    /// Variance without bias.
    pub variance: TensorId,
}

fn params(plan: &Plan, op: &str, x: TensorId) -> Result<BatchNorm, PlanError> {
    let &[replicas, batch, height, width, channels] = plan.dims(x) else {
        return Err(shape_error(plan, op, x, "[R, N, H, W, C]"));
    };
    count32(op, "elements", plan.tensor(x).len())?;
    Ok(BatchNorm {
        replicas: replicas as u32,
        batch: batch as u32,
        positions: (height * width) as u32,
        channels: channels as u32,
        slices: 1,
        slice_length: (batch * height * width) as u32,
        momentum: MOMENTUM,
        epsilon: EPSILON,
    })
}

/// Records a sum over pictures and positions, cut into slices; returns it, `[R, C]`.
fn sums(
    plan: &mut Plan,
    label: &str,
    kernel: &'static str,
    inputs: &[TensorId],
    flops: usize,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} {}", kernel.trim_start_matches("batch_norm_"));
    let x = inputs[0];
    let mut params = params(plan, &op, x)?;
    let dims = [params.replicas, params.channels].map(|n| n as usize);
    expect_dims(plan, &op, inputs[1], "[R, N]", &[dims[0], params.batch as usize])?;
    let shader = plan.direct(kernel)?;
    let (slices, length) = reduce::slicing(params.slice_length as usize, dims[1], reduce::busy(shader));
    (params.slices, params.slice_length) = (slices as u32, length as u32);
    let out = plan.activation(plan.fresh_name(&format!("{op}.out")), &dims)?;
    let partial = reduce::partial(plan, out, slices)?;
    let count = plan.tensor(x).len();
    plan.record(
        Record::new(shader, op.clone())
            .args(inputs.iter().copied().chain([partial]))
            .params(&params)
            .work(Work::Invocations(dims[0] * slices * dims[1]))
            .iterations(length + params.batch as usize)
            .flops(flops * count),
    )?;
    if slices > 1 {
        reduce::sum_slices(plan, &op, partial, out)?;
    }
    Ok(out)
}

/// Records the statistics `[R, 1, C, 2]` (mean, inverse deviation) of x `[R, N, H, W, C]` over the pictures whose weight
/// `[R, N]` is not 0, and the step of the running ones; returns the former.
pub fn batch_statistics(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    present: TensorId,
    running: Running,
) -> Result<TensorId, PlanError> {
    let total = sums(plan, label, "batch_norm_sum", &[x, present], 1)?;
    let squares = sums(plan, label, "batch_norm_squares", &[x, present, total], 3)?;
    let op = format!("{label} finish");
    let params = params(plan, &op, x)?;
    let [replicas, channels] = [params.replicas, params.channels].map(|n| n as usize);
    for tensor in [running.mean, running.variance] {
        expect_dims(plan, &op, tensor, "[R, C]", &[replicas, channels])?;
    }
    let shader = plan.direct("batch_norm_finish")?;
    let out =
        plan.activation(plan.fresh_name(&format!("{label}.statistics")), &[replicas, 1, channels, 2])?;
    plan.record(
        Record::new(shader, op)
            .args([total, squares, present, out, running.mean, running.variance])
            .params(&params)
            .work(Work::Invocations(replicas * channels))
            .iterations(params.batch as usize)
            .flops(10 * replicas * channels),
    )?;
    Ok(out)
}

/// Records the statistics `[R, 1, C, 2]` as evaluation takes them, from the running ones; x says for what map.
pub fn running_statistics(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    running: Running,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} running statistics");
    let params = params(plan, &op, x)?;
    let [replicas, channels] = [params.replicas, params.channels].map(|n| n as usize);
    for tensor in [running.mean, running.variance] {
        expect_dims(plan, &op, tensor, "[R, C]", &[replicas, channels])?;
    }
    let shader = plan.direct("batch_norm_running")?;
    let out =
        plan.activation(plan.fresh_name(&format!("{label}.statistics")), &[replicas, 1, channels, 2])?;
    plan.record(
        Record::new(shader, op)
            .args([running.mean, running.variance, out])
            .params(&params)
            .work(Work::Invocations(replicas * channels))
            .flops(2 * replicas * channels),
    )?;
    Ok(out)
}

/// Records d_x of a forward pass with [`batch_statistics`] over `present`; d_weight and d_bias `[R, C]` are the whole
/// gradients of scale and shift. Returns d_x, shaped as x. With [`running_statistics`] it is
/// [`normalize::backward_input`].
#[allow(clippy::too_many_arguments)]
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    statistics: TensorId,
    weight: TensorId,
    d_y: TensorId,
    [d_weight, d_bias]: [TensorId; 2],
    present: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let params = params(plan, &op, x)?;
    let dims = plan.dims(x).to_vec();
    expect_dims(plan, &op, d_y, "as x", &dims)?;
    expect_dims(plan, &op, statistics, "[R, 1, C, 2]", &[dims[0], 1, dims[4], 2])?;
    for tensor in [weight, d_weight, d_bias] {
        expect_dims(plan, &op, tensor, "[R, C]", &[dims[0], dims[4]])?;
    }
    expect_dims(plan, &op, present, "[R, N]", &dims[..2])?;
    let shader = plan.direct("batch_norm_coefficients")?;
    let coefficients =
        plan.activation(plan.fresh_name(&format!("{label}.coefficients")), &[dims[0], dims[4], 4])?;
    plan.record(
        Record::new(shader, format!("{label} coefficients"))
            .args([statistics, weight, d_weight, d_bias, present, coefficients])
            .params(&params)
            .work(Work::Invocations(dims[0] * dims[4]))
            .iterations(params.batch as usize)
            .flops(6 * dims[0] * dims[4]),
    )?;
    through(plan, label, x, coefficients, d_y, present)
}

/// The part of [`backward_input`] that every element has a share in.
fn through(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    coefficients: TensorId,
    d_y: TensorId,
    present: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let params = params(plan, &op, x)?;
    let (dims, count) = (plan.dims(x).to_vec(), plan.tensor(x).len());
    let shader = plan.direct("batch_norm_backward_input")?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), &dims)?;
    plan.record(
        Record::new(shader, op)
            .args([x, coefficients, d_y, present, d_x])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(5 * count),
    )?;
    Ok(d_x)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &normalize::SHAPES.map(|(dims, _)| dims))
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[[usize; 5]]) -> Result<Vec<Case>, PlanError> {
    const U: f64 = 0.5 * accuracy::ULP;
    let signed = Fill::Uniform(-UP_TO, UP_TO);
    let positive = Fill::Uniform(0.0, UP_TO);
    let some = Fill::Floats(vec![1.0, 0.0, 2.0]);
    let mut cases = Vec::new();
    for &dims in shapes {
        let [replicas, batch, height, width, channels] = dims;
        let terms = batch * height * width;
        let small = [replicas, channels];
        for kernel in [
            "batch_norm_sum",
            "batch_norm_squares",
            "batch_norm_finish",
            "batch_norm_running",
            "batch_norm_coefficients",
            "batch_norm_backward_input",
        ] {
            let mut plan = Plan::with_variants("batch_norm", variants);
            let mut input = |name: &str, dims: &[usize]| super::input(&mut plan, name, dims);
            let (x, present) = (input("x", &dims)?, input("present", &dims[..2])?);
            let [mean, variance] = [input("running_mean", &small)?, input("running_var", &small)?];
            let running = Running { mean, variance };
            let (inputs, tolerance) = match kernel {
                "batch_norm_sum" => {
                    sums(&mut plan, "norm", kernel, &[x, present], 1)?;
                    (vec![(x, signed.clone()), (present, some.clone())], Tolerance::Dot { terms })
                }
                "batch_norm_squares" => {
                    let total = input("total", &small)?;
                    let shader = plan.direct(kernel)?;
                    let (slices, length) = reduce::slicing(terms, channels, reduce::busy(shader));
                    sums(&mut plan, "norm", kernel, &[x, present, total], 3)?;
                    // Terms of up to 16, with three roundings, the additions of a slice and those of the slices, and a
                    // distance of up to 4 from a mean of up to 2, off by 2.5 ULP.
                    let each =
                        16.0 * (length + slices + 5) as f64 * U + 2.0 * 4.0 * 2.0 * 2.5 * accuracy::ULP;
                    let absolute = terms as f64 * each;
                    let fills = vec![(x, signed.clone()), (present, some.clone()), (total, signed.clone())];
                    (fills, Tolerance::Mixed { relative: 0.0, absolute })
                }
                "batch_norm_finish" => {
                    batch_statistics(&mut plan, "norm", x, present, running)?;
                    // Additions on the longest way, and a quotient: a mean of values up to 2 is off by this share of 2.
                    let shader = plan.direct("batch_norm_sum")?;
                    let (slices, length) = reduce::slicing(terms, channels, reduce::busy(shader));
                    let path = (length + slices + 5) as f64 * U + 2.5 * accuracy::ULP;
                    // Half the variance's relative error, of which that of the mean is the square (see group_norm).
                    let off = f64::from(UP_TO) * path;
                    let variance = path + 4.0 * U + 2.5 * accuracy::ULP + off * off / f64::from(EPSILON);
                    // What a running value moves by lies within 4, what it comes to within 6: three roundings.
                    let (relative, absolute) = (variance + 5.0 * accuracy::ULP, off + 6.0 * 3.0 * U);
                    let fills = vec![
                        (x, signed.clone()),
                        (present, some.clone()),
                        (mean, signed.clone()),
                        (running.variance, positive.clone()),
                    ];
                    (fills, Tolerance::Mixed { relative, absolute })
                }
                "batch_norm_running" => {
                    running_statistics(&mut plan, "norm", x, running)?;
                    let fills = vec![(mean, signed.clone()), (variance, positive.clone())];
                    (fills, Tolerance::Mixed { relative: 5.0 * accuracy::ULP, absolute: 0.0 })
                }
                "batch_norm_coefficients" => {
                    let statistics = input("statistics", &[replicas, 1, channels, 2])?;
                    let [weight, d_weight, d_bias] =
                        [input("weight", &small)?, input("d_weight", &small)?, input("d_bias", &small)?];
                    let sums = [d_weight, d_bias];
                    backward_input(&mut plan, "norm", x, statistics, weight, x, sums, present)?;
                    let inputs =
                        [x, statistics, weight, d_weight, d_bias].map(|input| (input, signed.clone()));
                    // Up to three products and a quotient.
                    let relative = 3.0 * U + 2.5 * accuracy::ULP;
                    let fills = inputs.into_iter().chain([(present, some.clone())]).collect();
                    (fills, Tolerance::Mixed { relative, absolute: 0.0 })
                }
                _ => {
                    let coefficients = input("coefficients", &[replicas, channels, 4])?;
                    let d_y = input("d_y", &dims)?;
                    through(&mut plan, "norm", x, coefficients, d_y, present)?;
                    // Magnitudes of two products, of two differences and a sum: 4, 4 (times the slope), 8, 10 and 14.
                    let absolute = (4.0 + 2.0 * 4.0 + 8.0 + 10.0 + 14.0) * U;
                    let inputs = [x, coefficients, d_y].map(|input| (input, signed.clone()));
                    let fills = inputs.into_iter().chain([(present, some.clone())]).collect();
                    (fills, Tolerance::Mixed { relative: 0.0, absolute })
                }
            };
            cases.push(Case { kernel, shape: format!("{dims:?}"), plan, inputs, tolerance });
        }
    }
    Ok(cases)
}

//! Interval bounds: from an interval for every input of a layer to one for every output, sound for f32 on any device.
//!
//! Each layer's bounds hold what its forward kernel computes in f32, in whatever order it sums, for every input in the
//! box; so they hold through any number of layers. They are exact for one layer, up to the margin for rounding, and
//! grow loose with depth, as they forget which values move together.

use super::{conv2d, count32, diagonal, expect_dims, linear, max_pool, relu, shape_error};
use crate::cpu::interval as uniform;
use crate::ops::gather::Source;
use crate::plan::{Plan, PlanError, Record, TensorId, Work};
use crate::shader::Shader;

mod cases;
mod rounding;

pub use cases::cases;
use rounding::margin;

/// Both ends of the intervals of one tensor; of one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// The lower ends.
    pub lo: TensorId,
    /// The upper ends.
    pub hi: TensorId,
}

impl Interval {
    /// Gives both ends other dimensions over the same elements.
    pub fn reshape(self, plan: &mut Plan, dims: &[usize]) -> Result<(), PlanError> {
        plan.reshape(self.lo, dims)?;
        plan.reshape(self.hi, dims)
    }

    /// The dimensions, of both ends.
    fn dims(self, plan: &Plan, op: &str) -> Result<Vec<usize>, PlanError> {
        let dims = plan.dims(self.lo).to_vec();
        expect_dims(plan, op, self.hi, "the dimensions of the lower ends", &dims)?;
        Ok(dims)
    }

    fn new(plan: &mut Plan, stem: &str, dims: &[usize]) -> Result<Self, PlanError> {
        let lo = plan.activation(plan.fresh_name(&format!("{stem}.lo")), dims)?;
        let hi = plan.activation(plan.fresh_name(&format!("{stem}.hi")), dims)?;
        Ok(Self { lo, hi })
    }
}

/// Records the box of this step's pictures, `[R, N, H, W, C]`: a pixel whose mask is at least one half stays, any other
/// one takes every value of [0, 1], that is of [−1, 1] in the scale of x. A picture without a mask is all box: leave it
/// out. Padding rows are 0.
pub fn pictures(plan: &mut Plan, label: &str, source: &Source, batch: usize) -> Result<Interval, PlanError> {
    let params = source.params(plan, label, batch, true)?;
    let words = (source.count * source.height * source.width).div_ceil(4);
    if plan.tensor(source.masks).len() != words {
        return Err(shape_error(plan, label, source.masks, format!("{words} words")));
    }
    let shader = plan.direct("interval_pictures")?;
    let dims = source.dims(plan, batch);
    let x = Interval::new(plan, &format!("{label}.x"), &dims)?;
    let count = plan.tensor(x.lo).len();
    plan.record(
        Record::new(shader, format!("{label} box"))
            .args([source.order, source.clock, source.pixels, source.masks, x.lo, x.hi])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(4 * count),
    )?;
    Ok(x)
}

/// Records the bounds of [`conv2d::forward`] for x `[R, N, H, W, C_in]`; weight and bias as there.
pub fn conv2d(
    plan: &mut Plan,
    label: &str,
    x: Interval,
    weight: TensorId,
    bias: TensorId,
    settings: conv2d::Settings,
    relu: bool,
) -> Result<Interval, PlanError> {
    let op = format!("{label} bounds");
    let x_dims = x.dims(plan, &op)?;
    let (c, y_dims) = conv2d::geometry(plan, &op, &x_dims, weight, settings)?;
    expect_dims(plan, &op, bias, "[R, C_out]", &[y_dims[0], y_dims[4]])?;
    let taps = settings.kernel[0] * settings.kernel[1];
    let (relative, absolute) = margin(&op, taps * x_dims[4])?;
    let params = uniform::IntervalConv2d {
        replicas: c.replicas,
        batch: c.batch,
        height: c.height,
        width: c.width,
        channels_in: c.channels_in,
        height_out: c.height_out,
        width_out: c.width_out,
        channels_out: c.channels_out,
        kernel_h: c.kernel_h,
        kernel_w: c.kernel_w,
        stride_h: c.stride_h,
        stride_w: c.stride_w,
        padding_h: c.padding_h,
        padding_w: c.padding_w,
        dilation_h: c.dilation_h,
        dilation_w: c.dilation_w,
        relu: relu.into(),
        relative,
        absolute,
    };
    let shader = plan.direct("interval_conv2d")?;
    let y = Interval::new(plan, &format!("{label}.y"), &y_dims)?;
    let count = plan.tensor(y.lo).len();
    plan.record(
        Record::new(shader, op)
            .args([x.lo, x.hi, weight, bias, y.lo, y.hi])
            .params(&params)
            .work(Work::Invocations(count))
            .iterations(settings.kernel[0] + taps * (1 + x_dims[4]))
            .flops(12 * count * taps * x_dims[4]),
    )?;
    Ok(y)
}

/// Checks x `[R, N, …]` before weight `[R, D_in, D_out]` and bias `[R, D_out]`; returns R, N, D_in, D_out.
fn dense(
    plan: &Plan,
    op: &str,
    x: Interval,
    weight: TensorId,
    bias: TensorId,
) -> Result<[usize; 4], PlanError> {
    let dims = x.dims(plan, op)?;
    let (&[replicas, d_in, d_out], &[_, batch, ..]) = (plan.dims(weight), dims.as_slice()) else {
        return Err(shape_error(plan, op, weight, "[R, D_in, D_out] behind an input [R, N, …]"));
    };
    if !linear::fits(&dims, replicas, batch, d_in) {
        let expected = format!("[{replicas}, N, …] with {d_in} features to a picture");
        return Err(shape_error(plan, op, x.lo, expected));
    }
    count32(op, "values", dims.iter().product())?;
    expect_dims(plan, op, bias, "[R, D_out]", &[replicas, d_out])?;
    Ok([replicas, batch, d_in, d_out])
}

/// Records the bounds of [`linear::forward`] for x `[R, N, …]`; weight and bias as there.
pub fn linear(
    plan: &mut Plan,
    label: &str,
    x: Interval,
    weight: TensorId,
    bias: TensorId,
    relu: bool,
) -> Result<Interval, PlanError> {
    let op = format!("{label} bounds");
    let [replicas, batch, d_in, d_out] = dense(plan, &op, x, weight, bias)?;
    let (relative, absolute) = margin(&op, d_in)?;
    let params = uniform::IntervalLinear {
        replicas: replicas as u32,
        batch: batch as u32,
        features_in: d_in as u32,
        features_out: d_out as u32,
        relu: relu.into(),
        relative,
        absolute,
    };
    let shader = plan.direct("interval_linear")?;
    let y = Interval::new(plan, &format!("{label}.y"), &[replicas, batch, d_out])?;
    let count = plan.tensor(y.lo).len();
    plan.record(
        Record::new(shader, op)
            .args([x.lo, x.hi, weight, bias, y.lo, y.hi])
            .params(&params)
            .work(Work::Invocations(count))
            .iterations(d_in)
            .flops(12 * count * d_in),
    )?;
    Ok(y)
}

/// Records the bounds of [`diagonal::forward`] for x `[R, N, …]`; weight and bias as there.
pub fn diagonal(
    plan: &mut Plan,
    label: &str,
    x: Interval,
    weight: TensorId,
    bias: TensorId,
) -> Result<Interval, PlanError> {
    let op = format!("{label} bounds");
    let dims = x.dims(plan, &op)?;
    let d = diagonal::params(plan, &op, x.lo, weight)?;
    expect_dims(plan, &op, bias, "[R, D]", plan.dims(weight))?;
    let (relative, absolute) = margin(&op, 1)?;
    let params = uniform::IntervalDiagonal {
        replicas: d.replicas,
        batch: d.batch,
        features: d.features,
        relative,
        absolute,
    };
    let shader = plan.direct("interval_diagonal")?;
    let z = Interval::new(plan, &format!("{label}.z"), &dims)?;
    elementwise(plan, shader, op, &params, &[x.lo, x.hi, weight, bias], z)
}

/// Records one invocation for each element of y, with ten operations.
fn elementwise<P: crate::params::Params>(
    plan: &mut Plan,
    shader: &'static Shader,
    op: String,
    params: &P,
    inputs: &[TensorId],
    y: Interval,
) -> Result<Interval, PlanError> {
    let count = count32(&op, "values", plan.tensor(y.lo).len())? as usize;
    plan.record(
        Record::new(shader, op)
            .args(inputs.iter().copied().chain([y.lo, y.hi]))
            .params(params)
            .work(Work::Invocations(count))
            .flops(10 * count),
    )?;
    Ok(y)
}

/// Records the bounds of [`relu::forward`]: it is monotone and exact, so they are its values at both ends.
pub fn relu(plan: &mut Plan, label: &str, x: Interval) -> Result<Interval, PlanError> {
    let label = format!("{label} bounds");
    Ok(Interval { lo: relu::forward(plan, &label, x.lo)?, hi: relu::forward(plan, &label, x.hi)? })
}

/// Records the bounds of [`max_pool::forward`]: it is monotone and exact, so they are its values at both ends.
pub fn max_pool(
    plan: &mut Plan,
    label: &str,
    x: Interval,
    settings: max_pool::Settings,
) -> Result<Interval, PlanError> {
    let label = format!("{label} bounds");
    let (lo, _) = max_pool::forward(plan, &label, x.lo, settings)?;
    let (hi, _) = max_pool::forward(plan, &label, x.hi, settings)?;
    Ok(Interval { lo, hi })
}

/// Records the bounds of [`super::average_pool::forward`] for x `[R, N, H, W, C]`.
pub fn average_pool(plan: &mut Plan, label: &str, x: Interval) -> Result<Interval, PlanError> {
    let op = format!("{label} bounds");
    let dims = x.dims(plan, &op)?;
    let &[replicas, batch, height, width, channels] = dims.as_slice() else {
        return Err(shape_error(plan, &op, x.lo, "[R, N, H, W, C]"));
    };
    // The quotient, within 2.5 ULP, counts as three more roundings.
    let (relative, absolute) = margin(&op, height * width + 2)?;
    let params = uniform::IntervalAveragePool {
        images: (replicas * batch) as u32,
        positions: (height * width) as u32,
        channels: channels as u32,
        relative,
        absolute,
    };
    count32(&op, "values", dims.iter().product())?;
    let shader = plan.direct("interval_average_pool")?;
    let y = Interval::new(plan, &format!("{label}.y"), &[replicas, batch, 1, 1, channels])?;
    plan.record(
        Record::new(shader, op)
            .args([x.lo, x.hi, y.lo, y.hi])
            .params(&params)
            .work(Work::Invocations(replicas * batch * channels))
            .iterations(height * width)
            .flops(7 * dims.iter().product::<usize>()),
    )?;
    Ok(y)
}

/// Records the bounds of g ⊙ h, each free of the other; both of one shape.
pub fn product(plan: &mut Plan, label: &str, g: Interval, h: Interval) -> Result<Interval, PlanError> {
    factors(plan, label, g, h, false)
}

/// Records the bounds of the gate max(1 + s, 0) ⊙ h, s taken as free of h; both of one shape.
pub fn gate(plan: &mut Plan, label: &str, s: Interval, h: Interval) -> Result<Interval, PlanError> {
    factors(plan, label, s, h, true)
}

fn factors(
    plan: &mut Plan,
    label: &str,
    s: Interval,
    h: Interval,
    gate: bool,
) -> Result<Interval, PlanError> {
    let op = format!("{label} bounds");
    let dims = h.dims(plan, &op)?;
    s.dims(plan, &op)?;
    expect_dims(plan, &op, s.lo, "the dimensions of the other factor", &dims)?;
    // One product; the rounding of 1 + s counts as a second one.
    let (relative, absolute) = margin(&op, 2)?;
    let count = dims.iter().product::<usize>();
    let params = uniform::IntervalProduct {
        count: count32(&op, "values", count)?,
        gate: gate.into(),
        relative,
        absolute,
    };
    let shader = plan.direct("interval_product")?;
    let y = Interval::new(plan, &format!("{label}.y"), &dims)?;
    elementwise(plan, shader, op, &params, &[s.lo, s.hi, h.lo, h.hi], y)
}

/// Records margins `[R, N, K]`: lower bounds of logit_p − logit_k over the box x `[R, N, …]` of the last layer's input,
/// where p is the prediction (u32 `[R, N]`); 0 for k = p, NaN where p is no class. Above 0 for every other k: the
/// prediction is p all over the box, in f32 too. Weight is `[R, D, K]`, bias `[R, K]`.
pub fn margins(
    plan: &mut Plan,
    label: &str,
    x: Interval,
    weight: TensorId,
    bias: TensorId,
    predictions: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} margins");
    let [replicas, batch, features, classes] = dense(plan, &op, x, weight, bias)?;
    expect_dims(plan, &op, predictions, "[R, N]", &[replicas, batch])?;
    // The difference of two weights is one more rounding.
    let (relative, absolute) = margin(&op, features + 1)?;
    let params = uniform::IntervalMargin {
        replicas: replicas as u32,
        batch: batch as u32,
        features: features as u32,
        classes: classes as u32,
        relative,
        absolute,
    };
    let shader = plan.direct("interval_margin")?;
    let margins =
        plan.activation(plan.fresh_name(&format!("{label}.margins")), &[replicas, batch, classes])?;
    let count = plan.tensor(margins).len();
    plan.record(
        Record::new(shader, op)
            .args([x.lo, x.hi, weight, bias, predictions, margins])
            .params(&params)
            .work(Work::Invocations(count))
            .iterations(features)
            .flops(11 * count * features),
    )?;
    Ok(margins)
}

#[cfg(test)]
mod tests;

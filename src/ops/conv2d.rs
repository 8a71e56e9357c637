//! 2-d convolution with bias, perhaps with a ReLU behind it. Its bias gradient is [`super::bias::backward`].

use super::family::{self, Product};
use super::{reduce, shape_error};
use crate::cpu::conv2d::Conv2d;
use crate::plan::{Plan, PlanError, Record, TensorId};
use crate::shader::Shader;

mod cases;
pub use cases::cases;
pub(crate) use cases::cases_at;

/// The windows, each pair as (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Taps of a window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Rows of zeros above and below, columns of zeros left and right.
    pub padding: [usize; 2],
    /// Step between the taps of a window.
    pub dilation: [usize; 2],
}

/// Windows along one axis: ⌊(input + 2 padding − dilation (kernel − 1) − 1) / stride⌋ + 1; `None` if not even one
/// fits, or if kernel, stride or dilation is 0.
pub fn output_size(
    input: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
) -> Option<usize> {
    if kernel == 0 || stride == 0 || dilation == 0 {
        return None;
    }
    let reach = dilation.checked_mul(kernel - 1)?.checked_add(1)?;
    let padded = padding.checked_mul(2)?.checked_add(input)?;
    Some(padded.checked_sub(reach)? / stride + 1)
}

/// The shapes of one convolution, checked against each other.
struct Shape {
    params: Conv2d,
    replicas: usize,
    batch: usize,
    channels_in: usize,
    channels_out: usize,
    out: [usize; 2],
    taps: usize,
}

impl Shape {
    fn new(
        plan: &Plan,
        op: &str,
        x_dims: &[usize],
        weight: TensorId,
        settings: Settings,
    ) -> Result<Self, PlanError> {
        let wrong = |message: String| PlanError::Settings { op: op.to_owned(), message };
        let &[replicas, batch, height, width, channels_in] = x_dims else {
            return Err(wrong(format!("the input has dimensions {x_dims:?}, expected [R, N, H, W, C_in]")));
        };
        let Settings { kernel, stride, padding, dilation } = settings;
        let channels_out = plan.dims(weight).last().copied().unwrap_or(0);
        if plan.dims(weight) != [replicas, kernel[0], kernel[1], channels_in, channels_out] {
            let expected = format!("[{replicas}, {}, {}, {channels_in}, C_out]", kernel[0], kernel[1]);
            return Err(shape_error(plan, op, weight, expected));
        }
        let size = |input, axis: usize| {
            output_size(input, kernel[axis], stride[axis], padding[axis], dilation[axis])
                .ok_or_else(|| wrong(format!("no window of {settings:?} fits into {height}×{width}")))
        };
        let out = [size(height, 0)?, size(width, 1)?];
        let params = Conv2d {
            replicas: replicas as u32,
            batch: batch as u32,
            height: height as u32,
            width: width as u32,
            channels_in: channels_in as u32,
            height_out: out[0] as u32,
            width_out: out[1] as u32,
            channels_out: channels_out as u32,
            kernel_h: kernel[0] as u32,
            kernel_w: kernel[1] as u32,
            stride_h: stride[0] as u32,
            stride_w: stride[1] as u32,
            padding_h: padding[0] as u32,
            padding_w: padding[1] as u32,
            dilation_h: dilation[0] as u32,
            dilation_w: dilation[1] as u32,
            slices: 1,
            slice_length: (batch * out[0] * out[1]) as u32,
            relu: 0,
        };
        let taps = kernel[0] * kernel[1];
        Ok(Self { params, replicas, batch, channels_in, channels_out, out, taps })
    }

    /// The variant of a kernel for a product of this convolution.
    fn choose(
        &self,
        plan: &mut Plan,
        kernel: &'static str,
        product: Product,
    ) -> Result<&'static Shader, PlanError> {
        let quads_out = self.channels_out.is_multiple_of(4);
        let quads = quads_out && self.channels_in.is_multiple_of(4);
        let p = &self.params;
        let side_by_side = [p.kernel_w, p.stride_w, p.dilation_w] == [3, 1, 1];
        let mut fitting = vec![("shared_tile", true), ("subgroup", quads), ("register_block", quads)];
        match kernel {
            "conv2d_forward" => fitting.extend([
                ("subgroup_run", quads && side_by_side),
                ("narrow_block", quads_out),
                ("narrow_subgroup", quads_out),
                ("narrow_run", quads_out && side_by_side),
            ]),
            "conv2d_backward_input" => {
                let unit = [p.stride_h, p.dilation_h] == [1, 1];
                fitting.push(("subgroup_run", quads && side_by_side && unit));
            }
            _ => fitting.push(("narrow_block", quads_out)),
        }
        fitting.push(("direct", true));
        let shape = format!(
            "{}x{}x{}x{},{}x{}x{},stride{}x{},padding{}x{},dilation{}x{}",
            p.batch,
            p.height,
            p.width,
            p.channels_in,
            p.kernel_h,
            p.kernel_w,
            p.channels_out,
            p.stride_h,
            p.stride_w,
            p.padding_h,
            p.padding_w,
            p.dilation_h,
            p.dilation_w
        );
        plan.choose_for(kernel, &family::order(plan.target(), kernel, product, &fitting), &shape)
    }

    fn y_dims(&self) -> [usize; 5] {
        [self.replicas, self.batch, self.out[0], self.out[1], self.channels_out]
    }

    /// N · H_out · W_out.
    fn positions(&self) -> usize {
        self.batch * self.out[0] * self.out[1]
    }

    /// Weights of one replica.
    fn weights(&self) -> usize {
        self.taps * self.channels_in * self.channels_out
    }

    fn flops(&self) -> usize {
        2 * self.replicas * self.positions() * self.weights()
    }
}

/// The uniform and the dimensions of y, for x of these dimensions.
pub(super) fn geometry(
    plan: &Plan,
    op: &str,
    x_dims: &[usize],
    weight: TensorId,
    settings: Settings,
) -> Result<(Conv2d, [usize; 5]), PlanError> {
    let shape = Shape::new(plan, op, x_dims, weight, settings)?;
    Ok((shape.params, shape.y_dims()))
}

/// Records y `[R, N, H_out, W_out, C_out]` = x ∗ weight + bias, with y = max(y, 0) behind it if `relu`; x is
/// `[R, N, H, W, C_in]`, weight `[R, K_h, K_w, C_in, C_out]`, bias `[R, C_out]`; returns y.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    weight: TensorId,
    bias: TensorId,
    settings: Settings,
    relu: bool,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} forward");
    let shape = Shape::new(plan, &op, plan.dims(x), weight, settings)?;
    if plan.dims(bias) != [shape.replicas, shape.channels_out] {
        let expected = format!("[{}, {}]", shape.replicas, shape.channels_out);
        return Err(shape_error(plan, &op, bias, expected));
    }
    let product = Product::new(shape.positions(), shape.channels_out).over_maps(shape.out[1]);
    let shader = shape.choose(plan, "conv2d_forward", product)?;
    let y_dims = shape.y_dims();
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &y_dims)?;
    plan.record(
        Record::new(shader, op)
            .args([x, weight, bias, y])
            .params(&Conv2d { relu: relu.into(), ..shape.params })
            .work(super::work(shader, shape.replicas * product.blocks(shader)))
            .iterations(settings.kernel[0] + shape.taps * (1 + shape.channels_in))
            .flops(shape.flops()),
    )?;
    Ok(y)
}

/// Records d_x, shaped `x_dims` = `[R, N, H, W, C_in]`, from d_y `[R, N, H_out, W_out, C_out]`; returns d_x.
pub fn backward_input(
    plan: &mut Plan,
    label: &str,
    d_y: TensorId,
    weight: TensorId,
    x_dims: &[usize],
    settings: Settings,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward input");
    let shape = Shape::new(plan, &op, x_dims, weight, settings)?;
    if plan.dims(d_y) != shape.y_dims() {
        return Err(shape_error(plan, &op, d_y, format!("{:?}", shape.y_dims())));
    }
    let [batch, height, width] = [x_dims[1], x_dims[2], x_dims[3]];
    let product = Product::new(batch * height * width, shape.channels_in).over_maps(width);
    let shader = shape.choose(plan, "conv2d_backward_input", product)?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), x_dims)?;
    // A block of positions takes every stride-th row and column; there are stride × stride such phases.
    let [s_h, s_w] = match shader.variant {
        "direct" => [1, 1],
        _ => settings.stride,
    };
    let width = width.div_ceil(s_w);
    let phase = Product { rows: batch * height.div_ceil(s_h) * width, width, ..product };
    let blocks = s_h * s_w * phase.blocks(shader);
    plan.record(
        Record::new(shader, op)
            .args([d_y, weight, d_x])
            .params(&shape.params)
            .work(super::work(shader, shape.replicas * blocks))
            .iterations(settings.kernel[0] + shape.taps * (1 + shape.channels_out))
            .flops(shape.flops()),
    )?;
    Ok(d_x)
}

/// Records d_weight `[R, K_h, K_w, C_in, C_out]` from x `[R, N, H, W, C_in]` and d_y `[R, N, H_out, W_out, C_out]`,
/// cut into slices over the positions of y where that keeps a device busier.
pub fn backward_weight(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    d_y: TensorId,
    d_weight: TensorId,
    settings: Settings,
) -> Result<(), PlanError> {
    let op = format!("{label} backward weight");
    let shape = Shape::new(plan, &op, plan.dims(x), d_weight, settings)?;
    if plan.dims(d_y) != shape.y_dims() {
        return Err(shape_error(plan, &op, d_y, format!("{:?}", shape.y_dims())));
    }
    let product = Product::new(shape.taps * shape.channels_in, shape.channels_out);
    let shader = shape.choose(plan, "conv2d_backward_weight", product)?;
    let blocks = product.blocks(shader);
    let (slices, slice_length) = reduce::slicing(shape.positions(), blocks, reduce::busy(shader));
    let partial = reduce::partial(plan, d_weight, slices)?;
    plan.record(
        Record::new(shader, op.clone())
            .args([x, d_y, partial])
            .params(&Conv2d { slices: slices as u32, slice_length: slice_length as u32, ..shape.params })
            .work(super::work(shader, shape.replicas * slices * blocks))
            .iterations(slice_length)
            .flops(shape.flops()),
    )?;
    if slices > 1 {
        reduce::sum_slices(plan, &op, partial, d_weight)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_sizes() {
        assert_eq!(output_size(32, 3, 1, 1, 1), Some(32));
        assert_eq!(output_size(32, 5, 2, 2, 1), Some(16));
        assert_eq!(output_size(7, 3, 2, 0, 1), Some(3));
        assert_eq!(output_size(9, 3, 1, 0, 4), Some(1));
        assert_eq!(output_size(8, 3, 1, 0, 4), None);
        assert_eq!(output_size(1, 1, 0, 0, 1), None);
        assert_eq!(output_size(1, 0, 1, 0, 1), None);
        assert_eq!(output_size(1, 1, 1, 0, 0), None);
        assert_eq!(output_size(1, usize::MAX, 1, 0, 2), None);
    }

    #[test]
    fn shapes_that_do_not_suit_are_typed_errors() {
        let mut plan = Plan::new("test");
        let settings = Settings { kernel: [3, 3], stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
        let x = plan.activation("x", &[1, 2, 2, 5, 4]).unwrap();
        let weight = plan.activation("weight", &[1, 3, 3, 4, 8]).unwrap();
        let thin = plan.activation("thin", &[1, 3, 3, 3, 8]).unwrap();
        let bias = plan.activation("bias", &[1, 8]).unwrap();
        let no_window = forward(&mut plan, "conv", x, weight, bias, settings, false);
        assert!(matches!(no_window, Err(PlanError::Settings { .. })));
        let padded = Settings { padding: [1, 1], ..settings };
        assert!(matches!(
            forward(&mut plan, "conv", x, thin, bias, padded, false),
            Err(PlanError::Shape { tensor, .. }) if tensor == "thin"
        ));
        assert!(matches!(
            forward(&mut plan, "conv", x, weight, x, padded, false),
            Err(PlanError::Shape { tensor, .. }) if tensor == "x"
        ));
        assert!(forward(&mut plan, "conv", x, weight, bias, padded, false).is_ok());
        assert!(matches!(
            backward_input(&mut plan, "conv", x, weight, &[1, 2, 2, 5, 4], padded),
            Err(PlanError::Shape { .. })
        ));
    }

    /// The uniform, with the number of replicas taken out, and the variant of each command.
    fn commands_of(replicas: usize) -> Vec<(Vec<u8>, &'static str)> {
        let mut plan = Plan::new("test");
        let settings = Settings { kernel: [3, 3], stride: [2, 2], padding: [1, 1], dilation: [1, 1] };
        let x = plan.activation("x", &[replicas, 50, 16, 16, 16]).unwrap();
        let weight = plan.activation("weight", &[replicas, 3, 3, 16, 32]).unwrap();
        let d_weight = plan.activation("d_weight", &[replicas, 3, 3, 16, 32]).unwrap();
        let bias = plan.activation("bias", &[replicas, 32]).unwrap();
        let d_y = forward(&mut plan, "conv", x, weight, bias, settings, true).unwrap();
        backward_input(&mut plan, "conv", d_y, weight, &[replicas, 50, 16, 16, 16], settings).unwrap();
        backward_weight(&mut plan, "conv", x, d_y, d_weight, settings).unwrap();
        plan.commands().iter().map(|c| (c.params[4..].to_vec(), c.shader.variant)).collect()
    }

    #[test]
    fn each_replica_is_computed_as_in_a_single_run() {
        let single = commands_of(1);
        assert_eq!(single.len(), 4, "backward_weight is sliced here");
        assert_eq!(single, commands_of(3));
    }
}

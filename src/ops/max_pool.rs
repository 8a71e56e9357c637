//! Max pooling. Padding never wins; of equals the first in row order wins; a NaN beats every number.

use super::{Case, Fill, Tolerance, conv2d, shape_error};
use crate::cpu::max_pool::MaxPool;
use crate::plan::{Plan, PlanError, Record, Role, TensorId, Variants, Work};
use crate::shader::{DType, Shader};

/// The windows, each pair as (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Size of a window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Rows above and below, columns left and right; at most half a window, so that none is all padding.
    pub padding: [usize; 2],
}

/// The uniform and the dimensions of y, for x of these dimensions.
fn params(op: &str, x_dims: &[usize], settings: Settings) -> Result<(MaxPool, [usize; 5]), PlanError> {
    let wrong = |message: String| PlanError::Settings { op: op.to_owned(), message };
    let &[replicas, batch, height, width, channels] = x_dims else {
        return Err(wrong(format!("the input has dimensions {x_dims:?}, expected [R, N, H, W, C]")));
    };
    let Settings { kernel, stride, padding } = settings;
    let mut out = [0; 2];
    for (axis, input) in [height, width].into_iter().enumerate() {
        if 2 * padding[axis] > kernel[axis] {
            return Err(wrong(format!(
                "padding {} is more than half of the window {}: a window could hold padding alone",
                padding[axis], kernel[axis]
            )));
        }
        out[axis] = conv2d::output_size(input, kernel[axis], stride[axis], padding[axis], 1)
            .ok_or_else(|| wrong(format!("no window of {settings:?} fits into {height}×{width}")))?;
    }
    let params = MaxPool {
        images: (replicas * batch) as u32,
        height: height as u32,
        width: width as u32,
        channels: channels as u32,
        height_out: out[0] as u32,
        width_out: out[1] as u32,
        kernel_h: kernel[0] as u32,
        kernel_w: kernel[1] as u32,
        stride_h: stride[0] as u32,
        stride_w: stride[1] as u32,
        padding_h: padding[0] as u32,
        padding_w: padding[1] as u32,
    };
    Ok((params, [replicas, batch, out[0], out[1], channels]))
}

/// Records y and argmax `[R, N, H_out, W_out, C]` of x `[R, N, H, W, C]`; returns both. argmax is u32, h · W + w
/// in the plane of x without its padding.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    settings: Settings,
) -> Result<(TensorId, TensorId), PlanError> {
    let op = format!("{label} forward");
    let (params, y_dims) = params(&op, plan.dims(x), settings)?;
    let shader = plan.choose("max_pool_forward", &super::by_fours(params.channels as usize))?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &y_dims)?;
    let argmax = plan.fresh_name(&format!("{label}.argmax"));
    let argmax = plan.add(argmax, &y_dims, DType::U32, Role::Activation)?;
    let count = plan.tensor(y).len();
    let [k_h, k_w] = settings.kernel;
    plan.record(
        Record::new(shader, op)
            .args([x, y, argmax])
            .params(&params)
            .work(Work::Invocations(invocations(shader, &y_dims)))
            .iterations(4 * (1 + k_h * (k_w + 1)))
            .flops(count * k_h * k_w),
    )?;
    Ok((y, argmax))
}

/// Records d_x, shaped `x_dims`, from d_y and the argmax of [`forward`]; returns d_x.
pub fn backward(
    plan: &mut Plan,
    label: &str,
    d_y: TensorId,
    argmax: TensorId,
    x_dims: &[usize],
    settings: Settings,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward");
    let (params, y_dims) = params(&op, x_dims, settings)?;
    for tensor in [d_y, argmax] {
        if plan.dims(tensor) != y_dims {
            return Err(shape_error(plan, &op, tensor, format!("{y_dims:?}")));
        }
    }
    let [fours @ (_, quads), direct] = super::by_fours(params.channels as usize);
    let fitting = [("per_window", quads && tile(&params)), fours, direct];
    let shader = plan.choose("max_pool_backward", &fitting)?;
    let d_x = plan.activation(plan.fresh_name(&format!("{label}.d_x")), x_dims)?;
    let per_window = shader.variant == "per_window";
    let [loop_h, loop_w] = if per_window { settings.kernel } else { windows_per_element(settings) };
    plan.record(
        Record::new(shader, op)
            .args([d_y, argmax, d_x])
            .params(&params)
            .work(Work::Invocations(invocations(shader, if per_window { &y_dims } else { x_dims })))
            .iterations(4 * (1 + loop_h * (loop_w + 1)))
            .flops(plan.tensor(d_y).len()),
    )?;
    Ok(d_x)
}

/// Records t_y, shaped as the argmax of [`forward`]: how y moves when x moves along t `[R, N, H, W, C]`; returns t_y.
pub fn tangent(
    plan: &mut Plan,
    label: &str,
    t: TensorId,
    argmax: TensorId,
    settings: Settings,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} tangent");
    let (params, y_dims) = params(&op, plan.dims(t), settings)?;
    super::expect_dims(plan, &op, argmax, "[R, N, H_out, W_out, C]", &y_dims)?;
    let shader = plan.direct("max_pool_tangent")?;
    let t_y = plan.activation(plan.fresh_name(&format!("{label}.t_y")), &y_dims)?;
    let count = plan.tensor(t_y).len();
    plan.record(
        Record::new(shader, op).args([t, argmax, t_y]).params(&params).work(Work::Invocations(count)),
    )?;
    Ok(t_y)
}

/// One per position and run of channels.
fn invocations(shader: &Shader, dims: &[usize]) -> usize {
    let channels = dims.last().copied().unwrap_or(1);
    super::blocks(shader, dims.iter().product::<usize>() / channels, channels)
}

/// Whether each element of x lies in exactly one window, and windows are small: an invocation writes all of one.
fn tile(p: &MaxPool) -> bool {
    p.kernel_h * p.kernel_w <= 16
        && [p.kernel_h, p.kernel_w] == [p.stride_h, p.stride_w]
        && [p.padding_h, p.padding_w] == [0, 0]
        && [p.height_out * p.kernel_h, p.width_out * p.kernel_w] == [p.height, p.width]
}

/// The most windows that hold one element of x, down and across.
fn windows_per_element(settings: Settings) -> [usize; 2] {
    [0, 1].map(|axis| settings.kernel[axis].div_ceil(settings.stride[axis]))
}

/// For each element of y some place in its window: an argmax that needs no forward pass.
fn some_argmax(p: &MaxPool, len: usize) -> Vec<u32> {
    let pick = |i: usize, size: u32, kernel: u32, stride: u32, padding: u32, turn: usize| {
        let first = (i as u32 * stride).max(padding);
        let end = (i as u32 * stride + kernel).min(size + padding);
        first + turn as u32 % (end - first) - padding
    };
    let [channels, width_out, height_out] = [p.channels, p.width_out, p.height_out].map(|n| n as usize);
    (0..len)
        .map(|i| {
            let position = i / channels;
            let (h_out, w_out) = (position / width_out % height_out, position % width_out);
            let h = pick(h_out, p.height, p.kernel_h, p.stride_h, p.padding_h, i * 7 / 3);
            let w = pick(w_out, p.width, p.kernel_w, p.stride_w, p.padding_w, i * 5 / 2);
            h * p.width + w
        })
        .collect()
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let settings = |kernel, stride, padding| Settings { kernel, stride, padding };
    let shapes = [
        ([1, 1, 1, 1, 1], settings([1, 1], [1, 1], [0, 0])),
        ([1, 2, 8, 8, 16], settings([2, 2], [2, 2], [0, 0])),
        ([2, 3, 9, 7, 4], settings([2, 2], [2, 2], [0, 0])),
        ([3, 1, 25, 33, 13], settings([3, 3], [2, 2], [1, 1])),
        ([1, 2, 9, 7, 8], settings([3, 2], [1, 3], [1, 0])),
        ([2, 5, 9, 8, 20], settings([3, 2], [3, 2], [0, 0])),
    ];
    cases_at(variants, &shapes)
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(
    variants: &Variants,
    shapes: &[([usize; 5], Settings)],
) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(x_dims, settings) in shapes {
        let Settings { kernel, stride, padding } = settings;
        let shape = format!("{x_dims:?} kernel {kernel:?} stride {stride:?} padding {padding:?}");
        // Standard normals, a few values that tie, and what training may meet when it goes wrong.
        for fill in [
            Fill::Normal(1.0),
            Fill::Floats(vec![1.0, -2.0, 1.0, 0.0, -0.0, 1.0, 0.5]),
            Fill::Floats(vec![1.0, f32::NEG_INFINITY, f32::NAN, 2.0, -1.0, f32::NEG_INFINITY, 3.0, 0.0, 5.0]),
        ] {
            let mut plan = Plan::with_variants("max_pool_forward", variants);
            let x = super::input(&mut plan, "x", &x_dims)?;
            forward(&mut plan, "pool", x, settings)?;
            cases.push(Case {
                kernel: "max_pool_forward",
                shape: shape.clone(),
                plan,
                inputs: vec![(x, fill)],
                tolerance: Tolerance::Exact,
            });
        }
        let mut plan = Plan::with_variants("max_pool_backward", variants);
        let (params, y_dims) = params("cases", &x_dims, settings)?;
        let d_y = super::input(&mut plan, "d_y", &y_dims)?;
        let argmax = super::index_input(&mut plan, "argmax", &y_dims)?;
        let places = some_argmax(&params, plan.tensor(argmax).len());
        let mut along = Plan::with_variants("max_pool_tangent", variants);
        let t = super::input(&mut along, "t", &x_dims)?;
        let winners = super::index_input(&mut along, "argmax", &y_dims)?;
        tangent(&mut along, "pool", t, winners, settings)?;
        cases.push(Case {
            kernel: "max_pool_tangent",
            shape: shape.clone(),
            plan: along,
            inputs: vec![(t, Fill::Normal(1.0)), (winners, Fill::Indices(places.clone()))],
            tolerance: Tolerance::Exact,
        });
        backward(&mut plan, "pool", d_y, argmax, &x_dims, settings)?;
        cases.push(Case {
            kernel: "max_pool_backward",
            shape,
            plan,
            inputs: vec![(d_y, Fill::Normal(1.0)), (argmax, Fill::Indices(places))],
            tolerance: Tolerance::Dot { terms: windows_per_element(settings).iter().product() },
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_padding_alone_are_refused() {
        let mut plan = Plan::new("test");
        let x = plan.activation("x", &[1, 1, 4, 4, 1]).unwrap();
        let settings = Settings { kernel: [2, 2], stride: [2, 2], padding: [2, 0] };
        assert!(matches!(forward(&mut plan, "pool", x, settings), Err(PlanError::Settings { .. })));
        let settings = Settings { kernel: [5, 2], stride: [2, 2], padding: [0, 0] };
        assert!(matches!(forward(&mut plan, "pool", x, settings), Err(PlanError::Settings { .. })));
        let settings = Settings { kernel: [2, 2], stride: [0, 1], padding: [0, 0] };
        assert!(matches!(forward(&mut plan, "pool", x, settings), Err(PlanError::Settings { .. })));
    }
}

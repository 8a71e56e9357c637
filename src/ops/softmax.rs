//! Softmax and log-softmax at a temperature, over the features of a picture or over the positions of each channel.

use super::{Case, Fill, Tolerance, accuracy, count32};
use crate::cpu::lanes::LANES;
use crate::cpu::softmax::Softmax;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Over which values a softmax runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// All D = H·W·C values of a picture: one group per row of the batch.
    Features,
    /// The H·W positions, for each of the C channels apart: C groups per row of the batch.
    Positions,
}

/// A tensor cut into groups: `[rows, length, inner]`, rows · inner groups of `length` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Groups {
    pub rows: usize,
    pub length: usize,
    /// Groups per row; also the distance of the values of one group.
    pub inner: usize,
}

impl Groups {
    pub(crate) fn of(plan: &Plan, op: &str, x: TensorId, axis: Axis) -> Result<Self, PlanError> {
        let dims = plan.dims(x);
        let groups = match (axis, dims) {
            (Axis::Features, [r, n, _, ..]) => {
                Groups { rows: r * n, length: dims[2..].iter().product(), inner: 1 }
            }
            (Axis::Positions, [r, n, h, w, c]) => Groups { rows: r * n, length: h * w, inner: *c },
            (Axis::Features, _) => {
                return Err(super::shape_error(plan, op, x, "[R, N, D] or [R, N, H, W, C]"));
            }
            (Axis::Positions, _) => return Err(super::shape_error(plan, op, x, "[R, N, H, W, C]")),
        };
        count32(op, "values", plan.tensor(x).len())?;
        Ok(groups)
    }

    pub(crate) fn count(&self) -> usize {
        self.rows * self.inner
    }

    /// Iterations of one invocation that passes the group `passes` times and takes part in `trees` reductions.
    pub(crate) fn iterations(&self, passes: usize, trees: usize) -> usize {
        passes * self.length.div_ceil(LANES) + trees * LANES.ilog2() as usize
    }
}

/// The temperature as a kernel takes it.
pub(crate) fn check_temperature(op: &str, temperature: f32) -> Result<f32, PlanError> {
    if temperature.is_finite() && temperature > 0.0 {
        return Ok(temperature);
    }
    Err(PlanError::Settings {
        op: op.to_owned(),
        message: format!("the temperature must be above 0 and finite, but is {temperature}"),
    })
}

struct Pass {
    kernel: &'static str,
    verb: &'static str,
    out: &'static str,
    passes: usize,
    trees: usize,
    flops: usize,
}

fn record(
    plan: &mut Plan,
    label: &str,
    pass: Pass,
    inputs: &[TensorId],
    axis: Axis,
    temperature: f32,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} {}", pass.verb);
    let dims = plan.dims(inputs[0]).to_vec();
    let groups = Groups::of(plan, &op, inputs[0], axis)?;
    for &input in &inputs[1..] {
        super::expect_dims(plan, &op, input, "as y", &dims)?;
    }
    let params = Softmax {
        groups: groups.count() as u32,
        length: groups.length as u32,
        inner: groups.inner as u32,
        temperature: check_temperature(&op, temperature)?,
    };
    let shader = plan.direct(pass.kernel)?;
    let out = plan.activation(plan.fresh_name(&format!("{label}.{}", pass.out)), &dims)?;
    let count = plan.tensor(out).len();
    plan.record(
        Record::new(shader, op)
            .args(inputs.iter().copied().chain([out]))
            .params(&params)
            .work(Work::Workgroups(groups.count()))
            .flops(pass.flops * count)
            .iterations(groups.iterations(pass.passes, pass.trees)),
    )?;
    Ok(out)
}

/// Records y = softmax(x / T) over `axis`; returns y, shaped as x, `[R, N, …]`. T > 0.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    axis: Axis,
    temperature: f32,
) -> Result<TensorId, PlanError> {
    let pass = Pass { kernel: "softmax_forward", verb: "forward", out: "y", passes: 3, trees: 2, flops: 9 };
    record(plan, label, pass, &[x], axis, temperature)
}

/// Records y = log softmax(x / T) over `axis`, finite where the softmax underflows; returns y, shaped as x.
pub fn log_forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    axis: Axis,
    temperature: f32,
) -> Result<TensorId, PlanError> {
    let pass =
        Pass { kernel: "log_softmax_forward", verb: "forward", out: "y", passes: 3, trees: 2, flops: 8 };
    record(plan, label, pass, &[x], axis, temperature)
}

/// Records d_x = y·(d_y − Σ y·d_y) / T; y is the output of [`forward`].
pub fn backward(
    plan: &mut Plan,
    label: &str,
    y: TensorId,
    d_y: TensorId,
    axis: Axis,
    temperature: f32,
) -> Result<TensorId, PlanError> {
    let pass =
        Pass { kernel: "softmax_backward", verb: "backward", out: "d_x", passes: 2, trees: 1, flops: 5 };
    record(plan, label, pass, &[y, d_y], axis, temperature)
}

/// Records d_x = (d_y − exp(y)·Σ d_y) / T; y is the output of [`log_forward`].
pub fn log_backward(
    plan: &mut Plan,
    label: &str,
    y: TensorId,
    d_y: TensorId,
    axis: Axis,
    temperature: f32,
) -> Result<TensorId, PlanError> {
    let pass =
        Pass { kernel: "log_softmax_backward", verb: "backward", out: "d_x", passes: 2, trees: 1, flops: 5 };
    record(plan, label, pass, &[y, d_y], axis, temperature)
}

/// Dimensions, axis and temperature.
pub(crate) type AxisShape = (&'static [usize], Axis, f32);

/// The cases here and of the KL divergence.
pub(crate) const SHAPES: [AxisShape; 8] = [
    (&[1, 1, 1], Axis::Features, 1.0),
    (&[1, 2, 64], Axis::Features, 0.5),
    (&[3, 2, 9, 7, 4], Axis::Features, 1.0),
    (&[2, 1, 70_001], Axis::Features, 2.0),
    (&[1, 2, 1, 1, 5], Axis::Positions, 1.0),
    (&[2, 3, 9, 7, 8], Axis::Positions, 0.5),
    (&[1, 2, 25, 33, 13], Axis::Positions, 1.0),
    (&[3, 1, 4, 4, 16], Axis::Positions, 2.0),
];

/// Logits of the cases lie in [−LOGIT, LOGIT).
pub(crate) const LOGIT: f32 = 4.0;

/// A NaN here and there: some groups have one, and some have none.
pub(crate) fn sparse_nan() -> Fill {
    Fill::Floats((0..97).map(|i| if i == 41 { f32::NAN } else { (i % 9) as f32 / 4.5 - 1.0 }).collect())
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = cases_at(variants, &SHAPES)?;
    // More workgroups than fit one dimension of a grid.
    let mut plan = Plan::with_variants("softmax", variants);
    let x = super::input(&mut plan, "x", &[1, 70_000, 3])?;
    forward(&mut plan, "softmax", x, Axis::Features, 1.0)?;
    let relative = accuracy::softmax(3, 2.0 * f64::from(LOGIT));
    cases.push(Case {
        kernel: "softmax_forward",
        shape: "1×70000×3 Features".to_owned(),
        plan,
        inputs: vec![(x, Fill::Uniform(-LOGIT, LOGIT))],
        tolerance: Tolerance::Mixed { relative, absolute: 0.0 },
    });
    Ok(cases)
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[AxisShape]) -> Result<Vec<Case>, PlanError> {
    use accuracy::{ULP, exp_of_quotient, lanes_sum, log_softmax, softmax};
    let mut cases = Vec::new();
    for &(dims, axis, temperature) in shapes {
        let shape = format!("{dims:?} {axis:?} T={temperature}");
        let temperature64 = f64::from(temperature);
        let range = 2.0 * f64::from(LOGIT) / temperature64;
        type Forward = fn(&mut Plan, &str, TensorId, Axis, f32) -> Result<TensorId, PlanError>;
        for (kernel, op) in [("softmax_forward", forward as Forward), ("log_softmax_forward", log_forward)] {
            let mut plan = Plan::with_variants("softmax", variants);
            let x = super::input(&mut plan, "x", dims)?;
            op(&mut plan, "softmax", x, axis, temperature)?;
            let length = Groups::of(&plan, kernel, x, axis)?.length;
            let mut fills = vec![Fill::Uniform(-LOGIT, LOGIT)];
            if dims.len() == 5 {
                // Huge, all but equal, absent: 0 and 1, or −∞ and finite, on every device.
                fills.push(Fill::Floats(vec![1e30, -1e30, f32::NEG_INFINITY, 1e30, 3.0]));
                fills.push(sparse_nan());
            }
            for fill in fills {
                // A huge logit's exponent is 0 or beyond any underflow: no error of its own.
                cases.push(Case {
                    kernel,
                    shape: shape.clone(),
                    plan: plan.clone(),
                    inputs: vec![(x, fill)],
                    tolerance: if kernel == "softmax_forward" {
                        Tolerance::Mixed { relative: softmax(length, range), absolute: 0.0 }
                    } else {
                        Tolerance::Mixed { relative: 4.0 * ULP, absolute: log_softmax(length, range) }
                    },
                });
            }
        }

        type Backward = fn(&mut Plan, &str, TensorId, TensorId, Axis, f32) -> Result<TensorId, PlanError>;
        for (kernel, op) in
            [("softmax_backward", backward as Backward), ("log_softmax_backward", log_backward)]
        {
            let mut plan = Plan::with_variants("softmax", variants);
            let y = super::input(&mut plan, "y", dims)?;
            let d_y = super::input(&mut plan, "d_y", dims)?;
            op(&mut plan, "softmax", y, d_y, axis, temperature)?;
            let length = Groups::of(&plan, kernel, y, axis)?.length;
            // Probabilities of about 1 / length, as y or as exp(y); |d_y| ≤ 1. Hence the size of the sum is at most
            // 2, or at most length; its error, the product's and the quotient's are scaled by exp(y) / T.
            let share = 2.0 / length as f64;
            let (fill, absolute) = if kernel == "softmax_backward" {
                let inner = 2.0 * (lanes_sum(length) + 0.5 * ULP) + 3.0 * 3.5 * ULP;
                (Fill::Uniform(0.0, share as f32), share * inner / temperature64)
            } else {
                let top = share.ln();
                let sum = length as f64 * (lanes_sum(length) + exp_of_quotient(top.abs() + 1.0) + ULP);
                let fill = Fill::Uniform(top as f32 - 1.0, top as f32);
                (fill, (share * sum + 4.0 * 3.5 * ULP) / temperature64)
            };
            cases.push(Case {
                kernel,
                shape: shape.clone(),
                plan,
                inputs: vec![(y, fill), (d_y, Fill::Uniform(-1.0, 1.0))],
                tolerance: Tolerance::Mixed { relative: 0.0, absolute },
            });
        }
    }
    Ok(cases)
}

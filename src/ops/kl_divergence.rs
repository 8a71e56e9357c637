//! KL(softmax(target / T) ‖ softmax(z / T)), the loss of the second stage, with its gradient in z.

use super::softmax::{Axis, AxisShape, Groups, SHAPES, check_temperature, sparse_nan};
use super::{Case, Fill, Tolerance, accuracy, expect_dims};
use crate::cpu::kl_divergence::KlDivergence;
use crate::cpu::lanes::LANES;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Values in the longest group that one invocation takes on its own (variant `channels`).
const LONGEST: usize = 1024;

/// Records losses `[R, N, G]` and d_z, shaped as z; returns both.
///
/// target and z `[R, N, …]` are logits, weight `[R, N]`, norm `[R]` (what the mean divides by: the sum of the replica's
/// weights). With p = softmax(target / T), q = softmax(z / T) over `axis`, and G groups per row (1 for
/// [`Axis::Features`], C for [`Axis::Positions`]): loss = weight / G · Σ p·(log p − log q) with 0·log 0 = 0, and
/// d_z = weight / (norm·G·T) · (q − p). Where norm or weight is 0, both are exactly 0. Nothing flows into the target.
#[allow(clippy::too_many_arguments)] // each is a tensor or number of the formula
pub fn forward(
    plan: &mut Plan,
    label: &str,
    target: TensorId,
    z: TensorId,
    weight: TensorId,
    norm: TensorId,
    axis: Axis,
    temperature: f32,
) -> Result<(TensorId, TensorId), PlanError> {
    let kernel =
        Divergence { kernel: "kl_divergence_forward", channels: true, passes: 3, trees: 5, flops: 24 };
    kernel.record(plan, label, [target, z, weight, norm], axis, temperature)
}

/// A divergence of two softmaxes, by the kernel that computes it.
pub(super) struct Divergence {
    pub kernel: &'static str,
    /// Whether there is a variant `channels`, one invocation per group.
    pub channels: bool,
    /// How often a group is passed over.
    pub passes: usize,
    /// Reductions over a workgroup.
    pub trees: usize,
    /// Per value.
    pub flops: usize,
}

impl Divergence {
    /// Records losses `[R, N, G]` and d_z from target, z, weight and norm.
    pub fn record(
        self,
        plan: &mut Plan,
        label: &str,
        inputs: [TensorId; 4],
        axis: Axis,
        temperature: f32,
    ) -> Result<(TensorId, TensorId), PlanError> {
        let [target, z, weight, norm] = inputs;
        let groups = Groups::of(plan, label, z, axis)?;
        let dims = plan.dims(z).to_vec();
        expect_dims(plan, label, target, "as z", &dims)?;
        expect_dims(plan, label, weight, "[R, N]", &dims[..2])?;
        expect_dims(plan, label, norm, "[R]", &dims[..1])?;
        let params = KlDivergence {
            groups: groups.count() as u32,
            length: groups.length as u32,
            inner: groups.inner as u32,
            batch: dims[1] as u32,
            temperature: check_temperature(label, temperature)?,
        };
        let channels = groups.inner > 1 && groups.length <= LONGEST;
        let fitting = [("channels", channels), ("direct", true)];
        let shader = plan.choose(self.kernel, &fitting[usize::from(!self.channels)..])?;
        let (work, iterations) = match shader.variant {
            "channels" => (Work::Invocations(groups.count()), self.passes * groups.length),
            _ => (Work::Workgroups(groups.count()), groups.iterations(self.passes, self.trees)),
        };
        let losses_dims = [dims[0], dims[1], groups.inner];
        let losses = plan.activation(plan.fresh_name(&format!("{label}.losses")), &losses_dims)?;
        let d_z = plan.activation(plan.fresh_name(&format!("{label}.d_z")), &dims)?;
        let count = plan.tensor(z).len();
        plan.record(
            Record::new(shader, format!("{label} forward"))
                .args([target, z, weight, norm, losses, d_z])
                .params(&params)
                .work(work)
                .flops(self.flops * count)
                .iterations(iterations),
        )?;
        Ok((losses, d_z))
    }
}

/// Logits of the cases lie in [−RANGE, RANGE).
const RANGE: f32 = 1.0;

/// The signature of [`forward`] and of the other divergences.
pub(crate) type Forward = fn(
    &mut Plan,
    &str,
    TensorId,
    TensorId,
    TensorId,
    TensorId,
    Axis,
    f32,
) -> Result<(TensorId, TensorId), PlanError>;

/// What the error of a loss and of d_z · T · norm / weight may come to in a case.
pub(super) struct Accuracy {
    /// Relative, of p and q.
    pub softmax: f64,
    /// Absolute, of log p and log q.
    pub log_softmax: f64,
    /// Relative, of a sum over a group.
    pub sum: f64,
    /// Bound of |log p − log q|.
    pub range: f64,
}

/// The cases of one divergence: `errors` gives the bound of a loss of weight 1, and that of the bracket in
/// d_z = factor · q · [ … ], apart from the relative error of factor · q; `target_zeros` are targets whose softmax
/// has exact zeros.
pub(super) fn cases_of(
    variants: &Variants,
    kernel: &'static str,
    forward: Forward,
    zeros: &[(Vec<f32>, f64)],
    shapes: &[AxisShape],
    errors: impl Fn(&Accuracy) -> [f64; 2],
) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(dims, axis, temperature) in shapes {
        let mut plan = Plan::with_variants(kernel, variants);
        let target = super::input(&mut plan, "target", dims)?;
        let z = super::input(&mut plan, "z", dims)?;
        let weight = super::input(&mut plan, "weight", &dims[..2])?;
        let norm = super::input(&mut plan, "norm", &dims[..1])?;
        forward(&mut plan, kernel, target, z, weight, norm, axis, temperature)?;
        let length = Groups::of(&plan, kernel, z, axis)?.length;
        let range = 2.0 * f64::from(RANGE) / f64::from(temperature);
        // The variant `channels` sums in one loop, the bound for 64 lanes is taken at 64 times the length.
        let steps = if axis == Axis::Positions { LANES * length } else { length };
        // A norm of 1 / (length·G) makes d_z = weight / T · length · (…) as large as the losses, so that the bound
        // means something for both. p and q of evenly spread logits are below 5 / length here.
        let share = 1.0 / (plan.tensor(z).len() / (dims[0] * dims[1])) as f32;
        let shape = format!("{dims:?} {axis:?} T={temperature}");
        let logits = Fill::Uniform(-RANGE, RANGE);
        let mut fills =
            vec![("", logits.clone(), logits.clone(), 0.0), (" NaN", logits.clone(), sparse_nan(), 0.0)];
        for (values, far) in zeros {
            fills.push((" zeros in the target", Fill::Floats(values.clone()), logits.clone(), *far));
        }
        for (what, target_fill, z_fill, far) in fills {
            let far = far / f64::from(temperature);
            let [loss, bracket] = errors(&Accuracy {
                softmax: accuracy::softmax(steps, range),
                log_softmax: accuracy::log_softmax(steps, range) + 3.5 * far * accuracy::ULP,
                sum: accuracy::lanes_sum(steps) + 2.0 * accuracy::ULP,
                range: 2.0 * range + far,
            });
            // Weights up to 2.
            let d_z = 2.0 / f64::from(temperature) * 5.0 * bracket;
            cases.push(Case {
                kernel,
                shape: format!("{shape}{what}"),
                plan: plan.clone(),
                inputs: vec![
                    (target, target_fill),
                    (z, z_fill),
                    (weight, Fill::Floats(vec![1.0, 0.0, 2.0])),
                    (norm, Fill::Floats(vec![share, 3.0 * share, 0.0])),
                ],
                tolerance: Tolerance::Mixed {
                    relative: 4.0 * accuracy::ULP,
                    absolute: f64::max(2.0 * loss, d_z),
                },
            });
        }
    }
    Ok(cases)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &SHAPES)
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[AxisShape]) -> Result<Vec<Case>, PlanError> {
    // Targets that underflow to exactly 0, huge and all equal: no error but that of the others.
    let zeros = (vec![0.5, -1e30, 1.5, f32::NEG_INFINITY, -1e4], 0.0);
    cases_of(variants, "kl_divergence_forward", forward, &[zeros], shapes, |a| {
        // Σ p = 1: what p, the logarithms and the sum are off by.
        let loss = 2.0 * a.log_softmax + a.range * (a.softmax + a.sum);
        // q − p, both below 5 / length.
        [loss, 2.0 * (a.softmax + 6.0 * accuracy::ULP)]
    })
}

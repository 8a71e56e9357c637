//! KL(softmax(target / T) ‖ softmax(z / T)), the loss of the second stage, with its gradient in z.

use super::softmax::{Axis, Groups, SHAPES, check_temperature, sparse_nan};
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
    let shader = plan.choose("kl_divergence_forward", &[("channels", channels), ("direct", true)])?;
    let (work, iterations) = match shader.variant {
        "channels" => (Work::Invocations(groups.count()), 3 * groups.length),
        _ => (Work::Workgroups(groups.count()), groups.iterations(3, 5)),
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
            .flops(24 * count)
            .iterations(iterations),
    )?;
    Ok((losses, d_z))
}

/// Logits of the cases lie in [−RANGE, RANGE).
const RANGE: f32 = 1.0;

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for (dims, axis, temperature) in SHAPES {
        let mut plan = Plan::with_variants("kl_divergence", variants);
        let target = super::input(&mut plan, "target", dims)?;
        let z = super::input(&mut plan, "z", dims)?;
        let weight = super::input(&mut plan, "weight", &dims[..2])?;
        let norm = super::input(&mut plan, "norm", &dims[..1])?;
        forward(&mut plan, "kl", target, z, weight, norm, axis, temperature)?;
        let length = Groups::of(&plan, "kl", z, axis)?.length;
        let range = 2.0 * f64::from(RANGE) / f64::from(temperature);

        // |log p − log q| ≤ 2·range and Σ p = 1, weights up to 2: what p, the logarithms and the sum are off by. The
        // variant `channels` sums in one loop, the bound for 64 lanes is taken at 64 times the length.
        let steps = if axis == Axis::Positions { LANES * length } else { length };
        let softmax = accuracy::softmax(steps, range);
        let loss = 2.0
            * (2.0 * accuracy::log_softmax(steps, range)
                + 2.0 * range * (softmax + accuracy::lanes_sum(steps) + 2.0 * accuracy::ULP));
        // A norm of 1 / (length·G) makes d_z = weight / T · length · (q − p) as large as the losses, so that the bound
        // means something for both. p and q of evenly spread logits are below 5 / length here.
        let share = 1.0 / (plan.tensor(z).len() / (dims[0] * dims[1])) as f32;
        let d_z = 2.0 / f64::from(temperature) * 2.0 * 5.0 * (softmax + 6.0 * accuracy::ULP);
        let tolerance = Tolerance::Mixed { relative: 4.0 * accuracy::ULP, absolute: loss.max(d_z) };
        let shape = format!("{dims:?} {axis:?} T={temperature}");
        let logits = Fill::Uniform(-RANGE, RANGE);
        // Targets that underflow to exactly 0, huge and all equal: no error but that of the others.
        let poison = Fill::Floats(vec![0.5, -1e30, 1.5, f32::NEG_INFINITY, -1e4]);
        for (what, target_fill, z_fill) in [
            ("", logits.clone(), logits.clone()),
            (" zeros in the target", poison, logits.clone()),
            (" NaN", logits, sparse_nan()),
        ] {
            cases.push(Case {
                kernel: "kl_divergence_forward",
                shape: format!("{shape}{what}"),
                plan: plan.clone(),
                inputs: vec![
                    (target, target_fill),
                    (z, z_fill),
                    (weight, Fill::Floats(vec![1.0, 0.0, 2.0])),
                    (norm, Fill::Floats(vec![share, 3.0 * share, 0.0])),
                ],
                tolerance: tolerance.clone(),
            });
        }
    }
    Ok(cases)
}

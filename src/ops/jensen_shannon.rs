//! The Jensen–Shannon divergence of softmax(target / T) and softmax(z / T), an alignment loss, with its gradient in z.

use super::kl_divergence::{Divergence, cases_of};
use super::softmax::{Axis, SHAPES};
use super::{Case, accuracy};
use crate::plan::{Plan, PlanError, TensorId, Variants};

/// Records losses `[R, N, G]` and d_z, shaped as z; returns both. Arguments as in [`super::kl_divergence::forward`].
///
/// With a = (p + q) / 2 and l = log(q / a): loss = weight / G · ½ Σ (p·log(p / a) + q·l) with 0·log 0 = 0, within
/// weight / G · \[0, ln 2\], and d_z = weight / (norm·G·T) · ½ q·(l − Σ q·l).
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
        Divergence { kernel: "jensen_shannon_forward", channels: false, passes: 4, trees: 6, flops: 60 };
    kernel.record(plan, label, [target, z, weight, norm], axis, temperature)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    // Zeros of p whose logarithm is finite, and zeros whose logarithm is not: neither has an error of its own.
    let zeros = (vec![0.5, -1e30, 1.5, f32::NEG_INFINITY, -1e4], 0.0);
    cases_of(variants, "jensen_shannon_forward", forward, &[zeros], &SHAPES, |a| {
        // Where p has zeros its logarithms are up to 1 larger (of 5 targets 2 are left, ln 2.5).
        let size = a.range + 1.0;
        // log(1 + exp e): of e, of the exponential in (0, 1], of the logarithm near 1, of two sums.
        let log = 2.0 * a.log_softmax + (5.0 + 3.0 * size) * accuracy::ULP + 1.0 / f64::from(1u32 << 21);
        // ½ (Σ p·k + Σ q·l); then ½ q·(l − Σ q·l).
        let loss = log + size * (a.softmax + a.sum);
        [loss, 0.5 * (log + loss + 2.0 * size * (a.softmax + 8.0 * accuracy::ULP))]
    })
}

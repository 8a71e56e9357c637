//! KL(softmax(z / T) ‖ softmax(target / T)), an alignment loss, with its gradient in z.

use super::kl_divergence::{Divergence, cases_of};
use super::softmax::{Axis, SHAPES};
use super::{Case, accuracy};
use crate::plan::{Plan, PlanError, TensorId, Variants};

/// Records losses `[R, N, G]` and d_z, shaped as z; returns both. Arguments as in [`super::kl_divergence::forward`].
///
/// With r = log q − log p: loss = weight / G · Σ q·r with 0·log 0 = 0, and d_z = weight / (norm·G·T) · q·(r − Σ q·r).
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
    let kernel = Divergence { kernel: "reverse_kl_forward", channels: false, passes: 4, trees: 5, flops: 36 };
    kernel.record(plan, label, [target, z, weight, norm], axis, temperature)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    // Zeros of p whose logarithm is finite; and zeros whose logarithm is not, where loss and d_z are not either.
    let far = (vec![0.5, -1e4, 1.0, -1e3, -0.5], 1e4);
    let infinite = (vec![0.5, -1e4, 1.0, f32::NEG_INFINITY, -0.5], 1e4);
    cases_of(variants, "reverse_kl_forward", forward, &[far, infinite], &SHAPES, |a| {
        let loss = 2.0 * a.log_softmax + a.range * (a.softmax + a.sum);
        // q·(r − Σ q·r): r, the sum, and q with three products.
        [loss, 2.0 * a.log_softmax + loss + 2.0 * a.range * (a.softmax + 8.0 * accuracy::ULP)]
    })
}

//! Cross-entropy of logits against labels, with its gradient.

use super::softmax::sparse_nan;
use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims};
use crate::cpu::cross_entropy::CrossEntropy;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records losses `[R, N]` = weight · (−log softmax(logits)_label) and
/// d_logits `[R, N, K]` = gradient_scale · weight / norm · (softmax(logits) − onehot(label)); returns both.
///
/// logits `[R, N, K]`, labels u32 `[R, N]` below K, weight `[R, N]`, norm `[R]` (what the mean divides by: the sum of
/// the replica's weights). Where norm is 0 the gradient is 0; where a weight is 0 its loss and gradient are exactly 0,
/// whatever the logits are. A label that is no class gives NaN.
#[allow(clippy::too_many_arguments)] // each is a tensor or number of the formula
pub fn forward(
    plan: &mut Plan,
    label: &str,
    logits: TensorId,
    labels: TensorId,
    weight: TensorId,
    norm: TensorId,
    gradient_scale: f32,
) -> Result<(TensorId, TensorId), PlanError> {
    let &[replicas, batch, classes] = plan.dims(logits) else {
        return Err(super::shape_error(plan, label, logits, "[R, N, K]"));
    };
    expect_dims(plan, label, labels, "[R, N]", &[replicas, batch])?;
    expect_dims(plan, label, weight, "[R, N]", &[replicas, batch])?;
    expect_dims(plan, label, norm, "[R]", &[replicas])?;
    let count = count32(label, "logits", plan.tensor(logits).len())? as usize;
    if !gradient_scale.is_finite() {
        let message = format!("the factor of the gradient must be finite, but is {gradient_scale}");
        return Err(PlanError::Settings { op: label.to_owned(), message });
    }
    let shader = plan.direct("cross_entropy_forward")?;
    let losses = plan.activation(plan.fresh_name(&format!("{label}.losses")), &[replicas, batch])?;
    let dims = [replicas, batch, classes];
    let d_logits = plan.activation(plan.fresh_name(&format!("{label}.d_logits")), &dims)?;
    let params = CrossEntropy {
        rows: (replicas * batch) as u32,
        batch: batch as u32,
        classes: classes as u32,
        scale: gradient_scale,
    };
    plan.record(
        Record::new(shader, format!("{label} forward"))
            .args([logits, labels, weight, norm, losses, d_logits])
            .params(&params)
            .work(Work::Invocations(replicas * batch))
            .flops(9 * count)
            .iterations(3 * classes),
    )?;
    Ok((losses, d_logits))
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &[[1, 1, 1], [1, 5, 2], [3, 7, 4], [2, 33, 13], [2, 65, 200]])
}

/// Logits `[R, N, K]`.
pub(crate) fn cases_at(variants: &Variants, shapes: &[[usize; 3]]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    let range = 8.0;
    for &[r, n, k] in shapes {
        // Weights up to 2, a gradient factor of up to 2 · 3 / 0.5; losses up to 2 · (range + log k). The kernel sums
        // in one loop of k, the bound for 64 lanes is taken at 64 times the length.
        let error = f64::max(
            2.0 * accuracy::log_softmax(64 * k, range),
            12.0 * (accuracy::softmax(64 * k, range) + 8.0 * accuracy::ULP),
        );
        let tolerance = Tolerance::Mixed { relative: 4.0 * accuracy::ULP, absolute: error };
        let huge = Fill::Floats(vec![1e30, -1e30, 0.0, 1e30, 1e30, f32::NEG_INFINITY, -7.0]);
        for (what, fill) in [("", Fill::Uniform(-4.0, 4.0)), (" huge", huge), (" NaN", sparse_nan())] {
            let mut plan = Plan::with_variants("cross_entropy", variants);
            let logits = super::input(&mut plan, "logits", &[r, n, k])?;
            let labels = super::index_input(&mut plan, "labels", &[r, n])?;
            let weight = super::input(&mut plan, "weight", &[r, n])?;
            let norm = super::input(&mut plan, "norm", &[r])?;
            forward(&mut plan, "loss", logits, labels, weight, norm, 3.0)?;
            cases.push(Case {
                kernel: "cross_entropy_forward",
                shape: format!("{r}×{n}×{k}{what}"),
                plan,
                inputs: vec![
                    (logits, fill),
                    (labels, Fill::Below(k as u32)),
                    (weight, Fill::Floats(vec![1.0, 0.0, 2.0, 0.3])),
                    (norm, Fill::Floats(vec![0.5, 0.0, 3.0])),
                ],
                tolerance: tolerance.clone(),
            });
        }
    }
    Ok(cases)
}

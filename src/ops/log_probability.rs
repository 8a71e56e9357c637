//! Σ_k log p_k, the summed log-probabilities of a picture, p = softmax(logits): the function whose input gradient the
//! penalty of Ross et al. (2017) looks at.

use super::softmax::sparse_nan;
use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims};
use crate::cpu::log_probability::LogProbability;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

fn params(plan: &Plan, op: &str, logits: TensorId, weight: TensorId) -> Result<LogProbability, PlanError> {
    let &[replicas, batch, classes] = plan.dims(logits) else {
        return Err(super::shape_error(plan, op, logits, "[R, N, K]"));
    };
    expect_dims(plan, op, weight, "[R, N]", &[replicas, batch])?;
    count32(op, "logits", plan.tensor(logits).len())?;
    Ok(LogProbability { rows: (replicas * batch) as u32, classes: classes as u32 })
}

/// Records d_logits `[R, N, K]` = 1 − K · softmax(logits), 0 in rows whose weight `[R, N]` is 0; returns d_logits. The
/// size of a weight does not matter.
pub fn backward(
    plan: &mut Plan,
    label: &str,
    logits: TensorId,
    weight: TensorId,
) -> Result<TensorId, PlanError> {
    let op = format!("{label} backward");
    let params = params(plan, &op, logits, weight)?;
    let dims = plan.dims(logits).to_vec();
    let d_logits = plan.activation(plan.fresh_name(&format!("{label}.d_logits")), &dims)?;
    let shader = plan.direct("log_probability_backward")?;
    plan.record(
        Record::new(shader, op)
            .args([logits, weight, d_logits])
            .params(&params)
            .work(Work::Invocations(params.rows as usize))
            .flops(9 * plan.tensor(logits).len())
            .iterations(3 * params.classes as usize),
    )?;
    Ok(d_logits)
}

/// Records d_logits −= K · p ⊙ (t − p·t), p = softmax(logits), in rows whose weight `[R, N]` is not 0; logits, t and
/// d_logits `[R, N, K]`. With t = ∂P/∂v this is what P(v) adds to the gradient in the logits, v that of [`backward`].
pub fn second_backward(
    plan: &mut Plan,
    label: &str,
    logits: TensorId,
    weight: TensorId,
    t: TensorId,
    d_logits: TensorId,
) -> Result<(), PlanError> {
    let op = format!("{label} second backward");
    let params = params(plan, &op, logits, weight)?;
    let dims = plan.dims(logits).to_vec();
    expect_dims(plan, &op, t, "as the logits", &dims)?;
    expect_dims(plan, &op, d_logits, "as the logits", &dims)?;
    let shader = plan.direct("log_probability_second_backward")?;
    plan.record(
        Record::new(shader, op)
            .args([logits, weight, t, d_logits])
            .params(&params)
            .work(Work::Invocations(params.rows as usize))
            .flops(14 * plan.tensor(logits).len())
            .iterations(3 * params.classes as usize),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    let range = 8.0;
    for (r, n, k) in [(1, 1, 1), (1, 5, 2), (3, 7, 4), (2, 33, 13), (2, 65, 200)] {
        // The kernels sum in one loop of k; the bound for 64 lanes is taken at 64 times the length.
        let p = accuracy::softmax(64 * k, range);
        // K·p is at most K, its product and the difference are rounded.
        let first = k as f64 * (p + accuracy::ULP);
        // |t| ≤ 1: the mean p·t is at most 1 and off by p and a sum, the difference at most 2; d_logits at most 1.
        let mean = p + accuracy::lanes_sum(64 * k);
        let second =
            k as f64 * (2.0 * p + mean + 4.0 * accuracy::ULP) + (1.0 + 2.0 * k as f64) * accuracy::ULP;
        let huge = Fill::Floats(vec![1e30, -1e30, 0.0, 1e30, 1e30, f32::NEG_INFINITY, -7.0]);
        for (what, fill) in [("", Fill::Uniform(-4.0, 4.0)), (" huge", huge), (" NaN", sparse_nan())] {
            for kernel in ["log_probability_backward", "log_probability_second_backward"] {
                let mut plan = Plan::with_variants("log_probability", variants);
                let logits = super::input(&mut plan, "logits", &[r, n, k])?;
                let weight = super::input(&mut plan, "weight", &[r, n])?;
                let mut inputs =
                    vec![(logits, fill.clone()), (weight, Fill::Floats(vec![1.0, 0.0, 2.0, 0.3]))];
                let absolute = if kernel == "log_probability_backward" {
                    backward(&mut plan, "log p", logits, weight)?;
                    first
                } else {
                    let t = super::input(&mut plan, "t", &[r, n, k])?;
                    let d_logits = super::input(&mut plan, "d_logits", &[r, n, k])?;
                    second_backward(&mut plan, "log p", logits, weight, t, d_logits)?;
                    inputs.extend([t, d_logits].map(|tensor| (tensor, Fill::Uniform(-1.0, 1.0))));
                    second
                };
                let tolerance = Tolerance::Mixed { relative: 0.0, absolute };
                cases.push(Case { kernel, shape: format!("{r}×{n}×{k}{what}"), plan, inputs, tolerance });
            }
        }
    }
    Ok(cases)
}

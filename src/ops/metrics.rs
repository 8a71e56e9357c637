//! Predictions, confusion counts and recorded losses, all kept on the device until the epoch is over.

use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims};
use crate::cpu::lanes::LANES;
use crate::cpu::metrics as uniform;
use crate::plan::{Plan, PlanError, Record, Role, TensorId, Variants, Work};
use crate::shader::DType;

/// Records the predicted classes of logits `[R, N, K]`; returns u32 `[R, N]`: the first largest logit's class, or K
/// (no class, never right) for a row with a NaN.
pub fn argmax(plan: &mut Plan, label: &str, logits: TensorId) -> Result<TensorId, PlanError> {
    let &[replicas, batch, classes] = plan.dims(logits) else {
        return Err(super::shape_error(plan, label, logits, "[R, N, K]"));
    };
    let count = count32(label, "logits", plan.tensor(logits).len())? as usize;
    let shader = plan.direct("metrics_argmax")?;
    let name = plan.fresh_name(&format!("{label}.predictions"));
    let predictions = plan.add(name, &[replicas, batch], DType::U32, Role::Activation)?;
    let rows = replicas * batch;
    plan.record(
        Record::new(shader, format!("{label} argmax"))
            .args([logits, predictions])
            .params(&uniform::Argmax { rows: rows as u32, classes: classes as u32 })
            .work(Work::Invocations(rows))
            .flops(count)
            .iterations(classes),
    )?;
    Ok(predictions)
}

/// Records all[r, clock·N + n] = predictions[r, n] for u32 predictions `[R, N]` and all `[R, steps·N]`; nothing is
/// written once the clock `[1]` has passed the last step.
pub fn store(
    plan: &mut Plan,
    label: &str,
    predictions: TensorId,
    all: TensorId,
    clock: TensorId,
) -> Result<(), PlanError> {
    let &[replicas, batch] = plan.dims(predictions) else {
        return Err(super::shape_error(plan, label, predictions, "[R, N]"));
    };
    let slots = match *plan.dims(all) {
        [r, slots] if r == replicas && slots % batch == 0 => slots,
        _ => {
            let expected = format!("[R, steps·N] with R = {replicas}, N = {batch}");
            return Err(super::shape_error(plan, label, all, expected));
        }
    };
    expect_dims(plan, label, clock, "[1]", &[1])?;
    count32(label, "slots", replicas * slots)?;
    let shader = plan.direct("metrics_store")?;
    let rows = replicas * batch;
    let params = uniform::Store { rows: rows as u32, batch: batch as u32, steps: (slots / batch) as u32 };
    plan.record(
        Record::new(shader, format!("{label} store"))
            .args([predictions, clock, all])
            .params(&params)
            .work(Work::Invocations(rows)),
    )
}

/// Records counts[r, i, j] += the number of rows of class i predicted as j whose weight is not 0: u32 predictions and
/// labels `[R, N]`, weight `[R, N]`, u32 counts `[R, K, K]`. What is no class is not counted.
pub fn confusion(
    plan: &mut Plan,
    label: &str,
    predictions: TensorId,
    labels: TensorId,
    weight: TensorId,
    counts: TensorId,
) -> Result<(), PlanError> {
    let &[replicas, batch] = plan.dims(predictions) else {
        return Err(super::shape_error(plan, label, predictions, "[R, N]"));
    };
    expect_dims(plan, label, labels, "[R, N]", &[replicas, batch])?;
    expect_dims(plan, label, weight, "[R, N]", &[replicas, batch])?;
    let classes = match *plan.dims(counts) {
        [r, i, j] if r == replicas && i == j => i,
        _ => return Err(super::shape_error(plan, label, counts, format!("[R, K, K] with R = {replicas}"))),
    };
    let cells = count32(label, "cells", replicas * classes * classes)?;
    let shader = plan.direct("metrics_confusion")?;
    plan.record(
        Record::new(shader, format!("{label} confusion"))
            .args([predictions, labels, weight, counts])
            .params(&uniform::Confusion { cells, batch: batch as u32, classes: classes as u32 })
            .work(Work::Invocations(cells as usize))
            .iterations(batch),
    )
}

/// Records `history[r, clock·slots + slot] = Σ losses[r] / norm[r]`, 0 where norm is 0: losses `[R, …]` (up to a million
/// per replica), norm `[R]`, history `[R, steps·slots]`. Nothing is written once the clock `[1]` has passed the last
/// step. A NaN comes through.
#[allow(clippy::too_many_arguments)] // each is a tensor or number of the formula
pub fn record(
    plan: &mut Plan,
    label: &str,
    losses: TensorId,
    norm: TensorId,
    history: TensorId,
    clock: TensorId,
    slot: usize,
    slots: usize,
) -> Result<(), PlanError> {
    let &[replicas] = plan.dims(norm) else {
        return Err(super::shape_error(plan, label, norm, "[R]"));
    };
    if plan.dims(losses).first() != Some(&replicas) {
        return Err(super::shape_error(plan, label, losses, format!("[R, …] with R = {replicas}")));
    }
    if slot >= slots {
        let message = format!("slot {slot} of {slots} does not exist");
        return Err(PlanError::Settings { op: label.to_owned(), message });
    }
    let width = match *plan.dims(history) {
        [r, width] if r == replicas && width % slots == 0 => width,
        _ => {
            let expected = format!("[R, steps·{slots}] with R = {replicas}");
            return Err(super::shape_error(plan, label, history, expected));
        }
    };
    expect_dims(plan, label, clock, "[1]", &[1])?;
    count32(label, "history", replicas * width)?;
    let count = count32(label, "losses", plan.tensor(losses).len())? as usize;
    let length = count / replicas;
    let shader = plan.direct("metrics_record")?;
    let params = uniform::History {
        replicas: replicas as u32,
        length: length as u32,
        steps: (width / slots) as u32,
        slots: slots as u32,
        slot: slot as u32,
    };
    plan.record(
        Record::new(shader, format!("{label} record"))
            .args([losses, norm, clock, history])
            .params(&params)
            .work(Work::Workgroups(replicas))
            .flops(count)
            .iterations(length.div_ceil(LANES) + LANES.ilog2() as usize),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    let mut case = |kernel, shape: String, plan: Plan, inputs, tolerance| {
        cases.push(Case { kernel, shape, plan, inputs, tolerance });
    };
    for (r, n, k) in [(1, 1, 1), (2, 7, 2), (3, 65, 4), (1, 33, 13)] {
        let ties = Fill::Floats(vec![1.0, 1.0, -2.0, f32::NEG_INFINITY, 3.0, 3.0, 0.0]);
        let poison = Fill::Floats(vec![0.5, -1.0, 2.0, 1e30, 0.0, 7.0, f32::INFINITY, f32::NAN, 1.0]);
        for fill in [Fill::Normal(1.0), ties, poison] {
            let mut plan = Plan::with_variants("metrics", variants);
            let logits = super::input(&mut plan, "logits", &[r, n, k])?;
            argmax(&mut plan, "metrics", logits)?;
            case("metrics_argmax", format!("{r}×{n}×{k}"), plan, vec![(logits, fill)], Tolerance::Exact);
        }
        // The last of three steps, and one past it.
        for step in [2, 3] {
            let mut plan = Plan::with_variants("metrics", variants);
            let predictions = super::index_input(&mut plan, "predictions", &[r, n])?;
            let all = super::index_input(&mut plan, "all", &[r, 3 * n])?;
            let clock = super::index_input(&mut plan, "clock", &[1])?;
            store(&mut plan, "metrics", predictions, all, clock)?;
            let inputs = vec![
                (predictions, Fill::Below(k as u32 + 1)),
                (all, Fill::Below(9)),
                (clock, Fill::Indices(vec![step])),
            ];
            case("metrics_store", format!("{r}×{n} step {step} of 3"), plan, inputs, Tolerance::Exact);
        }
        let mut plan = Plan::with_variants("metrics", variants);
        let predictions = super::index_input(&mut plan, "predictions", &[r, n])?;
        let labels = super::index_input(&mut plan, "labels", &[r, n])?;
        let weight = super::input(&mut plan, "weight", &[r, n])?;
        let counts = super::index_input(&mut plan, "counts", &[r, k, k])?;
        confusion(&mut plan, "metrics", predictions, labels, weight, counts)?;
        let inputs = vec![
            (predictions, Fill::Below(k as u32 + 1)),
            (labels, Fill::Below(k as u32)),
            (weight, Fill::Floats(vec![1.0, 0.5, 0.0, 2.0])),
            (counts, Fill::Below(100)),
        ];
        case("metrics_confusion", format!("{r}×{n}×{k}"), plan, inputs, Tolerance::Exact);
    }
    let shapes: [(&[usize], u32); 5] =
        [(&[1, 1], 0), (&[2, 65], 1), (&[3, 25, 33, 13], 2), (&[2, 1_000_000], 1), (&[2, 9], 3)];
    for (dims, step) in shapes {
        let mut plan = Plan::with_variants("metrics", variants);
        let losses = super::input(&mut plan, "losses", dims)?;
        let norm = super::input(&mut plan, "norm", &dims[..1])?;
        let history = super::input(&mut plan, "history", &[dims[0], 3 * 2])?;
        let clock = super::index_input(&mut plan, "clock", &[1])?;
        record(&mut plan, "metrics", losses, norm, history, clock, 1, 2)?;
        let length: usize = dims[1..].iter().product();
        // No loss is negative, so the sum's error is relative to the sum.
        let relative = accuracy::lanes_sum(length) + 2.5 * accuracy::ULP;
        for fill in [Fill::Uniform(0.0, 1.0), Fill::Floats(vec![1.0, f32::NAN, 0.5])] {
            let inputs = vec![
                (losses, fill),
                (norm, Fill::Floats(vec![4.0, 0.0, 0.75])),
                (history, Fill::Normal(1.0)),
                (clock, Fill::Indices(vec![step])),
            ];
            let tolerance = Tolerance::Mixed { relative, absolute: 0.0 };
            case("metrics_record", format!("{dims:?} step {step} of 3"), plan.clone(), inputs, tolerance);
        }
    }
    Ok(cases)
}

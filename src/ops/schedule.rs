//! Learning rates that move by step, on the device's clock.

use super::{Case, Fill, Tolerance, expect_dims};
use crate::cpu::schedule::Rate;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records lr `[R]` = `rates[clock]` of rates `[steps]`, for every replica; clock is u32 `[1]`.
pub fn rate(
    plan: &mut Plan,
    label: &str,
    clock: TensorId,
    rates: TensorId,
    lr: TensorId,
) -> Result<(), PlanError> {
    expect_dims(plan, label, clock, "[1]", &[1])?;
    let (&[steps], &[replicas]) = (plan.dims(rates), plan.dims(lr)) else {
        return Err(super::shape_error(plan, label, rates, "[steps], and lr [R]"));
    };
    let shader = plan.direct("schedule_rate")?;
    plan.record(
        Record::new(shader, format!("{label} rate"))
            .args([clock, rates, lr])
            .params(&Rate { replicas: replicas as u32, steps: steps as u32 })
            .work(Work::Invocations(replicas)),
    )
}

/// Shapes for doctor and the tests: within the epoch, its last step, and past it.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for (replicas, steps, now) in [(1, 1, 0), (3, 7, 4), (70, 5, 4), (2, 3, 9)] {
        let mut plan = Plan::with_variants("schedule", variants);
        let clock = super::index_input(&mut plan, "clock", &[1])?;
        let rates = super::input(&mut plan, "rates", &[steps])?;
        let lr = super::input(&mut plan, "lr", &[replicas])?;
        rate(&mut plan, "stage", clock, rates, lr)?;
        cases.push(Case {
            kernel: "schedule_rate",
            shape: format!("{replicas} of {steps} at {now}"),
            plan,
            inputs: vec![(clock, Fill::Indices(vec![now])), (rates, Fill::Uniform(0.0, 1.0))],
            tolerance: Tolerance::Exact,
        });
    }
    Ok(cases)
}

//! The number of the step in the epoch, counted on the device.

use super::{Case, Fill, Tolerance};
use crate::cpu::clock::Clock;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records clock += 1; `clock` is u32 `[1]`. The last command of a step.
pub fn advance(plan: &mut Plan, clock: TensorId) -> Result<(), PlanError> {
    super::expect_dims(plan, "clock advance", clock, "[1]", &[1])?;
    let shader = plan.direct("clock_advance")?;
    plan.record(
        Record::new(shader, "clock advance")
            .args([clock])
            .params(&Clock { count: 1 })
            .work(Work::Invocations(1)),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut plan = Plan::with_variants("clock", variants);
    let clock = super::index_input(&mut plan, "clock", &[1])?;
    advance(&mut plan, clock)?;
    Ok(vec![Case {
        kernel: "clock_advance",
        shape: "1".to_owned(),
        plan,
        inputs: vec![(clock, Fill::Indices(vec![41]))],
        tolerance: Tolerance::Exact,
    }])
}

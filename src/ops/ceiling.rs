//! The ceilings that a device's own measurements set for the benches.

use super::{Case, Fill, Tolerance};
use crate::cpu::ceiling::Ceiling;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records y = x for a tensor whose length is a multiple of four: 8 bytes moved per element.
pub fn copy(plan: &mut Plan, label: &str, x: TensorId) -> Result<TensorId, PlanError> {
    let shader = plan.direct("ceiling_copy")?;
    let dims = plan.dims(x).to_vec();
    let len = plan.tensor(x).len();
    if !len.is_multiple_of(4) {
        return Err(super::shape_error(plan, label, x, "a multiple of four elements"));
    }
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &dims)?;
    let params = Ceiling { count: super::count32(label, "vectors", len / 4)?, rounds: 0 };
    plan.record(Record::new(shader, label).args([x, y]).params(&params).work(Work::Invocations(len / 4)))?;
    Ok(y)
}

/// Records chains of multiply-adds in registers: `count · rounds · 256` FLOPs. x holds m and c, `[2, 4]`.
pub fn fma(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    count: usize,
    rounds: usize,
) -> Result<TensorId, PlanError> {
    let shader = plan.direct("ceiling_fma")?;
    super::expect_dims(plan, label, x, "m and c", &[2, 4])?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &[count, 4])?;
    let params = Ceiling {
        count: super::count32(label, "vectors", count)?,
        rounds: super::count32(label, "rounds", rounds)?,
    };
    plan.record(
        Record::new(shader, label)
            .args([x, y])
            .params(&params)
            .work(Work::Invocations(count))
            .flops(count * rounds * 256)
            .iterations(rounds),
    )?;
    Ok(y)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for count in [1, 65, 70_000] {
        let mut plan = Plan::with_variants("ceiling", variants);
        let x = super::input(&mut plan, "x", &[count, 4])?;
        copy(&mut plan, "copy", x)?;
        cases.push(Case {
            kernel: "ceiling_copy",
            shape: format!("{count}×4"),
            plan,
            inputs: vec![(x, Fill::Normal(1.0))],
            tolerance: Tolerance::Exact,
        });
    }
    for (count, rounds) in [(1, 0), (130, 1), (65, 300)] {
        let mut plan = Plan::with_variants("ceiling", variants);
        let x = super::input(&mut plan, "x", &[2, 4])?;
        fma(&mut plan, "fma", x, count, rounds)?;
        cases.push(Case {
            kernel: "ceiling_fma",
            shape: format!("{count}×4, {rounds} rounds"),
            plan,
            inputs: vec![(x, Fill::Floats(vec![0.5, 0.25, 0.75, 0.5, 1.0, 2.0, 0.5, 0.25]))],
            // |m| ≤ 3/4 shrinks an old error, so the sum of all is at most four times the newest: 2u each, and
            // seven additions of positive numbers.
            tolerance: Tolerance::Mixed { relative: 15.0 / f64::from(1 << 24), absolute: 0.0 },
        });
    }
    Ok(cases)
}

//! The multiplier of a constraint, moved by dual ascent.

use super::{Case, Fill, Tolerance, accuracy, expect_dims};
use crate::cpu::multiplier::Ascend;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records multiplier ← max(0, multiplier + rate · (total / norm − epsilon)), all `[R]`: total is the batch's summed
/// loss, norm what its mean divides by. A replica whose norm is 0 keeps its multiplier. A NaN stays one.
pub fn ascend(
    plan: &mut Plan,
    label: &str,
    total: TensorId,
    norm: TensorId,
    multiplier: TensorId,
    epsilon: f32,
    rate: f32,
) -> Result<(), PlanError> {
    let op = format!("{label} ascend");
    let &[replicas] = plan.dims(multiplier) else {
        return Err(super::shape_error(plan, &op, multiplier, "[R]"));
    };
    expect_dims(plan, &op, total, "[R]", &[replicas])?;
    expect_dims(plan, &op, norm, "[R]", &[replicas])?;
    for (name, value) in [("epsilon", epsilon), ("rate", rate)] {
        if !(value.is_finite() && value >= 0.0) {
            let message = format!("{name} must be finite and not negative, but is {value}");
            return Err(PlanError::Settings { op, message });
        }
    }
    let shader = plan.direct("multiplier_ascend")?;
    plan.record(
        Record::new(shader, op)
            .args([total, norm, multiplier])
            .params(&Ascend { replicas: replicas as u32, epsilon, rate })
            .work(Work::Invocations(replicas))
            .flops(5 * replicas),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for replicas in [1, 3, 70] {
        let mut plan = Plan::with_variants("multiplier", variants);
        let total = super::input(&mut plan, "total", &[replicas])?;
        let norm = super::input(&mut plan, "norm", &[replicas])?;
        let multiplier = super::input(&mut plan, "multiplier", &[replicas])?;
        ascend(&mut plan, "constraint", total, norm, multiplier, 0.25, 0.5)?;
        cases.push(Case {
            kernel: "multiplier_ascend",
            shape: format!("{replicas}"),
            plan,
            inputs: vec![
                (total, Fill::Floats(vec![3.0, 0.1, 7.0, f32::NAN, 5.0, 0.0, f32::INFINITY])),
                (norm, Fill::Floats(vec![3.0, 7.0, 0.0, 11.0])),
                (multiplier, Fill::Floats(vec![0.3, 0.0, 2.0, 0.7, f32::NAN])),
            ],
            // The mean is at most 2.4 (7 / 3) through a quotient (2.5 ULP), the sum at most 3.5 in size, through three
            // roundings.
            tolerance: Tolerance::Mixed {
                relative: 0.0,
                absolute: (0.5 * 2.4 * 3.5 + 3.0 * 3.5) * accuracy::ULP,
            },
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn senseless_numbers_and_shapes_are_refused() {
        let mut plan = Plan::new("test");
        let [a, b, c] = ["a", "b", "c"].map(|name| plan.activation(name, &[2]).unwrap());
        let odd = plan.activation("odd", &[3]).unwrap();
        assert!(matches!(
            ascend(&mut plan, "t", a, b, c, -1.0, 1.0),
            Err(PlanError::Settings { message, .. }) if message.contains("epsilon")
        ));
        assert!(ascend(&mut plan, "t", a, b, c, 1.0, f32::NAN).is_err());
        assert!(matches!(ascend(&mut plan, "t", odd, b, c, 1.0, 1.0), Err(PlanError::Shape { .. })));
    }
}

//! Sums and products, element by element: how the gradients of two losses become one.

use super::{Case, Fill, Tolerance, count32, expect_dims};
use crate::cpu::pointwise as uniform;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records y += scale · x for tensors of equal dimensions.
pub fn add(plan: &mut Plan, label: &str, x: TensorId, scale: f32, y: TensorId) -> Result<(), PlanError> {
    let op = format!("{label} add");
    expect_dims(plan, &op, x, "as the sum", plan.dims(y))?;
    if !scale.is_finite() {
        return Err(PlanError::Settings {
            op,
            message: format!("the factor must be finite, but is {scale}"),
        });
    }
    let count = count32(&op, "elements", plan.tensor(y).len())?;
    let shader = plan.direct("pointwise_add")?;
    plan.record(
        Record::new(shader, op)
            .args([x, y])
            .params(&uniform::Add { count, scale })
            .work(Work::Invocations(count as usize))
            .flops(2 * count as usize),
    )
}

/// Records y *= factor of its replica, for factor `[R]` and y `[R, …]`.
pub fn scale(plan: &mut Plan, label: &str, factor: TensorId, y: TensorId) -> Result<(), PlanError> {
    let op = format!("{label} scale");
    expect_dims(plan, &op, factor, "[R]", &plan.dims(y)[..1])?;
    let count = count32(&op, "elements", plan.tensor(y).len())?;
    let size = count / plan.dims(y)[0] as u32;
    let shader = plan.direct("pointwise_scale")?;
    plan.record(
        Record::new(shader, op)
            .args([factor, y])
            .params(&uniform::Scale { count, size })
            .work(Work::Invocations(count as usize))
            .flops(count as usize),
    )
}

/// Records y = a ⊙ b for tensors of equal dimensions; returns y.
pub fn product(plan: &mut Plan, label: &str, a: TensorId, b: TensorId) -> Result<TensorId, PlanError> {
    let op = format!("{label} product");
    let dims = plan.dims(a).to_vec();
    expect_dims(plan, &op, b, "as the other factor", &dims)?;
    let count = count32(&op, "elements", plan.tensor(a).len())?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.product")), &dims)?;
    let shader = plan.direct("pointwise_product")?;
    plan.record(
        Record::new(shader, op)
            .args([a, b, y])
            .params(&uniform::Product { count })
            .work(Work::Invocations(count as usize))
            .flops(count as usize),
    )?;
    Ok(y)
}

/// Records y = a + b for tensors of equal dimensions; returns y.
pub fn sum(plan: &mut Plan, label: &str, a: TensorId, b: TensorId) -> Result<TensorId, PlanError> {
    let op = format!("{label} sum");
    let dims = plan.dims(a).to_vec();
    expect_dims(plan, &op, b, "as the other summand", &dims)?;
    let count = count32(&op, "elements", plan.tensor(a).len())?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &dims)?;
    let shader = plan.direct("pointwise_sum")?;
    plan.record(
        Record::new(shader, op)
            .args([a, b, y])
            .params(&uniform::PointwiseSum { count })
            .work(Work::Invocations(count as usize))
            .flops(count as usize),
    )?;
    Ok(y)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &[&[1], &[3, 21], &[2, 3, 5, 7], &[1, 70_001]])
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[&[usize]]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    let poison = Fill::Floats(vec![1.5, f32::NAN, -2.0, f32::INFINITY, -0.0, f32::NEG_INFINITY, 0.25]);
    for &dims in shapes {
        let fill = if dims.len() == 4 { poison.clone() } else { Fill::Normal(1.0) };
        for kernel in ["pointwise_add", "pointwise_scale", "pointwise_product", "pointwise_sum"] {
            let mut plan = Plan::with_variants("pointwise", variants);
            let x = super::input(&mut plan, "x", dims)?;
            let inputs = if kernel == "pointwise_scale" {
                let factor = super::input(&mut plan, "factor", &dims[..1])?;
                scale(&mut plan, "pointwise", factor, x)?;
                vec![(x, fill.clone()), (factor, Fill::Floats(vec![0.75, 0.0]))]
            } else {
                let y = super::input(&mut plan, "y", dims)?;
                match kernel {
                    "pointwise_add" => add(&mut plan, "pointwise", x, 0.3, y)?,
                    "pointwise_sum" => sum(&mut plan, "pointwise", x, y).map(|_| ())?,
                    _ => product(&mut plan, "pointwise", x, y).map(|_| ())?,
                }
                vec![(x, fill.clone()), (y, Fill::Uniform(-2.0, 2.0))]
            };
            let tolerance = match kernel {
                "pointwise_add" => Tolerance::Dot { terms: 2 },
                _ => Tolerance::Exact,
            };
            cases.push(Case { kernel, shape: format!("{dims:?}"), plan, inputs, tolerance });
        }
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut plan = Plan::new("test");
        let x = plan.activation("x", &[2, 6]).unwrap();
        let other = plan.activation("other", &[2, 5]).unwrap();
        let factor = plan.activation("factor", &[3]).unwrap();
        assert!(matches!(add(&mut plan, "t", other, 1.0, x), Err(PlanError::Shape { .. })));
        assert!(matches!(add(&mut plan, "t", x, f32::NAN, x), Err(PlanError::Settings { .. })));
        assert!(matches!(add(&mut plan, "t", x, 1.0, x), Err(PlanError::Arguments { .. })));
        assert!(matches!(scale(&mut plan, "t", factor, x), Err(PlanError::Shape { .. })));
        assert!(matches!(product(&mut plan, "t", x, other), Err(PlanError::Shape { .. })));
        assert!(matches!(sum(&mut plan, "t", x, other), Err(PlanError::Shape { .. })));
    }
}

//! Inverted dropout (Srivastava et al. 2014), with a mask that is a hash and stored nowhere.

use super::{Case, Fill, Tolerance, count32, expect_dims};
use crate::cpu::dropout::Dropout;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// What a mask is drawn from; the tensors are the same for all layers of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// u32 `[R, 2]`: random words of each replica, new in each pass over the data.
    pub key: TensorId,
    /// u32 `[1]`: the number of the step in the pass.
    pub clock: TensorId,
}

/// The share that is dropped, in [0, 1), as a kernel compares it: in units of 2⁻³².
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u32);

impl Rate {
    /// `None` for a share that is no number from 0 to below 1.
    pub fn new(share: f64) -> Option<Self> {
        (0.0..1.0)
            .contains(&share)
            .then(|| Self((share * 2f64.powi(32)).round().min(f64::from(u32::MAX)) as u32))
    }

    /// 1 / (1 − share): what stays is scaled by this, so that the mean stays what it was.
    pub fn scale(self) -> f32 {
        (1.0 / (1.0 - f64::from(self.0) / 2f64.powi(32))) as f32
    }
}

/// Records y = scale · x where the element is kept, else 0, for x `[R, …]`; returns y, shaped as x. `layer` tells the masks
/// of a step's layers apart. Applied to d_y with the same numbers it is the backward direction.
pub fn forward(
    plan: &mut Plan,
    label: &str,
    x: TensorId,
    rate: Rate,
    layer: u32,
    noise: Noise,
) -> Result<TensorId, PlanError> {
    let dims = plan.dims(x).to_vec();
    expect_dims(plan, label, noise.key, "[R, 2]", &[dims[0], 2])?;
    expect_dims(plan, label, noise.clock, "[1]", &[1])?;
    let count = count32(label, "elements", plan.tensor(x).len())?;
    let shader = plan.direct("dropout_forward")?;
    let y = plan.activation(plan.fresh_name(&format!("{label}.y")), &dims)?;
    plan.record(
        Record::new(shader, label)
            .args([noise.key, noise.clock, x, y])
            .params(&Dropout {
                count,
                size: count / dims[0] as u32,
                layer,
                threshold: rate.0,
                scale: rate.scale(),
            })
            .work(Work::Invocations(count as usize))
            .flops(count as usize),
    )?;
    Ok(y)
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for (dims, share) in
        [(&[1usize, 1][..], 0.5), (&[3, 65], 0.2), (&[2, 3, 9, 7, 4], 0.9), (&[1, 70_001], 0.0)]
    {
        let mut plan = Plan::with_variants("dropout", variants);
        let key = super::index_input(&mut plan, "key", &[dims[0], 2])?;
        let clock = super::index_input(&mut plan, "clock", &[1])?;
        let x = super::input(&mut plan, "x", dims)?;
        let rate = Rate::new(share).ok_or_else(|| PlanError::Settings {
            op: "dropout".to_owned(),
            message: format!("the rate lies in [0, 1), but is {share}"),
        })?;
        forward(&mut plan, "dropout", x, rate, 0x9e37_79b9, Noise { key, clock })?;
        cases.push(Case {
            kernel: "dropout_forward",
            shape: format!("{dims:?} rate {share}"),
            plan,
            inputs: vec![
                (key, Fill::Indices(vec![0xdead_beef, 7, u32::MAX, 0, 1, 0x8000_0000])),
                (clock, Fill::Indices(vec![41])),
                (x, Fill::Normal(1.0)),
            ],
            tolerance: Tolerance::Exact,
        });
    }
    Ok(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_lies_between_nothing_and_everything() {
        for wrong in [-0.1, 1.0, 2.0, f64::NAN] {
            assert_eq!(Rate::new(wrong), None, "{wrong}");
        }
        assert_eq!(Rate::new(0.0).unwrap().scale(), 1.0);
        assert_eq!(Rate::new(0.5).unwrap(), Rate(1 << 31));
        assert_eq!(Rate::new(0.75).unwrap().scale(), 4.0);
        assert!(Rate::new(1.0 - 1e-12).unwrap().scale().is_finite());
    }
}

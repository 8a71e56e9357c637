//! Twin of `shaders/optimizer/tick.wgsl`: counts the updates of each replica that takes one.

use super::Tick;
use crate::cpu::{ArgError, Args, Real};

/// Reads norm `[R]`, updates tick `[R, 4]` = (t, 1 − β1^t, 1 − β2^t, active).
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Tick = args.params()?;
    let (norm, tick) = (args.read()?, args.write()?);
    for (&norm, tick) in norm.iter().zip(tick.chunks_exact_mut(4)) {
        if norm > T::ZERO || norm.to_f64().is_nan() {
            tick[0] += T::ONE;
            tick[1] = T::from_f32(params.beta1) * tick[1] + T::from_f32(params.one_minus_beta1);
            tick[2] = T::from_f32(params.beta2) * tick[2] + T::from_f32(params.one_minus_beta2);
            tick[3] = T::ONE;
        } else {
            tick[3] = T::ZERO;
        }
    }
    Ok(())
}

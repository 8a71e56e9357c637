//! Twin of `shaders/batch_norm/running.wgsl`: statistics as in evaluation.

use super::BatchNorm;
use crate::cpu::{ArgError, Args, Real};

/// Reads running_mean and running_var `[R, C]`; writes statistics `[R, C, 2]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: BatchNorm = args.params()?;
    let (mean, variance, statistics) = (args.read()?, args.read()?, args.write()?);
    for ((out, &mean), &variance) in statistics.chunks_exact_mut(2).zip(mean).zip(variance) {
        out[0] = mean;
        out[1] = T::ONE / (variance + T::from_f32(p.epsilon)).sqrt();
    }
    Ok(())
}

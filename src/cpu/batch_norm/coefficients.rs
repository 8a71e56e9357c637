//! Twin of `shaders/batch_norm/coefficients.wgsl`: scale, mean, offset and slope of each channel.

use super::BatchNorm;
use crate::cpu::{ArgError, Args, Real};

/// Reads statistics `[R, C, 2]`, weight, d_weight and d_bias `[R, C]`, present `[R, N]`; writes coefficients `[R, C, 4]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: BatchNorm = args.params()?;
    let (statistics, weight) = (args.read()?, args.read()?);
    let (d_weight, d_bias, present, coefficients) = (args.read()?, args.read()?, args.read()?, args.write()?);
    for (i, out) in coefficients.chunks_exact_mut(4).enumerate() {
        let count = T::from_usize(p.values(present, i / p.channels as usize).max(1));
        let inverse = statistics[i * 2 + 1];
        let scale = weight[i] * inverse;
        out.copy_from_slice(&[
            scale,
            statistics[i * 2],
            scale * d_bias[i] / count,
            scale * inverse * d_weight[i] / count,
        ]);
    }
    Ok(())
}

//! Twin of `shaders/input_penalty/forward.wgsl`: weight · Σ (outside · g)², and its gradient in g.

use super::InputPenalty;
use crate::cpu::{ArgError, Args, Real, lanes, parallel};

/// Reads g `[R, N, positions, C]`, outside `[R, N, positions]`, weight `[R, N]` and norm `[R]`; writes losses `[R, N]`
/// and d_g like g. Both are exactly 0 where weight or norm is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let InputPenalty { batch, size, channels, scale, .. } = args.params()?;
    let (batch, size, channels) = (batch as usize, size as usize, channels as usize);
    let scale = T::from_f32(scale);
    let (g, outside, weight, norm) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (losses, d_g) = (args.write()?, args.write()?);
    parallel::chunks2((losses, 1), (d_g, size), |row, losses, d_g| {
        let (weight, norm) = (weight[row], norm[row / batch]);
        if weight == T::ZERO || norm == T::ZERO {
            losses.fill(T::ZERO);
            d_g.fill(T::ZERO);
            return;
        }
        let factor = T::from_f32(2.0) * scale * weight / norm;
        let (g, outside) = (&g[row * size..][..size], &outside[row * size / channels..]);
        losses[0] = weight
            * lanes::sum(size, |i| {
                let kept = outside[i / channels];
                let seen = kept * g[i];
                d_g[i] = factor * kept * seen;
                seen * seen
            });
    });
    Ok(())
}

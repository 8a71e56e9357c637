//! Twin of `shaders/average_pool/forward.wgsl`: the mean over all positions.

use super::AveragePool;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, H, W, C]`, writes y `[R, N, 1, 1, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: AveragePool = args.params()?;
    let (x, y) = (args.read()?, args.write()?);
    let (positions, channels) = (p.positions as usize, p.channels as usize);
    parallel::chunks(y, channels, |i, y| {
        y.fill(T::ZERO);
        for x in x[i * positions * channels..][..positions * channels].chunks_exact(channels) {
            for (y, &x) in y.iter_mut().zip(x) {
                *y += x;
            }
        }
        for y in y {
            *y = *y / T::from_usize(positions);
        }
    });
    Ok(())
}

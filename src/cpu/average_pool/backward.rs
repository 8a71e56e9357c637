//! Twin of `shaders/average_pool/backward.wgsl`: d_x = d_y / (H W) at every position.

use super::AveragePool;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads d_y `[R, N, 1, 1, C]`, writes d_x `[R, N, H, W, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: AveragePool = args.params()?;
    let (d_y, d_x) = (args.read()?, args.write()?);
    let (positions, channels) = (p.positions as usize, p.channels as usize);
    parallel::chunks(d_x, positions * channels, |i, d_x| {
        for d_x in d_x.chunks_exact_mut(channels) {
            for (d_x, &d_y) in d_x.iter_mut().zip(&d_y[i * channels..]) {
                *d_x = d_y / T::from_usize(positions);
            }
        }
    });
    Ok(())
}

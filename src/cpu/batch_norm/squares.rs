//! Twin of `shaders/batch_norm/squares.wgsl`: the sum of squared distances from the mean, in slices.

use super::BatchNorm;
use crate::cpu::{ArgError, Args, Real, Scratch, parallel};

/// Reads x `[R, N, P, C]`, present `[R, N]`, sums `[R, C]`; writes squares `[R, S, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: BatchNorm = args.params()?;
    let (x, present, sums, squares) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let channels = p.channels as usize;
    parallel::chunks(squares, channels, |i, out| {
        let replica = i / p.slices as usize;
        let count = T::from_usize(p.values(present, replica).max(1));
        let mean: Scratch<T> =
            sums[replica * channels..][..channels].iter().map(|&sum| sum / count).collect();
        let squares = p.slice(present, i, |row, sums| {
            for ((sum, &x), &mean) in sums.iter_mut().zip(&x[row * channels..]).zip(&mean) {
                *sum += (x - mean) * (x - mean);
            }
        });
        out.copy_from_slice(&squares);
    });
    Ok(())
}

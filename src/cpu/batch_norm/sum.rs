//! Twin of `shaders/batch_norm/sum.wgsl`: the sum of each channel over the pictures that count, in slices.

use super::BatchNorm;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, P, C]`, present `[R, N]`; writes sums `[R, S, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: BatchNorm = args.params()?;
    let (x, present, sums) = (args.read()?, args.read()?, args.write()?);
    let channels = p.channels as usize;
    parallel::chunks(sums, channels, |i, out| {
        let sums = p.slice(present, i, |row, sums| {
            sums.iter_mut().zip(&x[row * channels..]).for_each(|(sum, &x)| *sum += x);
        });
        out.copy_from_slice(&sums);
    });
    Ok(())
}

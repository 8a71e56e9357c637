//! Twin of `shaders/squared_distance/forward.wgsl`: the mean of (z − t)² over a picture, and its gradient in z.

use super::SquaredDistance;
use crate::cpu::{ArgError, Args, Real, lanes, parallel};

/// Reads t and z `[rows, length]`, weight `[rows]` and norm `[R]`; writes losses `[rows]` and d_z like z. Both are
/// exactly 0 where weight or norm is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let SquaredDistance { length, batch, .. } = args.params()?;
    let (length, batch) = (length as usize, batch as usize);
    let (t, z, weight, norm) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (losses, d_z) = (args.write()?, args.write()?);
    parallel::chunks2((losses, 1), (d_z, length), |row, loss, d_z| {
        let (weight, norm) = (weight[row], norm[row / batch]);
        if weight == T::ZERO || norm == T::ZERO {
            loss.fill(T::ZERO);
            d_z.fill(T::ZERO);
            return;
        }
        let (t, z) = (&t[row * length..][..length], &z[row * length..][..length]);
        let share = weight / T::from_usize(length);
        let factor = T::from_f64(2.0) * share / norm;
        let sum = lanes::sum(length, |i| {
            let distance = z[i] - t[i];
            d_z[i] = factor * distance;
            distance * distance
        });
        loss.fill(share * sum);
    });
    Ok(())
}

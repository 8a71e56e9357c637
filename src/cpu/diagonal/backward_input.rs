//! Twin of `shaders/diagonal/backward_input.wgsl`: d_x = w ⊙ d_z.

use super::Diagonal;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads d_z `[R, N, D]`, weight `[R, D]`; writes d_x `[R, N, D]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Diagonal = args.params()?;
    let (d_z, weight, d_x) = (args.read()?, args.read()?, args.write()?);
    let (batch, features) = (p.batch as usize, p.features as usize);
    parallel::chunks(d_x, features, |n, d_x| {
        let (d_z, weight) = (&d_z[n * features..], &weight[n / batch * features..]);
        for ((d_x, &d_z), &weight) in d_x.iter_mut().zip(d_z).zip(weight) {
            *d_x = weight * d_z;
        }
    });
    Ok(())
}

//! Twin of `shaders/diagonal/forward.wgsl`: z = w ⊙ x + b.

use super::Diagonal;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, D]`, weight `[R, D]`, bias `[R, D]`; writes z `[R, N, D]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Diagonal = args.params()?;
    let (x, weight, bias, z) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let (batch, features) = (p.batch as usize, p.features as usize);
    parallel::chunks(z, features, |n, z| {
        let replica = n / batch * features;
        let (x, weight, bias) = (&x[n * features..], &weight[replica..], &bias[replica..]);
        for (((z, &x), &weight), &bias) in z.iter_mut().zip(x).zip(weight).zip(bias) {
            *z = weight * x + bias;
        }
    });
    Ok(())
}

//! Twin of `shaders/diagonal/backward_weight.wgsl`: d_w = Σ_n x ⊙ d_z, in slices over the batch.

use super::Diagonal;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, D]`, d_z `[R, N, D]`; writes d_weight `[R, S, D]`, each slice s the sum over its own pictures.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Diagonal = args.params()?;
    let (x, d_z, d_weight) = (args.read()?, args.read()?, args.write()?);
    let (batch, features) = (p.batch as usize, p.features as usize);
    let (slices, length) = (p.slices as usize, p.slice_length as usize);
    parallel::chunks(d_weight, features, |i, d_weight| {
        let (replica, first) = (i / slices, i % slices * length);
        let end = (first + length).min(batch);
        let range = (replica * batch + first) * features..(replica * batch + end) * features;
        d_weight.fill(T::ZERO);
        for (x, d_z) in x[range.clone()].chunks_exact(features).zip(d_z[range].chunks_exact(features)) {
            for ((d_weight, &x), &d_z) in d_weight.iter_mut().zip(x).zip(d_z) {
                *d_weight += x * d_z;
            }
        }
    });
    Ok(())
}

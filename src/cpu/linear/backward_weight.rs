//! Twin of `shaders/linear/backward_weight.wgsl`: d_W = xᵀ d_y, in slices over the batch.

use super::{Linear, ROWS};
use crate::cpu::product::{self, Finish, Left, Right};
use crate::cpu::{ArgError, Args, Real};

/// Reads x `[R, N, D_in]`, d_y `[R, N, D_out]`; writes d_weight `[R, S, D_in, D_out]`, each slice s the sum over
/// its own pictures.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Linear = args.params()?;
    let (x, d_y, d_weight) = (args.read()?, args.read()?, args.write()?);
    let (batch, d_in, d_out) = (p.batch as usize, p.features_in as usize, p.features_out as usize);
    let (slices, length) = (p.slices as usize, p.slice_length as usize);
    let (rows, terms) = (product::even(d_in, 1), product::even(length, d_in));
    for (i, d_weight) in d_weight.chunks_exact_mut(d_in * d_out).enumerate() {
        let (replica, first) = (i / slices, i % slices * length);
        let count = length.min(batch - first);
        let x = Left { data: &x[(replica * batch + first) * d_in..], rows: &rows, terms: &terms[..count] };
        let d_y = &d_y[(replica * batch + first) * d_out..][..count * d_out];
        product::multiply_rows(x, &Right::rows(d_y, d_out), Finish::PLAIN, d_weight, ROWS);
    }
    Ok(())
}

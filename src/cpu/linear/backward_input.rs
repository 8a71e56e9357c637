//! Twin of `shaders/linear/backward_input.wgsl`: d_x = d_y Wᵀ.

use super::{Linear, pictures};
use crate::cpu::product::{self, Finish, Left, Right};
use crate::cpu::{ArgError, Args, Real};

/// Reads d_y `[R, N, D_out]`, weight `[R, D_in, D_out]`; writes d_x `[R, N, D_in]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Linear = args.params()?;
    let (d_y, weight, d_x) = (args.read()?, args.read()?, args.write()?);
    let (batch, d_in, d_out) = (p.batch as usize, p.features_in as usize, p.features_out as usize);
    let (rows, terms) = (product::even(batch, d_out), product::even(d_out, 1));
    for (replica, d_x) in d_x.chunks_exact_mut(batch * d_in).enumerate() {
        let weight = Right::transposed(&weight[replica * d_in * d_out..], d_in, d_out, &terms);
        let d_y = Left { data: &d_y[replica * batch * d_out..], rows: &rows, terms: &terms };
        product::multiply_rows(d_y, &weight, Finish::PLAIN, d_x, pictures(batch));
    }
    Ok(())
}

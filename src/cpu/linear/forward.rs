//! Twin of `shaders/linear/forward.wgsl`: y = x W + b, then perhaps a ReLU.

use super::{Linear, pictures};
use crate::cpu::product::{self, Finish, Left, Right};
use crate::cpu::{ArgError, Args, Real};

/// Reads x `[R, N, D_in]`, weight `[R, D_in, D_out]`, bias `[R, D_out]`; writes y `[R, N, D_out]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Linear = args.params()?;
    let (x, weight, bias, y) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let (batch, d_in, d_out) = (p.batch as usize, p.features_in as usize, p.features_out as usize);
    let (rows, terms) = (product::even(batch, d_in), product::even(d_in, 1));
    for (replica, y) in y.chunks_exact_mut(batch * d_out).enumerate() {
        let weight = Right::rows(&weight[replica * d_in * d_out..][..d_in * d_out], d_out);
        let x = Left { data: &x[replica * batch * d_in..], rows: &rows, terms: &terms };
        let finish = Finish { bias: Some(&bias[replica * d_out..][..d_out]), relu: p.relu == 1 };
        product::multiply_rows(x, &weight, finish, y, pictures(batch));
    }
    Ok(())
}

//! Twin of `shaders/linear/backward_input.wgsl`: d_x = d_y Wᵀ.

use super::{Linear, ROWS};
use crate::cpu::gemm::{self, Matrix, Panels};
use crate::cpu::{ArgError, Args, Real};

/// Reads d_y `[R, N, D_out]`, weight `[R, D_in, D_out]`; writes d_x `[R, N, D_in]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Linear = args.params()?;
    let (d_y, weight, d_x) = (args.read()?, args.read()?, args.write()?);
    let (batch, d_in, d_out) = (p.batch as usize, p.features_in as usize, p.features_out as usize);
    for (replica, d_x) in d_x.chunks_exact_mut(batch * d_in).enumerate() {
        let weight = Matrix::new(&weight[replica * d_in * d_out..], d_out).transposed();
        let d_y = Matrix::new(&d_y[replica * batch * d_out..], d_out);
        gemm::multiply(d_y, &Panels::pack(weight, d_out, d_in), d_x, ROWS);
    }
    Ok(())
}

//! Twin of `shaders/linear/forward.wgsl`: y = x W + b, then perhaps a ReLU.

use super::{Linear, ROWS};
use crate::cpu::gemm::{Matrix, Panels};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, D_in]`, weight `[R, D_in, D_out]`, bias `[R, D_out]`; writes y `[R, N, D_out]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Linear = args.params()?;
    let (x, weight, bias, y) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let (batch, d_in, d_out) = (p.batch as usize, p.features_in as usize, p.features_out as usize);
    for (replica, y) in y.chunks_exact_mut(batch * d_out).enumerate() {
        let weight = Panels::pack(Matrix::new(&weight[replica * d_in * d_out..], d_out), d_in, d_out);
        let bias = &bias[replica * d_out..][..d_out];
        let x = Matrix::new(&x[replica * batch * d_in..], d_in);
        parallel::chunks(y, ROWS * d_out, |i, y| {
            for y in y.chunks_exact_mut(d_out) {
                y.copy_from_slice(bias);
            }
            weight.multiply_add(x.rows_from(i * ROWS), y);
            if p.relu == 1 {
                for y in y {
                    *y = if *y < T::ZERO { T::ZERO } else { *y };
                }
            }
        });
    }
    Ok(())
}

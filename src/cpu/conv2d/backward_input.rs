//! Twin of `shaders/conv2d/backward_input.wgsl`: d_windows = d_y · weightᵀ, and each window is added where it
//! was taken from.

use super::{Conv2d, Geometry, ROWS};
use crate::cpu::gemm::{Matrix, Panels};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads d_y `[R, N, H_out, W_out, C_out]`, weight `[R, K_h, K_w, C_in, C_out]`; writes d_x `[R, N, H, W, C_in]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Conv2d = args.params()?;
    let (d_y, weight, d_x) = (args.read()?, args.read()?, args.write()?);
    let geometry = Geometry::new(&params);
    let (window, channels) = (geometry.window(), geometry.channels_out);
    let (batch, plane) = (params.batch as usize, geometry.plane_out * channels);

    for (replica, d_x) in d_x.chunks_exact_mut(batch * geometry.image()).enumerate() {
        let weight = Matrix::new(&weight[replica * window * channels..], channels).transposed();
        let weight = Panels::pack(weight, channels, window);
        parallel::chunks(d_x, geometry.image(), |n, d_x| {
            d_x.fill(T::ZERO);
            let d_y = &d_y[(replica * batch + n) * plane..][..plane];
            let mut windows = vec![T::ZERO; ROWS * window];
            for (block, d_y) in d_y.chunks(ROWS * channels).enumerate() {
                let windows = &mut windows[..d_y.len() / channels * window];
                windows.fill(T::ZERO);
                weight.multiply_add(Matrix::new(d_y, channels), windows);
                for (i, row) in windows.chunks_exact(window).enumerate() {
                    let taps = geometry.taps(block * ROWS + i);
                    for (from, tap) in row.chunks_exact(geometry.channels_in).zip(taps) {
                        let Some(at) = tap else { continue };
                        for (d_x, &from) in d_x[at..].iter_mut().zip(from) {
                            *d_x += from;
                        }
                    }
                }
            }
        });
    }
    Ok(())
}

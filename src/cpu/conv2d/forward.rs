//! Twin of `shaders/conv2d/forward.wgsl`: y = windows(x) · weight + bias, then perhaps a ReLU.

use super::{Conv2d, Geometry, ROWS};
use crate::cpu::gemm::{Matrix, Panels};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, H, W, C_in]`, weight `[R, K_h, K_w, C_in, C_out]`, bias `[R, C_out]`; writes y
/// `[R, N, H_out, W_out, C_out]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Conv2d = args.params()?;
    let (x, weight, bias, y) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let geometry = Geometry::new(&params);
    let (window, channels) = (geometry.window(), geometry.channels_out);
    let batch = params.batch as usize;

    let replicas = y.chunks_exact_mut(batch * geometry.plane_out * channels).enumerate();
    for (replica, y) in replicas {
        let weight = Matrix::new(&weight[replica * window * channels..], channels);
        let weight = Panels::pack(weight, window, channels);
        let bias = &bias[replica * channels..][..channels];
        parallel::chunks(y, geometry.plane_out * channels, |n, y| {
            let image = &x[(replica * batch + n) * geometry.image()..][..geometry.image()];
            let mut windows = vec![T::ZERO; ROWS * window];
            for (block, y) in y.chunks_mut(ROWS * channels).enumerate() {
                let windows = &mut windows[..y.len() / channels * window];
                geometry.lay_out(image, block * ROWS, windows);
                for y in y.chunks_exact_mut(channels) {
                    y.copy_from_slice(bias);
                }
                weight.multiply_add(Matrix::new(windows, window), y);
                if params.relu == 1 {
                    for y in y {
                        *y = if *y < T::ZERO { T::ZERO } else { *y };
                    }
                }
            }
        });
    }
    Ok(())
}

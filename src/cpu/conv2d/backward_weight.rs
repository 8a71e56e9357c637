//! Twin of `shaders/conv2d/backward_weight.wgsl`: d_weight = windows(x)ᵀ · d_y, in slices over the positions of y.

use super::{Conv2d, Geometry, ROWS};
use crate::cpu::gemm::{Matrix, Panels};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, H, W, C_in]`, d_y `[R, N, H_out, W_out, C_out]`; writes d_weight
/// `[R, S, K_h, K_w, C_in, C_out]`, each slice s the sum over its own positions.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Conv2d = args.params()?;
    let (x, d_y, d_weight) = (args.read()?, args.read()?, args.write()?);
    let geometry = Geometry::new(&params);
    let (window, channels) = (geometry.window(), geometry.channels_out);
    let positions = params.batch as usize * geometry.plane_out;
    let (slices, length) = (params.slices as usize, params.slice_length as usize);

    parallel::chunks(d_weight, window * channels, |i, d_weight| {
        let (replica, slice) = (i / slices, i % slices);
        let end = ((slice + 1) * length).min(positions);
        let mut position = slice * length;
        let mut windows = vec![T::ZERO; ROWS * window];
        d_weight.fill(T::ZERO);
        while position < end {
            // A block of positions, all of one picture.
            let (n, first) = (position / geometry.plane_out, position % geometry.plane_out);
            let count = ROWS.min(end - position).min(geometry.plane_out - first);
            let image = &x[(replica * positions / geometry.plane_out + n) * geometry.image()..];
            let windows = &mut windows[..count * window];
            geometry.lay_out(image, first, windows);
            let d_y = Matrix::new(&d_y[(replica * positions + position) * channels..], channels);
            Panels::pack(d_y, count, channels)
                .multiply_add(Matrix::new(windows, window).transposed(), d_weight);
            position += count;
        }
    });
    Ok(())
}

//! Twin of `shaders/conv2d/backward_weight.wgsl`: d_weight = windows(x)ᵀ · d_y, in slices over the positions of y.

use super::{Conv2d, Geometry, repeated};
use crate::cpu::product::{self, Finish, Left, Right};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, H, W, C_in]`, d_y `[R, N, H_out, W_out, C_out]`; writes d_weight
/// `[R, S, K_h, K_w, C_in, C_out]`, each slice s the sum over its own positions.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Conv2d = args.params()?;
    let (x, d_y, d_weight) = (args.read()?, args.read()?, args.write()?);
    let geometry = Geometry::new(&params);
    let (channels, plane) = (geometry.channels_out, geometry.plane_out());
    let (batch, image) = (params.batch as usize, geometry.image());
    let (slices, length) = (params.slices as usize, params.slice_length as usize);

    let halo = geometry.halo();
    let rows = geometry.elements(&halo);
    let places = product::even(rows.len(), channels);
    let positions = repeated(&geometry.positions(&halo), length.div_ceil(plane) + 1, halo.len());
    parallel::chunks(d_weight, rows.len() * channels, |i, d_weight| {
        let (replica, first) = (i / slices * batch, i % slices * length);
        let end = (first + length).min(batch * plane);
        // The pictures that the slice touches, and its positions counted from the first of them.
        let (from, to) = (replica + first / plane, replica + end.div_ceil(plane));
        let x = halo.around(&x[from * image..to * image]);
        let terms = &positions[first % plane..][..end - first];
        let d_y = &d_y[(replica * plane + first) * channels..(replica * plane + end) * channels];
        let windows = Left { data: &x, rows: &rows, terms };
        product::multiply(windows, &Right::rows(d_y, channels), Finish::PLAIN, d_weight, &places);
    });
    Ok(())
}

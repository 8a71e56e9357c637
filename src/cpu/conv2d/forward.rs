//! Twin of `shaders/conv2d/forward.wgsl`: y = bias + windows(x) · weight, then perhaps a ReLU.

use super::{Conv2d, Geometry, repeated};
use crate::cpu::product::{self, Finish, Left, Right};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, H, W, C_in]`, weight `[R, K_h, K_w, C_in, C_out]`, bias `[R, C_out]`; writes y
/// `[R, N, H_out, W_out, C_out]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Conv2d = args.params()?;
    let (x, weight, bias, y) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let geometry = Geometry::new(&params);
    let (channels, plane) = (geometry.channels_out, geometry.plane_out());
    let (batch, image) = (params.batch as usize, geometry.image());

    let halo = geometry.halo();
    let pictures = Geometry::pictures(plane).min(batch);
    let rows = repeated(&geometry.positions(&halo), pictures, halo.len());
    let terms = geometry.elements(&halo);
    let places = product::even(rows.len(), channels);
    let weights = weight.chunks_exact(terms.len() * channels).zip(bias.chunks_exact(channels));
    let replicas = x.chunks_exact(batch * image).zip(y.chunks_exact_mut(batch * plane * channels));
    for ((weight, bias), (x, y)) in weights.zip(replicas) {
        let weight = Right::rows(weight, channels);
        let finish = Finish { bias: Some(bias), relu: params.relu == 1 };
        parallel::chunks(y, pictures * plane * channels, |i, y| {
            let (first, count) = (i * pictures, y.len() / (plane * channels));
            let x = halo.around(&x[first * image..(first + count) * image]);
            let rows = &rows[..count * plane];
            product::multiply(Left { data: &x, rows, terms: &terms }, &weight, finish, y, &places);
        });
    }
    Ok(())
}

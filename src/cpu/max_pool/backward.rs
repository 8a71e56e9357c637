//! Twin of `shaders/max_pool/backward.wgsl`: each d_y goes to the place that argmax names.

use super::MaxPool;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads d_y and argmax `[R, N, H_out, W_out, C]`; writes d_x `[R, N, H, W, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: MaxPool = args.params()?;
    let (d_y, argmax, d_x) = (args.read()?, args.read_index()?, args.write()?);
    let channels = p.channels as usize;
    let plane = p.height_out as usize * p.width_out as usize * channels;
    parallel::chunks(d_x, p.height as usize * p.width as usize * channels, |i, d_x| {
        d_x.fill(T::ZERO);
        let from = i * plane..(i + 1) * plane;
        let windows = d_y[from.clone()].chunks_exact(channels).zip(argmax[from].chunks_exact(channels));
        for (d_y, argmax) in windows {
            for (c, (&d_y, &at)) in d_y.iter().zip(argmax).enumerate() {
                d_x[at as usize * channels + c] += d_y;
            }
        }
    });
    Ok(())
}

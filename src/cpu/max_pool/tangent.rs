//! Twin of `shaders/max_pool/tangent.wgsl`: each t_y is a copy of the t that argmax names.

use super::MaxPool;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads t `[R, N, H, W, C]` and argmax `[R, N, H_out, W_out, C]`; writes t_y like argmax.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: MaxPool = args.params()?;
    let (t, argmax, t_y) = (args.read()?, args.read_index()?, args.write()?);
    let channels = p.channels as usize;
    let image = p.height as usize * p.width as usize * channels;
    let plane = p.height_out as usize * p.width_out as usize * channels;
    parallel::chunks(t_y, plane, |i, t_y| {
        let t = &t[i * image..][..image];
        for (k, (t_y, &at)) in t_y.iter_mut().zip(&argmax[i * plane..]).enumerate() {
            *t_y = t[at as usize * channels + k % channels];
        }
    });
    Ok(())
}

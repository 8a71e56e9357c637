//! Twin of `shaders/normalize/backward_input.wgsl`: d_x = weight · inverse deviation · d_y.

use super::Normalization;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads statistics `[R·N / span, G, 2]`, weight `[R, C]`, d_y `[R, N, P, C]`; writes d_x like d_y.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Normalization = args.params()?;
    let (statistics, weight, d_y, d_x) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let channels = p.channels as usize;
    let size = p.positions as usize * channels;
    parallel::chunks(d_x, size, |row, d_x| {
        let [_, inverse] = p.channels(statistics, row);
        let weight = &weight[row / p.batch as usize * channels..][..channels];
        let d_y = d_y[row * size..][..size].chunks_exact(channels);
        for (d_x, d_y) in d_x.chunks_exact_mut(channels).zip(d_y) {
            for c in 0..channels {
                d_x[c] = weight[c] * inverse[c] * d_y[c];
            }
        }
    });
    Ok(())
}

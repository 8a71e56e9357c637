//! Twin of `shaders/normalize/forward.wgsl`: y = weight · x̂ + bias.

use super::Normalization;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, P, C]`, statistics `[R·N / span, G, 2]`, weight and bias `[R, C]`; writes y like x.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Normalization = args.params()?;
    let (x, statistics, weight, bias) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let y = args.write()?;
    let channels = p.channels as usize;
    let size = p.positions as usize * channels;
    parallel::chunks(y, size, |row, y| {
        let [mean, inverse] = p.channels(statistics, row);
        let own = row / p.batch as usize * channels;
        let (weight, bias) = (&weight[own..][..channels], &bias[own..][..channels]);
        let x = x[row * size..][..size].chunks_exact(channels);
        for (y, x) in y.chunks_exact_mut(channels).zip(x) {
            for c in 0..channels {
                y[c] = weight[c] * ((x[c] - mean[c]) * inverse[c]) + bias[c];
            }
        }
    });
    Ok(())
}

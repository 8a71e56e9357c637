//! Twin of `shaders/batch_norm/backward_input.wgsl`: d_x = scale · d_y − (offset + (x − mean) · slope).

use super::BatchNorm;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, P, C]`, coefficients `[R, C, 4]`, d_y like x, present `[R, N]`; writes d_x like x.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: BatchNorm = args.params()?;
    let (x, coefficients, d_y) = (args.read()?, args.read()?, args.read()?);
    let (present, d_x) = (args.read()?, args.write()?);
    let channels = p.channels as usize;
    let size = p.positions as usize * channels;
    parallel::chunks(d_x, size, |row, d_x| {
        let own = &coefficients[row / p.batch as usize * channels * 4..][..channels * 4];
        let counts = present[row] != T::ZERO;
        let rows =
            x[row * size..][..size].chunks_exact(channels).zip(d_y[row * size..].chunks_exact(channels));
        for (d_x, (x, d_y)) in d_x.chunks_exact_mut(channels).zip(rows) {
            for (c, own) in own.chunks_exact(4).enumerate() {
                let through = if counts { own[2] + (x[c] - own[1]) * own[3] } else { T::ZERO };
                d_x[c] = own[0] * d_y[c] - through;
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/augment/pictures.wgsl`: x = scale · p + shift for the turned pictures of this step's batch.

use super::Turned;
use crate::cpu::gather::Gather;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads order `[R, steps·N]`, clock `[1]`, geometry `[R, steps·N, 7]` and pixels `[count, H, W, C]`; writes
/// x `[R, N, H, W, C]`, 0 where there is no picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let place = [args.read_index()?, args.read_index()?, args.read_index()?];
    let pixels = args.read_index()?;
    let x = args.write()?;
    parallel::chunks(x, gather.size as usize, |row, x| {
        let Some(turned) = Turned::of(&gather, row, place) else {
            return x.fill(T::ZERO);
        };
        for (at, x) in turned.places().zip(x.chunks_mut(gather.channels as usize)) {
            for (channel, x) in x.iter_mut().enumerate() {
                *x = turned.pixel(pixels, at.0, at.1, channel);
            }
        }
    });
    Ok(())
}

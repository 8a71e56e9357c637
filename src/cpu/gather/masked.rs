//! Twin of `shaders/gather/masked.wgsl`: x' = e · x + (1 − e) · fill for the pictures of this step's batch.

use super::{Gather, byte};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads order `[R, steps·N]`, clock `[1]`, pixels `[count, H, W, C]`, masks `[count, H, W]` and fill `[C]`; writes
/// x' `[R, N, H, W, C]`, 0 where there is no picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let (order, clock) = (args.read_index()?, args.read_index()?);
    let (pixels, masks, fill) = (args.read_index()?, args.read_index()?, args.read()?);
    let x = args.write()?;
    let (size, channels) = (gather.size as usize, gather.channels as usize);
    parallel::chunks(x, size, |row, x| {
        let Some(picture) = gather.picture_of(row, order, clock) else {
            return x.fill(T::ZERO);
        };
        gather.pixels(pixels, picture, x);
        let first = picture * size / channels;
        for (position, x) in (first..).zip(x.chunks_mut(channels)) {
            let e: T = gather.relevance(byte(masks, position));
            for (x, &fill) in x.iter_mut().zip(fill) {
                *x = e * *x + (T::ONE - e) * fill;
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/augment/masked.wgsl`: x' = e · x + (1 − e) · fill, picture and mask turned alike.

use super::Turned;
use crate::cpu::gather::Gather;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads order `[R, steps·N]`, clock `[1]`, geometry `[R, steps·N, 7]`, pixels `[count, H, W, C]`, masks `[count, H, W]`
/// and fill `[C]`; writes x' `[R, N, H, W, C]`, 0 where there is no picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let place = [args.read_index()?, args.read_index()?, args.read_index()?];
    let (pixels, masks, fill) = (args.read_index()?, args.read_index()?, args.read()?);
    let x = args.write()?;
    parallel::chunks(x, gather.size as usize, |row, x| {
        let Some(turned) = Turned::of(&gather, row, place) else {
            return x.fill(T::ZERO);
        };
        for (at, x) in turned.places().zip(x.chunks_mut(gather.channels as usize)) {
            let e: T = gather.relevance(turned.mask(masks, at.0, at.1));
            for (channel, (x, &fill)) in x.iter_mut().zip(fill).enumerate() {
                let seen: T = turned.pixel(pixels, at.0, at.1, channel);
                *x = e * seen + (T::ONE - e) * fill;
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/augment/outside.wgsl`: 1 − e for the pixels of this step's batch, e the turned explanation.

use super::Turned;
use crate::cpu::gather::Gather;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads order `[R, steps·N]`, clock `[1]`, geometry `[R, steps·N, 7]` and masks `[count, H, W]`; writes outside
/// `[R, N, H, W]`, 0 where there is no picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let place = [args.read_index()?, args.read_index()?, args.read_index()?];
    let masks = args.read_index()?;
    let outside = args.write()?;
    parallel::chunks(outside, (gather.size / gather.channels) as usize, |row, outside| {
        let Some(turned) = Turned::of(&gather, row, place) else {
            return outside.fill(T::ZERO);
        };
        for (at, outside) in turned.places().zip(outside) {
            *outside = gather.irrelevance(turned.mask(masks, at.0, at.1));
        }
    });
    Ok(())
}

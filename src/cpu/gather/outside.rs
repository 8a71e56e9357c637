//! Twin of `shaders/gather/outside.wgsl`: 1 − e for the pixels of this step's batch, e the explanation.

use super::{Gather, byte};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads order `[R, steps·N]`, clock `[1]` and masks `[count, H, W]`; writes outside `[R, N, H, W]`, 0 where there is no
/// picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let (order, clock, masks) = (args.read_index()?, args.read_index()?, args.read_index()?);
    let outside = args.write()?;
    let pixels = (gather.size / gather.channels) as usize;
    parallel::chunks(outside, pixels, |row, outside| {
        let Some(picture) = gather.picture_of(row, order, clock) else {
            return outside.fill(T::ZERO);
        };
        for (position, outside) in (picture * pixels..).zip(outside) {
            *outside = gather.irrelevance(byte(masks, position));
        }
    });
    Ok(())
}

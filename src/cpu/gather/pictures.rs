//! Twin of `shaders/gather/pictures.wgsl`: x = scale · p + shift for the pictures of this step's batch.

use super::Gather;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads order `[R, steps·N]`, clock `[1]` and pixels `[count, H, W, C]`; writes x `[R, N, H, W, C]`, 0 where
/// there is no picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let (order, clock, pixels) = (args.read_index()?, args.read_index()?, args.read_index()?);
    let x = args.write()?;
    let size = gather.size as usize;
    parallel::chunks(x, size, |row, x| {
        let Some(picture) = gather.picture_of(row, order, clock) else {
            return x.fill(T::ZERO);
        };
        gather.pixels(pixels, picture, x);
    });
    Ok(())
}

//! Twin of `shaders/interval/pictures.wgsl`: the box of all pictures whose irrelevant pixels have any value in [0, 1].

use crate::cpu::gather::{Gather, byte};
use crate::cpu::{ArgError, Args, Real, parallel};

/// 2 u and 12 u, u = 2⁻²³: see the shader.
const FLOAT_MARGIN: f32 = 2.0 * f32::EPSILON;
const BYTE_MARGIN: f32 = 12.0 * f32::EPSILON;

/// Reads order `[R, steps·N]`, clock `[1]`, pixels `[count, H, W, C]` and masks `[count, H, W]`; writes lo and hi
/// `[R, N, H, W, C]`, 0 where there is no picture.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let (order, clock) = (args.read_index()?, args.read_index()?);
    let (pixels, masks) = (args.read_index()?, args.read_index()?);
    let (lo, hi) = (args.write()?, args.write()?);
    let (picture_len, channels) = (gather.size as usize, gather.channels as usize);
    let margin = T::from_f32(if gather.packed == 1 { BYTE_MARGIN } else { FLOAT_MARGIN });
    let (scale, shift) = (T::from_f32(gather.scale), T::from_f32(gather.shift));
    parallel::chunks2((lo, picture_len), (hi, picture_len), |row, lo, hi| {
        let Some(picture) = gather.picture_of(row, order, clock) else {
            lo.fill(T::ZERO);
            return hi.fill(T::ZERO);
        };
        gather.pixels(pixels, picture, lo);
        for ((lo, hi), i) in lo.iter_mut().zip(hi).zip(picture * picture_len..) {
            let (from, to) =
                if byte(masks, i / channels) >= 128 { (*lo, *lo) } else { (shift, scale + shift) };
            (*lo, *hi) = (from - margin, to + margin);
        }
    });
    Ok(())
}

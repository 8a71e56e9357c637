//! Twin of `shaders/interval/average_pool.wgsl`: bounds of the mean over all positions over a box.

use super::{FLOOR, IntervalAveragePool, size};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads lo and hi `[R, N, H, W, C]`; writes y_lo and y_hi `[R, N, 1, 1, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: IntervalAveragePool = args.params()?;
    let (lo, hi, y_lo, y_hi) = (args.read()?, args.read()?, args.write()?, args.write()?);
    let (positions, channels) = (p.positions as usize, p.channels as usize);
    let (relative, absolute, floor) = (T::from_f32(p.relative), T::from_f32(p.absolute), T::from_f32(FLOOR));
    let count = T::from_usize(positions);
    parallel::chunks2((y_lo, channels), (y_hi, channels), |image, y_lo, y_hi| {
        for (c, (y_lo, y_hi)) in y_lo.iter_mut().zip(y_hi).enumerate() {
            let (mut low, mut high, mut sizes) = (T::ZERO, T::ZERO, T::ZERO);
            for position in 0..positions {
                let at = (image * positions + position) * channels + c;
                low += lo[at];
                high += hi[at];
                sizes += size(lo[at], hi[at]) + floor;
            }
            let margin = relative * (sizes / count) + absolute;
            *y_lo = low / count - margin;
            *y_hi = high / count + margin;
        }
    });
    Ok(())
}

//! Twin of `shaders/interval/diagonal.wgsl`: bounds of z = w ⊙ x + b over a box.

use super::{FLOOR, IntervalDiagonal, abs, size};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads lo and hi `[R, N, D]`, weight and bias `[R, D]`; writes z_lo and z_hi `[R, N, D]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: IntervalDiagonal = args.params()?;
    let (lo, hi, weight, bias) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (z_lo, z_hi) = (args.write()?, args.write()?);
    let (batch, features) = (p.batch as usize, p.features as usize);
    let (relative, absolute, floor) = (T::from_f32(p.relative), T::from_f32(p.absolute), T::from_f32(FLOOR));
    parallel::chunks2((z_lo, features), (z_hi, features), |n, z_lo, z_hi| {
        let first = n / batch * features;
        for (d, (z_lo, z_hi)) in z_lo.iter_mut().zip(z_hi).enumerate() {
            let (lo, hi) = (lo[n * features + d], hi[n * features + d]);
            let (weight, bias) = (weight[first + d], bias[first + d]);
            let (least, most) = if weight >= T::ZERO { (lo, hi) } else { (hi, lo) };
            let sizes = (abs(weight) + floor) * (size(lo, hi) + floor) + abs(bias);
            let margin = relative * sizes + absolute;
            *z_lo = weight * least + bias - margin;
            *z_hi = weight * most + bias + margin;
        }
    });
    Ok(())
}

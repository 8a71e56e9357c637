//! Twin of `shaders/interval/product.wgsl`: bounds of g ⊙ h over a box, g perhaps the gate max(1 + s, 0).

use super::{FLOOR, IntervalProduct, rectified, size};
use crate::cpu::{ArgError, Args, Real};

/// Reads both ends of g (or s) and of h; writes y_lo and y_hi; all `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: IntervalProduct = args.params()?;
    let (s_lo, s_hi, h_lo, h_hi) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (y_lo, y_hi) = (args.write()?, args.write()?);
    let (relative, absolute, floor) = (T::from_f32(p.relative), T::from_f32(p.absolute), T::from_f32(FLOOR));
    let factor = |s: T| if p.gate == 1 { rectified(T::ONE + s, 1) } else { s };
    for (i, (y_lo, y_hi)) in y_lo.iter_mut().zip(y_hi).enumerate() {
        let (g_lo, g_hi, h_lo, h_hi) = (factor(s_lo[i]), factor(s_hi[i]), h_lo[i], h_hi[i]);
        let (mut least, mut most) = (g_lo * h_lo, g_lo * h_lo);
        for corner in [g_lo * h_hi, g_hi * h_lo, g_hi * h_hi] {
            least = if corner < least { corner } else { least };
            most = if corner > most { corner } else { most };
        }
        let margin = relative * ((size(g_lo, g_hi) + floor) * (size(h_lo, h_hi) + floor)) + absolute;
        (*y_lo, *y_hi) = (least - margin, most + margin);
    }
    Ok(())
}

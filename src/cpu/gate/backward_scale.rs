//! Twin of `shaders/gate/backward_scale.wgsl`: d_s = σ(1 + s) ⊙ h ⊙ d_y.

use super::Gate;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads h, s and d_y, writes d_s, all `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: Gate = args.params()?;
    let slope = T::from_f32(p.slope);
    let (h, s, d_y, d_s) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let chunk = parallel::even_chunk(d_s.len());
    parallel::chunks(d_s, chunk, |i, d_s| {
        let start = i * chunk;
        let inputs = h[start..].iter().zip(&s[start..]).zip(&d_y[start..]);
        for (d_s, ((&h, &s), &d_y)) in d_s.iter_mut().zip(inputs) {
            let full = h * d_y;
            *d_s = if T::ONE + s > T::ZERO { full } else { slope * full };
        }
    });
    Ok(())
}

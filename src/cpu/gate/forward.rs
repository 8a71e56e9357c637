//! Twin of `shaders/gate/forward.wgsl`: y = g ⊙ h.

use super::gate;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads h and s, writes y, all `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (h, s, y) = (args.read()?, args.read()?, args.write()?);
    let chunk = parallel::even_chunk(y.len());
    parallel::chunks(y, chunk, |i, y| {
        let start = i * chunk;
        for (y, (&h, &s)) in y.iter_mut().zip(h[start..].iter().zip(&s[start..])) {
            *y = gate(s) * h;
        }
    });
    Ok(())
}

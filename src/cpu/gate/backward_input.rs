//! Twin of `shaders/gate/backward_input.wgsl`: d_h = g ⊙ d_y.

use super::gate;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads s and d_y, writes d_h, all `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (s, d_y, d_h) = (args.read()?, args.read()?, args.write()?);
    let chunk = parallel::even_chunk(d_h.len());
    parallel::chunks(d_h, chunk, |i, d_h| {
        let start = i * chunk;
        for (d_h, (&s, &d_y)) in d_h.iter_mut().zip(s[start..].iter().zip(&d_y[start..])) {
            *d_h = gate(s) * d_y;
        }
    });
    Ok(())
}

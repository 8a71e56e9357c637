//! Twin of `shaders/gate/backward_input_sum.wgsl`: d_h = g ⊙ d_y + d_branch.

use super::gate;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads s, d_y and d_branch, writes d_h, all `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (s, d_y, d_branch, d_h) = (args.read()?, args.read()?, args.read()?, args.write()?);
    let chunk = parallel::even_chunk(d_h.len());
    parallel::chunks(d_h, chunk, |i, d_h| {
        let start = i * chunk;
        let inputs = s[start..].iter().zip(&d_y[start..]).zip(&d_branch[start..]);
        for (d_h, ((&s, &d_y), &d_branch)) in d_h.iter_mut().zip(inputs) {
            *d_h = gate(s) * d_y + d_branch;
        }
    });
    Ok(())
}

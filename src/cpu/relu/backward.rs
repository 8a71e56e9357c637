//! Twin of `shaders/relu/backward.wgsl`: d_x = d_y where y > 0, else 0.

use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads y and d_y, writes d_x, all `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (y, d_y, d_x) = (args.read()?, args.read()?, args.write()?);
    let chunk = parallel::even_chunk(d_x.len());
    parallel::chunks(d_x, chunk, |i, d_x| {
        let start = i * chunk;
        for (d_x, (&y, &d_y)) in d_x.iter_mut().zip(y[start..].iter().zip(&d_y[start..])) {
            *d_x = if y > T::ZERO { d_y } else { T::ZERO };
        }
    });
    Ok(())
}

//! Twin of `shaders/relu/forward.wgsl`: y = max(x, 0).

use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[count]`, writes y `[count]`. A NaN stays a NaN.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (x, y) = (args.read()?, args.write()?);
    let chunk = parallel::even_chunk(y.len());
    parallel::chunks(y, chunk, |i, y| {
        for (y, &x) in y.iter_mut().zip(&x[i * chunk..]) {
            *y = if x < T::ZERO { T::ZERO } else { x };
        }
    });
    Ok(())
}

//! Twin of `shaders/pointwise/sum.wgsl`: y = a + b.

use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads a and b `[count]`, writes y `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (a, b, y) = (args.read()?, args.read()?, args.write()?);
    let chunk = parallel::even_chunk(y.len());
    parallel::chunks(y, chunk, |i, y| {
        for (y, (&a, &b)) in y.iter_mut().zip(a[i * chunk..].iter().zip(&b[i * chunk..])) {
            *y = a + b;
        }
    });
    Ok(())
}

//! Twin of `shaders/ceiling/copy.wgsl`: y = x.

use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x, writes y, both `[count, 4]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (x, y) = (args.read()?, args.write()?);
    let chunk = parallel::even_chunk(y.len());
    parallel::chunks(y, chunk, |i, y| {
        y.copy_from_slice(&x[i * chunk..][..y.len()]);
    });
    Ok(())
}

//! Twin of `shaders/pointwise/scale.wgsl`: y *= factor of its replica.

use super::Scale;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads factor `[R]`, updates y `[R, size]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Scale { size, .. } = args.params()?;
    let (factor, y) = (args.read()?, args.write()?);
    for (&factor, y) in factor.iter().zip(y.chunks_exact_mut(size as usize)) {
        let chunk = parallel::even_chunk(y.len());
        parallel::chunks(y, chunk, |_, y| y.iter_mut().for_each(|y| *y = *y * factor));
    }
    Ok(())
}

//! Twin of `shaders/pointwise/add.wgsl`: y += scale · x.

use super::Add;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[count]`, updates y `[count]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Add { scale, .. } = args.params()?;
    let scale = T::from_f32(scale);
    let (x, y) = (args.read()?, args.write()?);
    let chunk = parallel::even_chunk(y.len());
    parallel::chunks(y, chunk, |i, y| {
        for (y, &x) in y.iter_mut().zip(&x[i * chunk..]) {
            *y += scale * x;
        }
    });
    Ok(())
}

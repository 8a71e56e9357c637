//! Twin of `shaders/ceiling/fma.wgsl`: eight chains of a ← a·m + c, summed.

use super::Ceiling;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads m and c `[2, 4]`, writes y `[count, 4]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Ceiling { rounds, .. } = args.params()?;
    let (x, y) = (args.read()?, args.write()?);
    parallel::chunks(y, 64 * 4, |_, y| {
        for (i, y) in y.chunks_exact_mut(4).enumerate() {
            for (lane, y) in y.iter_mut().enumerate() {
                let (m, c) = (x[lane], x[4 + lane]);
                let mut chains = [T::ZERO; 8];
                for (k, a) in chains.iter_mut().enumerate() {
                    *a = T::from_f64((i % 64) as f64 / 64.0 + k as f64);
                }
                for _ in 0..4 * rounds {
                    for a in &mut chains {
                        *a = *a * m + c;
                    }
                }
                let [a, b, c, d, e, f, g, h] = chains;
                *y = ((a + b) + (c + d)) + ((e + f) + (g + h));
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/softmax/forward.wgsl`: y = softmax(x / T) within each group of values.

use super::Softmax;
use crate::cpu::{ArgError, Args, Real, lanes, parallel};

/// Reads x `[rows, length, inner]`, writes y likewise.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let softmax: Softmax = args.params()?;
    let (x, y) = (args.read()?, args.write()?);
    let (length, inner) = (softmax.length as usize, softmax.inner as usize);
    let temperature = T::from_f32(softmax.temperature);
    parallel::chunks(y, length * inner, |row, y| {
        let x = &x[row * length * inner..][..length * inner];
        for g in 0..inner {
            let largest = lanes::max(length, |i| x[g + i * inner]);
            let sum = lanes::sum(length, |i| {
                let at = g + i * inner;
                y[at] = ((x[at] - largest) / temperature).exp();
                y[at]
            });
            for y in y[g..].iter_mut().step_by(inner) {
                *y = *y / sum;
            }
        }
    });
    Ok(())
}

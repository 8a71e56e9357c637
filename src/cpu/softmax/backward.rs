//! Twin of `shaders/softmax/backward.wgsl`: d_x = y · (d_y − Σ y · d_y) / T within each group of values.

use super::Softmax;
use crate::cpu::{ArgError, Args, Real, lanes, parallel};

/// Reads y (probabilities) and d_y `[rows, length, inner]`, writes d_x likewise.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let softmax: Softmax = args.params()?;
    let (y, d_y, d_x) = (args.read()?, args.read()?, args.write()?);
    let (length, inner) = (softmax.length as usize, softmax.inner as usize);
    let temperature = T::from_f32(softmax.temperature);
    parallel::chunks(d_x, length * inner, |row, d_x| {
        let y = &y[row * length * inner..][..length * inner];
        let d_y = &d_y[row * length * inner..][..length * inner];
        for g in 0..inner {
            let dot = lanes::sum(length, |i| y[g + i * inner] * d_y[g + i * inner]);
            for i in (g..length * inner).step_by(inner) {
                d_x[i] = y[i] * (d_y[i] - dot) / temperature;
            }
        }
    });
    Ok(())
}

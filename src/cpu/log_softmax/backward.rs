//! Twin of `shaders/log_softmax/backward.wgsl`: d_x = (d_y − exp(y) · Σ d_y) / T within each group of values.

use crate::cpu::softmax::Softmax;
use crate::cpu::{ArgError, Args, Real, lanes, parallel};

/// Reads y (log-probabilities) and d_y `[rows, length, inner]`, writes d_x likewise.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let softmax: Softmax = args.params()?;
    let (y, d_y, d_x) = (args.read()?, args.read()?, args.write()?);
    let (length, inner) = (softmax.length as usize, softmax.inner as usize);
    let temperature = T::from_f32(softmax.temperature);
    parallel::chunks(d_x, length * inner, |row, d_x| {
        let y = &y[row * length * inner..][..length * inner];
        let d_y = &d_y[row * length * inner..][..length * inner];
        for g in 0..inner {
            let sum = lanes::sum(length, |i| d_y[g + i * inner]);
            for i in (g..length * inner).step_by(inner) {
                d_x[i] = (d_y[i] - y[i].exp() * sum) / temperature;
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/log_softmax/forward.wgsl`: y = (x − max) / T − log Σ exp((x − max) / T) within each group.

use crate::cpu::softmax::{Softmax, log_sum_exp};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[rows, length, inner]`, writes y likewise.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let softmax: Softmax = args.params()?;
    let (x, y) = (args.read()?, args.write()?);
    let (length, inner) = (softmax.length as usize, softmax.inner as usize);
    let temperature = T::from_f32(softmax.temperature);
    parallel::chunks(y, length * inner, |row, y| {
        let x = &x[row * length * inner..][..length * inner];
        for g in 0..inner {
            let (largest, log_sum) = log_sum_exp(length, temperature, |i| x[g + i * inner]);
            for i in (g..length * inner).step_by(inner) {
                y[i] = (x[i] - largest) / temperature - log_sum;
            }
        }
    });
    Ok(())
}

//! Twin of `shaders/batch_norm/finish.wgsl`: statistics of the batch, and the step of the running ones.

use super::BatchNorm;
use crate::cpu::{ArgError, Args, Real};

/// Reads sums and squares `[R, C]`, present `[R, N]`; writes statistics `[R, C, 2]`, updates running_mean and running_var
/// `[R, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: BatchNorm = args.params()?;
    let (sums, squares, present) = (args.read()?, args.read()?, args.read()?);
    let (statistics, running_mean, running_var) = (args.write()?, args.write()?, args.write()?);
    let (momentum, epsilon) = (T::from_f32(p.momentum), T::from_f32(p.epsilon));
    for (i, (&sum, &squares)) in sums.iter().zip(squares).enumerate() {
        let values = p.values(present, i / p.channels as usize);
        let count = T::from_usize(values.max(1));
        let mean = sum / count;
        statistics[i * 2] = mean;
        statistics[i * 2 + 1] = T::ONE / (squares / count + epsilon).sqrt();
        if values > 0 {
            running_mean[i] += momentum * (mean - running_mean[i]);
        }
        if values > 1 {
            running_var[i] += momentum * (squares / T::from_usize(values - 1) - running_var[i]);
        }
    }
    Ok(())
}

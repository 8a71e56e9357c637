//! Twin of `shaders/log_probability/backward.wgsl`: 1 − K · softmax(logits).

use super::{LogProbability, exponentials};
use crate::cpu::{ArgError, Args, Real};

/// Reads logits `[R, N, K]` and weight `[R, N]`, writes d_logits `[R, N, K]`: 0 where the weight is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let LogProbability { classes, .. } = args.params()?;
    let classes = classes as usize;
    let (logits, weight, d_logits) = (args.read()?, args.read()?, args.write()?);
    let rows = logits.chunks_exact(classes).zip(d_logits.chunks_exact_mut(classes));
    for ((z, d_z), &weight) in rows.zip(weight) {
        let sum = exponentials(z, d_z);
        for d_z in d_z {
            let p = *d_z / sum;
            *d_z = if weight == T::ZERO { T::ZERO } else { T::ONE - T::from_usize(classes) * p };
        }
    }
    Ok(())
}

//! Twin of `shaders/log_probability/second_backward.wgsl`: adds −K · p ⊙ (t − p·t).

use super::{LogProbability, exponentials};
use crate::cpu::{ArgError, Args, Real, Scratch};

/// Reads logits `[R, N, K]`, weight `[R, N]` and t `[R, N, K]`, adds to d_logits `[R, N, K]`; nothing where the weight
/// is 0.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let LogProbability { classes, .. } = args.params()?;
    let classes = classes as usize;
    let (logits, weight, t) = (args.read()?, args.read()?, args.read()?);
    let d_logits = args.write()?;
    let mut e = Scratch::<T>::stale(classes);
    for (row, d_z) in d_logits.chunks_exact_mut(classes).enumerate() {
        if weight[row] == T::ZERO {
            continue;
        }
        let t = &t[row * classes..][..classes];
        let sum = exponentials(&logits[row * classes..][..classes], &mut e);
        let mut weighted = T::ZERO;
        for (&e, &t) in e.iter().zip(t) {
            weighted += e * t;
        }
        let mean = weighted / sum;
        for ((d_z, &e), &t) in d_z.iter_mut().zip(&e).zip(t) {
            *d_z = *d_z - T::from_usize(classes) * (e / sum) * (t - mean);
        }
    }
    Ok(())
}

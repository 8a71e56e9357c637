//! Twin of `shaders/cross_entropy/forward.wgsl`: weighted −log softmax(logits)_label, and its gradient.

use super::CrossEntropy;
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads logits `[R, N, K]`, labels `[R, N]`, weight `[R, N]`, norm `[R]`; writes losses `[R, N]` and d_logits
/// `[R, N, K]`. Gradients are 0 where weight or norm is 0, losses where weight is 0; NaN where a label is no class.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let CrossEntropy { batch, classes, scale, .. } = args.params()?;
    let (batch, classes, scale) = (batch as usize, classes as usize, T::from_f32(scale));
    let (logits, labels) = (args.read()?, args.read_index()?);
    let (weight, norm) = (args.read()?, args.read()?);
    let (losses, d_logits) = (args.write()?, args.write()?);
    let rows = (parallel::even_chunk(logits.len()) / classes).max(1);
    parallel::chunks2((losses, rows), (d_logits, rows * classes), |chunk, losses, d_logits| {
        for (row, (loss, d_z)) in (chunk * rows..).zip(losses.iter_mut().zip(d_logits.chunks_mut(classes))) {
            let z = &logits[row * classes..][..classes];
            let (label, weight, norm) = (labels[row] as usize, weight[row], norm[row / batch]);
            let largest = z.iter().fold(T::NEG_INFINITY, |a, &b| a.max(b));
            let mut sum = T::ZERO;
            for (e, &z) in d_z.iter_mut().zip(z) {
                *e = (z - largest).exp();
                sum += *e;
            }
            let nan = T::from_f32(f32::NAN);
            let at_label = z.get(label).copied().unwrap_or(nan);
            *loss = if weight == T::ZERO { T::ZERO } else { weight * (sum.ln() - (at_label - largest)) };

            let factor = if label < classes { scale * weight / norm } else { nan };
            let skipped = weight == T::ZERO || norm == T::ZERO;
            for (k, d_z) in d_z.iter_mut().enumerate() {
                let one_hot = if k == label { T::ONE } else { T::ZERO };
                *d_z = if skipped { T::ZERO } else { factor * (*d_z / sum - one_hot) };
            }
        }
    });
    Ok(())
}

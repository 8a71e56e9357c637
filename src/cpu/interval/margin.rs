//! Twin of `shaders/interval/margin.wgsl`: by how much the predicted class's logit stays above each other one.

use super::{FLOOR, IntervalMargin, abs, size};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads lo and hi `[R, N, D]`, weight `[R, D, K]`, bias `[R, K]` and predictions `[R, N]`; writes margins `[R, N, K]`,
/// 0 at the prediction, NaN where the prediction is no class.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: IntervalMargin = args.params()?;
    let (lo, hi, weight, bias) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (predictions, margins) = (args.read_index()?, args.write()?);
    let [batch, features, classes] = [p.batch, p.features, p.classes].map(|n| n as usize);
    let (relative, absolute, floor) = (T::from_f32(p.relative), T::from_f32(p.absolute), T::from_f32(FLOOR));
    parallel::chunks(margins, classes, |n, margins| {
        let predicted = predictions[n] as usize;
        if predicted >= classes {
            return margins.fill(T::from_f32(f32::NAN));
        }
        let replica = n / batch;
        let weight = &weight[replica * features * classes..][..features * classes];
        let bias = &bias[replica * classes..][..classes];
        for (k, margin) in margins.iter_mut().enumerate() {
            let mut low = bias[predicted] - bias[k];
            let mut sizes = abs(bias[predicted]) + abs(bias[k]);
            let ends = lo[n * features..].iter().zip(&hi[n * features..]);
            for (row, (&lo, &hi)) in weight.chunks_exact(classes).zip(ends) {
                let difference = row[predicted] - row[k];
                low += difference * if difference >= T::ZERO { lo } else { hi };
                sizes += (abs(row[predicted]) + abs(row[k]) + floor) * (size(lo, hi) + floor);
            }
            *margin = if k == predicted { T::ZERO } else { low - (relative * sizes + absolute) };
        }
    });
    Ok(())
}

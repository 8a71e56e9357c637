//! Twin of `shaders/metrics/argmax.wgsl`: the predicted class of each row.

use super::Argmax;
use crate::cpu::{ArgError, Args, Real};

/// Reads logits `[rows, K]`, writes predictions `[rows]`: the first largest, or K where a logit is NaN.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Argmax { classes, .. } = args.params()?;
    let (logits, predictions) = (args.read()?, args.write_index()?);
    for (row, prediction) in logits.chunks(classes as usize).zip(predictions) {
        let (mut best, mut largest) = (0, row[0]);
        for (k, &value) in row.iter().enumerate() {
            if value > largest {
                (best, largest) = (k as u32, value);
            }
        }
        let any_nan = row.iter().any(|value| value.to_f64().is_nan());
        *prediction = if any_nan { classes } else { best };
    }
    Ok(())
}

//! Twin of `shaders/metrics/confusion.wgsl`: adds this step's batch to the confusion counts.

use super::Confusion;
use crate::cpu::{ArgError, Args, Real};

/// Reads predictions, labels and weight `[R, N]`; adds to counts `[R, K, K]` (true class, predicted class) the rows
/// whose weight is not 0 and whose label and prediction are classes.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Confusion { batch, classes, .. } = args.params()?;
    let (batch, classes) = (batch as usize, classes as usize);
    let (predictions, labels, weight) = (args.read_index()?, args.read_index()?, args.read()?);
    let counts = args.write_index()?;
    for (row, ((&predicted, &label), &weight)) in predictions.iter().zip(labels).zip(weight).enumerate() {
        let (predicted, label) = (predicted as usize, label as usize);
        if weight != T::ZERO && label < classes && predicted < classes {
            counts[(row / batch * classes + label) * classes + predicted] += 1;
        }
    }
    Ok(())
}

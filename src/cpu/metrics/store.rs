//! Twin of `shaders/metrics/store.wgsl`: keeps the predictions of this step's batch.

use super::Store;
use crate::cpu::{ArgError, Args, Real};

/// Reads predictions `[R, N]` and clock `[1]`, writes one block of all predictions `[R, steps·N]`; none once the clock
/// has passed the last step.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Store { batch, steps, .. } = args.params()?;
    let (batch, steps) = (batch as usize, steps as usize);
    let (predictions, clock, all) = (args.read_index()?, args.read_index()?, args.write_index()?);
    let step = clock[0] as usize;
    if step < steps {
        for (predictions, all) in predictions.chunks(batch).zip(all.chunks_mut(steps * batch)) {
            all[step * batch..][..batch].copy_from_slice(predictions);
        }
    }
    Ok(())
}

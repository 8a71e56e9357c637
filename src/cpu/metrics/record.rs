//! Twin of `shaders/metrics/record.wgsl`: keeps the mean loss of this step, for each replica.

use super::History;
use crate::cpu::{ArgError, Args, Real, lanes};

/// Reads losses `[R, length]`, norm `[R]` and clock `[1]`, writes one value per replica of history
/// `[R, steps·slots]`; none once the clock has passed the last step.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let History { length, steps, slots, slot, .. } = args.params()?;
    let (losses, norm, clock) = (args.read()?, args.read()?, args.read_index()?);
    let history = args.write()?;
    let step = clock[0];
    if step < steps {
        let width = steps as usize * slots as usize;
        let at = step as usize * slots as usize + slot as usize;
        let replicas = losses.chunks(length as usize).zip(norm).zip(history.chunks_mut(width));
        for ((losses, &norm), history) in replicas {
            let sum = lanes::sum(losses.len(), |i| losses[i]);
            history[at] = if norm == T::ZERO { T::ZERO } else { sum / norm };
        }
    }
    Ok(())
}

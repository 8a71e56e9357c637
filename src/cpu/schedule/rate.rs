//! Twin of `shaders/schedule/rate.wgsl`: `lr[r] = rates[clock]`.

use super::Rate;
use crate::cpu::{ArgError, Args, Real};

/// Reads clock `[1]` and rates `[steps]`; writes lr `[R]`, past the last step that of the last one.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Rate { steps, .. } = args.params()?;
    let (clock, rates, lr) = (args.read_index()?, args.read()?, args.write()?);
    lr.fill(rates[clock[0].min(steps - 1) as usize]);
    Ok(())
}

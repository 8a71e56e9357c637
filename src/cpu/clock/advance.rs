//! Twin of `shaders/clock/advance.wgsl`: clock += 1.

use crate::cpu::{ArgError, Args, Real};

/// Adds 1 to clock `[1]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    for clock in args.write_index()? {
        *clock = clock.wrapping_add(1);
    }
    Ok(())
}

//! Twin of `shaders/overlay/heat.wgsl`: how strong each position of a map is, as a share of the strongest.

use super::Heat;
use crate::cpu::{ArgError, Args, Real};

/// Reads values `[positions, channels]`; writes heat `[positions]` in [0, 1].
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Heat = args.params()?;
    let (values, heat) = (args.read()?, args.write()?);
    let (shift, floor) = (T::from_f32(params.shift), T::from_f32(params.floor));
    let mut largest = T::ZERO;
    for (heat, values) in heat.iter_mut().zip(values.chunks(params.channels as usize)) {
        let mut sum = T::ZERO;
        for &value in values {
            let v = (value + shift).max(floor);
            sum += v * v;
        }
        // The larger of a NaN and the floor is the floor: the NaN is looked for by itself.
        *heat = if values.iter().any(|value| value.is_nan()) { T::ZERO } else { sum.sqrt() };
        largest = largest.max(*heat);
    }
    for heat in heat {
        let share = if largest > T::ZERO { *heat / largest } else { T::ZERO };
        *heat = if share > T::ONE { T::ONE } else { share };
    }
    Ok(())
}

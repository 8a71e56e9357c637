//! Twin of `shaders/overlay/colors.wgsl`: a colour for each position of a map.

use crate::cpu::{ArgError, Args, Real};

/// Reads heat `[positions]` in [0, 1] and table `[256]`; writes texels `[positions]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let (heat, table, texels) = (args.read()?, args.read_index()?, args.write_index()?);
    for (texel, &heat) in texels.iter_mut().zip(heat) {
        // A cast takes NaN and what is negative to 0.
        let level = (256.0 * heat.to_f64()) as usize;
        *texel = table[level.min(255)];
    }
    Ok(())
}

//! Twin of `shaders/overlay/picture.wgsl`: a picture in the network's scale as the colours that it was made from.

use super::Picture;
use crate::cpu::{ArgError, Args, Real};

/// Reads x `[positions, channels]` in [−1, 1]; writes texels `[positions]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let params: Picture = args.params()?;
    let (x, texels) = (args.read()?, args.write_index()?);
    for (texel, x) in texels.iter_mut().zip(x.chunks(params.channels as usize)) {
        // A cast holds what it takes within 0 and 255.
        let byte = |x: T| (T::from_f64(127.5) * (x + T::ONE) + T::from_f64(0.5)).to_f64() as u8;
        let [r, g, b] = std::array::from_fn(|c| byte(x[c.min(x.len() - 1)]));
        *texel = u32::from_le_bytes([r, g, b, 255]);
    }
    Ok(())
}

//! Twin of `shaders/place/picture.wgsl`: one picture, or its mask, into its place among packed bytes.

use super::Place;
use crate::cpu::{ArgError, Args, Real};

/// Reads texels `[H, W]` (RGBA8) and index `[1]`; writes the bytes of that picture in bytes `[count, H, W, C]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let place: Place = args.params()?;
    let (texels, index, bytes) = (args.read_index()?, args.read_index()?, args.write_index()?);
    let size = place.positions as usize * place.channels as usize;
    let picture = index[0] as usize;
    if picture >= place.count as usize {
        return Ok(());
    }
    for at in 0..size {
        let (i, value) = (picture * size + at, place.value(texels, at));
        let shift = i % 4 * 8;
        bytes[i / 4] = (bytes[i / 4] & !(255 << shift)) | value << shift;
    }
    Ok(())
}

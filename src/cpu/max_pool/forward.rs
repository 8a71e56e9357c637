//! Twin of `shaders/max_pool/forward.wgsl`: the largest value of each window, and where it stood.

use super::{MaxPool, covered};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads x `[R, N, H, W, C]`; writes y and argmax `[R, N, H_out, W_out, C]`. Padding never wins, the first of
/// equals wins, and the first NaN of a window beats every number.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: MaxPool = args.params()?;
    let (x, y, argmax) = (args.read()?, args.write()?, args.write_index()?);
    let (width, channels) = (p.width as usize, p.channels as usize);
    let (height_out, image) = (p.height_out as usize, p.height as usize * width * channels);
    let row = p.width_out as usize * channels;
    parallel::chunks2((y, row), (argmax, row), |i, y, argmax| {
        let x = &x[i / height_out * image..][..image];
        let rows = covered(i % height_out, p.kernel_h, p.stride_h, p.padding_h, p.height);
        let outputs = y.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels));
        for (w_out, (y, argmax)) in outputs.enumerate() {
            let columns = covered(w_out, p.kernel_w, p.stride_w, p.padding_w, p.width);
            for (nth, at) in
                rows.clone().flat_map(|h| columns.clone().map(move |w| h * width + w)).enumerate()
            {
                let x = &x[at * channels..][..channels];
                if nth == 0 {
                    y.copy_from_slice(x);
                    argmax.fill(at as u32);
                    continue;
                }
                for ((y, argmax), &x) in y.iter_mut().zip(argmax.iter_mut()).zip(x) {
                    let best = *y;
                    let wins = (x > best || x.is_nan()) && !best.is_nan();
                    *y = if wins { x } else { best };
                    *argmax = if wins { at as u32 } else { *argmax };
                }
            }
        }
    });
    Ok(())
}

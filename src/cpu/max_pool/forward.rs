//! Twin of `shaders/max_pool/forward.wgsl`: the largest value of each window, and where it stood.

use std::ops::Range;

use super::{MaxPool, covered};
use crate::cpu::{ArgError, Args, Real, Scratch, parallel, simd};

/// Reads x `[R, N, H, W, C]`; writes y and argmax `[R, N, H_out, W_out, C]`. Padding never wins, the first of
/// equals wins, and the first NaN of a window beats every number.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: MaxPool = args.params()?;
    let (x, y, argmax) = (args.read()?, args.write()?, args.write_index()?);
    let (width, channels) = (p.width as usize, p.channels as usize);
    let (height_out, image) = (p.height_out as usize, p.height as usize * width * channels);
    let row = p.width_out as usize * channels;
    let columns: Scratch<(usize, usize)> = (0..p.width_out as usize)
        .map(|w_out| covered(w_out, p.kernel_w, p.stride_w, p.padding_w, p.width))
        .map(|covered| (covered.start, covered.end))
        .collect();
    parallel::chunks2((y, row), (argmax, row), |i, y, argmax| {
        let x = &x[i / height_out * image..][..image];
        let rows = covered(i % height_out, p.kernel_h, p.stride_h, p.padding_h, p.height);
        simd::wide(Row { x, width, channels, rows, columns: &columns, y, argmax });
    });
    Ok(())
}

/// One row of windows.
struct Row<'a, T> {
    x: &'a [T],
    width: usize,
    channels: usize,
    rows: Range<usize>,
    /// First and end of each window.
    columns: &'a [(usize, usize)],
    y: &'a mut [T],
    argmax: &'a mut [u32],
}

impl<T: Real> simd::Task for Row<'_, T> {
    #[inline(always)]
    fn run(self) {
        let Self { x, width, channels, rows, columns, y, argmax } = self;
        let outputs = y.chunks_exact_mut(channels).zip(argmax.chunks_exact_mut(channels));
        for ((y, argmax), &(start, end)) in outputs.zip(columns) {
            let first = rows.start * width + start;
            y.copy_from_slice(&x[first * channels..][..channels]);
            argmax.fill(first as u32);
            for h in rows.clone() {
                for at in h * width + start..h * width + end {
                    let x = &x[at * channels..][..channels];
                    for ((y, argmax), &x) in y.iter_mut().zip(argmax.iter_mut()).zip(x) {
                        // The first one meets itself and does not win.
                        let wins = (x > *y) | (x.is_nan() & !y.is_nan());
                        *y = if wins { x } else { *y };
                        *argmax = if wins { at as u32 } else { *argmax };
                    }
                }
            }
        }
    }
}

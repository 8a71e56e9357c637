//! Twin of `shaders/interval/conv2d.wgsl`: bounds of a convolution over a box.

use super::{IntervalConv2d, Sums};
use crate::cpu::{ArgError, Args, Real, parallel};

/// Reads lo and hi `[R, N, H, W, C_in]`, weight `[R, K_h, K_w, C_in, C_out]`, bias `[R, C_out]`; writes y_lo and y_hi
/// `[R, N, H_out, W_out, C_out]`.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let p: IntervalConv2d = args.params()?;
    let (lo, hi, weight, bias) = (args.read()?, args.read()?, args.read()?, args.read()?);
    let (y_lo, y_hi) = (args.write()?, args.write()?);
    let [height, width, channels_in, channels_out] =
        [p.height, p.width, p.channels_in, p.channels_out].map(|n| n as usize);
    let [kernel_h, kernel_w, width_out, batch] =
        [p.kernel_h, p.kernel_w, p.width_out, p.batch].map(|n| n as usize);
    let row_of_weights = channels_in * channels_out;
    // The coordinate under a tap; `None` in the padding.
    let under = |out: usize, tap: usize, stride: u32, dilation: u32, padding: u32, end: usize| {
        let at = (out * stride as usize + tap * dilation as usize).checked_sub(padding as usize)?;
        (at < end).then_some(at)
    };
    let image_out = p.height_out as usize * width_out * channels_out;
    parallel::chunks2((y_lo, image_out), (y_hi, image_out), |image, y_lo, y_hi| {
        let replica = image / batch;
        let first = image * height * width * channels_in;
        let weight = &weight[replica * kernel_h * kernel_w * row_of_weights..];
        let bias = &bias[replica * channels_out..][..channels_out];
        let outputs = y_lo.chunks_exact_mut(channels_out).zip(y_hi.chunks_exact_mut(channels_out));
        for (position, (y_lo, y_hi)) in outputs.enumerate() {
            let (h_out, w_out) = (position / width_out, position % width_out);
            let mut sums = Sums::new(bias);
            for tap in 0..kernel_h * kernel_w {
                let h = under(h_out, tap / kernel_w, p.stride_h, p.dilation_h, p.padding_h, height);
                let w = under(w_out, tap % kernel_w, p.stride_w, p.dilation_w, p.padding_w, width);
                let (Some(h), Some(w)) = (h, w) else { continue };
                let x_at = first + (h * width + w) * channels_in;
                let rows = weight[tap * row_of_weights..].chunks_exact(channels_out);
                for ((&lo, &hi), row) in lo[x_at..][..channels_in].iter().zip(&hi[x_at..]).zip(rows) {
                    sums.add(lo, hi, row);
                }
            }
            sums.write(p.relative, p.absolute, p.relu, y_lo, y_hi);
        }
    });
    Ok(())
}

//! 2-d convolution with bias.
//!
//! The twins lay the window under each output position out as a row of a matrix ("im2col"), so that all three
//! directions are matrix products. The shaders instead walk taps and positions: two ways to the same sums.

pub mod backward_input;
pub mod backward_weight;
pub mod forward;

use super::Real;

crate::params! {
    /// Uniform of all three directions.
    pub struct Conv2d {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// H.
        height: u32,
        /// W.
        width: u32,
        /// C_in.
        channels_in: u32,
        /// H_out.
        height_out: u32,
        /// W_out.
        width_out: u32,
        /// C_out.
        channels_out: u32,
        /// K_h.
        kernel_h: u32,
        /// K_w.
        kernel_w: u32,
        /// Step between windows, down.
        stride_h: u32,
        /// Step between windows, across.
        stride_w: u32,
        /// Rows of zeros above and below.
        padding_h: u32,
        /// Columns of zeros left and right.
        padding_w: u32,
        /// Step between the taps of a window, down.
        dilation_h: u32,
        /// Step between the taps of a window, across.
        dilation_w: u32,
        /// S, backward_weight only.
        slices: u32,
        /// Positions per slice, backward_weight only.
        slice_length: u32,
        /// 1 for a ReLU behind the forward direction.
        relu: u32,
    }
}

/// Positions whose windows are laid out at once; keeps them in the cache.
const ROWS: usize = 128;

/// The same numbers, ready to index with.
struct Geometry {
    height: usize,
    width: usize,
    channels_in: usize,
    width_out: usize,
    /// Positions of one plane of y.
    plane_out: usize,
    channels_out: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    dilation: [usize; 2],
}

impl Geometry {
    fn new(p: &Conv2d) -> Self {
        Self {
            height: p.height as usize,
            width: p.width as usize,
            channels_in: p.channels_in as usize,
            width_out: p.width_out as usize,
            plane_out: p.height_out as usize * p.width_out as usize,
            channels_out: p.channels_out as usize,
            kernel: [p.kernel_h as usize, p.kernel_w as usize],
            stride: [p.stride_h as usize, p.stride_w as usize],
            padding: [p.padding_h as usize, p.padding_w as usize],
            dilation: [p.dilation_h as usize, p.dilation_w as usize],
        }
    }

    /// Elements of one picture of x.
    fn image(&self) -> usize {
        self.height * self.width * self.channels_in
    }

    /// Elements of the window under one position: K_h · K_w · C_in.
    fn window(&self) -> usize {
        self.kernel[0] * self.kernel[1] * self.channels_in
    }

    /// For each tap of the window under a position of the plane of y: where its channels start in the picture of
    /// x, `None` in the padding.
    fn taps(&self, position: usize) -> impl Iterator<Item = Option<usize>> + '_ {
        let (h_out, w_out) = (position / self.width_out, position % self.width_out);
        (0..self.kernel[0]).flat_map(move |kh| {
            let h = (h_out * self.stride[0] + kh * self.dilation[0]).checked_sub(self.padding[0]);
            (0..self.kernel[1]).map(move |kw| {
                let w = (w_out * self.stride[1] + kw * self.dilation[1]).checked_sub(self.padding[1]);
                match (h, w) {
                    (Some(h), Some(w)) if h < self.height && w < self.width => {
                        Some((h * self.width + w) * self.channels_in)
                    }
                    _ => None,
                }
            })
        })
    }

    /// Copies the windows of `image` (one picture of x) under the positions from `first` on into the rows of
    /// `windows`.
    fn lay_out<T: Real>(&self, image: &[T], first: usize, windows: &mut [T]) {
        for (i, row) in windows.chunks_exact_mut(self.window()).enumerate() {
            for (to, tap) in row.chunks_exact_mut(self.channels_in).zip(self.taps(first + i)) {
                match tap {
                    Some(at) => to.copy_from_slice(&image[at..at + self.channels_in]),
                    None => to.fill(T::ZERO),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;

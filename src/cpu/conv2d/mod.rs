//! 2-d convolution with bias.
//!
//! The twins see the windows under the output positions as rows of a matrix, so that all three directions are matrix
//! products; the rows are not laid out but found in the map by tables of places. The shaders instead walk taps and
//! positions: two ways to the same sums.

pub mod backward_input;
pub mod backward_weight;
pub mod forward;

use super::Real;
use super::scratch::{Held, Scratch};

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

/// Positions to a chunk of work, at least: enough rows for the product, few enough for the cache.
const POSITIONS: usize = 256;

/// The same numbers, ready to index with.
struct Geometry {
    height: usize,
    width: usize,
    channels_in: usize,
    height_out: usize,
    width_out: usize,
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
            height_out: p.height_out as usize,
            width_out: p.width_out as usize,
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

    /// Positions of one plane of y.
    fn plane_out(&self) -> usize {
        self.height_out * self.width_out
    }

    /// Pictures to a chunk of work, for planes of so many positions.
    fn pictures(plane: usize) -> usize {
        POSITIONS.div_ceil(plane.max(1))
    }

    /// The halo of x: what its windows touch outside of it.
    fn halo(&self) -> Halo {
        let below = |i: usize, out: usize, size: usize| {
            let end = (out - 1) * self.stride[i] + (self.kernel[i] - 1) * self.dilation[i] + 1;
            end.saturating_sub(self.padding[i] + size)
        };
        Halo {
            size: [self.height, self.width],
            channels: self.channels_in,
            before: self.padding,
            after: [below(0, self.height_out, self.height), below(1, self.width_out, self.width)],
        }
    }

    /// Where the window of each position of y starts in a picture of x with its halo.
    fn positions(&self, halo: &Halo) -> Scratch<usize> {
        let [s_h, s_w] = self.stride;
        let mut places = Scratch::with_capacity(self.plane_out());
        for h in 0..self.height_out {
            places.extend((0..self.width_out).map(|w| halo.place(h * s_h, w * s_w)));
        }
        places
    }

    /// Where each element of a window lies behind the window's start.
    fn elements(&self, halo: &Halo) -> Scratch<usize> {
        let [d_h, d_w] = self.dilation;
        let mut places = Scratch::with_capacity(self.window());
        for kh in 0..self.kernel[0] {
            for kw in 0..self.kernel[1] {
                let place = halo.place(kh * d_h, kw * d_w);
                places.extend(place..place + self.channels_in);
            }
        }
        places
    }
}

/// A map `[H, W, C]` with zeros around it, so that no window needs to be cut.
struct Halo {
    size: [usize; 2],
    channels: usize,
    before: [usize; 2],
    after: [usize; 2],
}

impl Halo {
    /// Where the channels of a position, counted from the corner of the halo, start.
    fn place(&self, h: usize, w: usize) -> usize {
        (h * (self.before[1] + self.size[1] + self.after[1]) + w) * self.channels
    }

    /// Elements of one map with its halo.
    fn len(&self) -> usize {
        self.place(self.before[0] + self.size[0] + self.after[0], 0)
    }

    /// Copies maps into their halos; without a halo they stay where they are.
    fn around<'a, T: Real>(&self, maps: &'a [T]) -> Held<'a, T> {
        if self.before == [0, 0] && self.after == [0, 0] {
            return Held::There(maps);
        }
        let row = self.size[1] * self.channels;
        let count = maps.len() / (self.size[0] * row);
        let mut padded = Scratch::with_capacity(count * self.len());
        for map in maps.chunks_exact(self.size[0] * row) {
            let (start, end) = (padded.len(), padded.len() + self.len());
            padded.resize(start + self.place(self.before[0], self.before[1]), T::ZERO);
            for (h, row) in map.chunks_exact(row).enumerate() {
                padded.extend_from_slice(row);
                let last = h + 1 == self.size[0];
                let gap = (self.before[1] + self.after[1]) * self.channels;
                let to = if last { end } else { padded.len() + gap };
                padded.resize(to, T::ZERO);
            }
        }
        Held::Copied(padded)
    }
}

/// The places of one map, for `count` maps that lie `step` apart.
fn repeated(places: &[usize], count: usize, step: usize) -> Scratch<usize> {
    let mut all = Scratch::with_capacity(count * places.len());
    for n in 0..count {
        all.extend(places.iter().map(|place| n * step + place));
    }
    all
}

#[cfg(test)]
mod tests;

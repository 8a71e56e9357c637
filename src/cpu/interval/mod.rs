//! Interval bounds: where every value of a layer stays when each value of its input ranges over an interval.
//!
//! A monotone layer without rounding (ReLU, max pooling) needs no kernel of its own: applied to both ends, its forward
//! kernel gives the exact bounds.

pub mod average_pool;
pub mod conv2d;
pub mod diagonal;
pub mod linear;
pub mod margin;
pub mod pictures;
pub mod product;

use super::Real;

crate::params! {
    /// Uniform of the bounds of a convolution; the members of [`super::conv2d::Conv2d`], and the margin.
    pub struct IntervalConv2d {
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
        /// 1 for a ReLU behind it.
        relu: u32,
        /// Margin as a share of the sum of sizes.
        relative: f32,
        /// Margin in any case.
        absolute: f32,
    }
}

crate::params! {
    /// Uniform of the bounds of a linear layer.
    pub struct IntervalLinear {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// D_in.
        features_in: u32,
        /// D_out.
        features_out: u32,
        /// 1 for a ReLU behind it.
        relu: u32,
        /// Margin as a share of the sum of sizes.
        relative: f32,
        /// Margin in any case.
        absolute: f32,
    }
}

crate::params! {
    /// Uniform of the bounds of a diagonal layer.
    pub struct IntervalDiagonal {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// D.
        features: u32,
        /// Margin as a share of the sum of sizes.
        relative: f32,
        /// Margin in any case.
        absolute: f32,
    }
}

crate::params! {
    /// Uniform of the bounds of a global average pooling.
    pub struct IntervalAveragePool {
        /// R · N.
        images: u32,
        /// H · W.
        positions: u32,
        /// C.
        channels: u32,
        /// Margin as a share of the sum of sizes.
        relative: f32,
        /// Margin in any case.
        absolute: f32,
    }
}

crate::params! {
    /// Uniform of the bounds of a product.
    pub struct IntervalProduct {
        /// Elements.
        count: u32,
        /// 1: the first factor is max(1 + s, 0) of what comes in.
        gate: u32,
        /// Margin as a share of the product of sizes.
        relative: f32,
        /// Margin in any case.
        absolute: f32,
    }
}

crate::params! {
    /// Uniform of the margins between logits.
    pub struct IntervalMargin {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// D.
        features: u32,
        /// K.
        classes: u32,
        /// Margin for rounding as a share of the sum of sizes.
        relative: f32,
        /// Margin for rounding in any case.
        absolute: f32,
    }
}

/// 2⁻¹⁰⁰: what every size counts more than it is; see `shaders/shared/interval.wgsl`.
const FLOOR: f32 = f32::from_bits((127 - 100) << 23);

fn abs<T: Real>(x: T) -> T {
    if x < T::ZERO { -x } else { x }
}

/// The larger one of |lo| and |hi|; a NaN at either end comes through.
fn size<T: Real>(lo: T, hi: T) -> T {
    T::from_f32(0.5) * (abs(lo + hi) + (hi - lo))
}

/// max(value, 0) where a ReLU is wanted; a NaN stays a NaN.
fn rectified<T: Real>(value: T, relu: u32) -> T {
    if relu == 1 && value < T::ZERO { T::ZERO } else { value }
}

/// The three sums behind each output: the least and the largest value, and the sizes of all terms.
struct Sums<T> {
    low: Vec<T>,
    high: Vec<T>,
    sizes: Vec<T>,
}

impl<T: Real> Sums<T> {
    /// Starts at the bias of each output.
    fn new(bias: &[T]) -> Self {
        Self { low: bias.to_vec(), high: bias.to_vec(), sizes: bias.iter().map(|&b| abs(b)).collect() }
    }

    /// Adds what one input in [lo, hi] brings to each output, by its row of weights.
    fn add(&mut self, lo: T, hi: T, weights: &[T]) {
        let floor = T::from_f32(FLOOR);
        let reach = size(lo, hi) + floor;
        let sums = self.low.iter_mut().zip(&mut self.high).zip(&mut self.sizes);
        for (((low, high), sizes), &weight) in sums.zip(weights) {
            let (least, most) = if weight >= T::ZERO { (lo, hi) } else { (hi, lo) };
            *low += weight * least;
            *high += weight * most;
            *sizes += (abs(weight) + floor) * reach;
        }
    }

    /// Moves both ends outward by the margin and writes them.
    fn write(&self, relative: f32, absolute: f32, relu: u32, y_lo: &mut [T], y_hi: &mut [T]) {
        let (relative, absolute) = (T::from_f32(relative), T::from_f32(absolute));
        let sums = self.low.iter().zip(&self.high).zip(&self.sizes);
        for (((&low, &high), &sizes), (y_lo, y_hi)) in sums.zip(y_lo.iter_mut().zip(y_hi)) {
            let margin = relative * sizes + absolute;
            *y_lo = rectified(low - margin, relu);
            *y_hi = rectified(high + margin, relu);
        }
    }
}

#[cfg(test)]
mod tests;

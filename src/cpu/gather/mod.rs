//! Batches out of a data set that lies on the device.

pub mod labels;
pub mod masked;
pub mod outside;
pub mod pictures;

use super::Real;

crate::params! {
    /// Uniform of the gathering kernels.
    pub struct Gather {
        /// R·N.
        rows: u32,
        /// N.
        batch: u32,
        /// Steps of an epoch, L / N.
        steps: u32,
        /// Pictures in the data set.
        count: u32,
        /// Values of a picture, H·W·C.
        size: u32,
        /// W.
        width: u32,
        /// C.
        channels: u32,
        /// K.
        classes: u32,
        /// 1: pixels are unorm8, four to a word; 0: f32 bits.
        packed: u32,
        /// 1: a mask counts as 1 from one half on, else as 0.
        hard: u32,
        /// Factor of a pixel value in [0, 1].
        scale: f32,
        /// What is added then.
        shift: f32,
    }
}

impl Gather {
    /// The slot of the order that batch row r·N + n takes at this step, [r, clock·N + n]; `None` past the last step.
    pub(super) fn slot_of(&self, row: usize, clock: &[u32]) -> Option<usize> {
        let (batch, steps, step) = (self.batch as usize, self.steps as usize, clock[0] as usize);
        (step < steps).then(|| (row / batch * steps + step) * batch + row % batch)
    }

    /// The picture in that slot; `None` for padding, too.
    pub(super) fn picture_of(&self, row: usize, order: &[u32], clock: &[u32]) -> Option<usize> {
        let picture = order[self.slot_of(row, clock)?];
        (picture < self.count).then_some(picture as usize)
    }

    /// e, what a mask says of its pixel: as it is, or, where `hard` is 1, 1 from one half on and else 0.
    pub(super) fn relevance<T: Real>(&self, mask: u32) -> T {
        match self.hard {
            1 if mask >= 128 => T::ONE,
            1 => T::ZERO,
            _ => unorm8(mask),
        }
    }

    /// 1 − e, exact at either end.
    pub(super) fn irrelevance<T: Real>(&self, mask: u32) -> T {
        // 128 and more on this side is 127 and less on the other.
        self.relevance(255 - mask)
    }

    /// x = scale · p + shift for the pixel values p of a picture.
    pub(super) fn pixels<T: Real>(&self, pixels: &[u32], picture: usize, x: &mut [T]) {
        let (scale, shift) = (T::from_f32(self.scale), T::from_f32(self.shift));
        let first = picture * self.size as usize;
        if self.packed == 0 {
            for (x, &bits) in x.iter_mut().zip(&pixels[first..]) {
                *x = scale * T::from_f32(f32::from_bits(bits)) + shift;
            }
        } else {
            for (x, i) in x.iter_mut().zip(first..) {
                *x = scale * unorm8(byte(pixels, i)) + shift;
            }
        }
    }
}

/// Byte i of packed words, the lowest byte of a word first.
pub(super) fn byte(words: &[u32], i: usize) -> u32 {
    (words[i / 4] >> (i % 4 * 8)) & 255
}

/// 0 … 255 as 0 … 1.
pub(super) fn unorm8<T: Real>(byte: u32) -> T {
    T::from_f64(f64::from(byte)) / T::from_f64(255.0)
}

#[cfg(test)]
mod tests;

//! Batches whose pictures, and masks with them, are turned, shifted, zoomed and lit on their way out of the data set.

pub mod masked;
pub mod outside;
pub mod pictures;

use super::Real;
use super::gather::{Gather, byte, unorm8};

/// Words of one slot's geometry: yy, yx, xy, xx in 2⁻¹⁶, y and x in 2⁻¹⁷ of a pixel, and the brightness as f32.
pub const WORDS: usize = 7;

/// How the picture in one slot is turned.
struct Turned<'a> {
    gather: &'a Gather,
    words: &'a [u32],
    height: i32,
    width: i32,
    picture: usize,
}

impl<'a> Turned<'a> {
    /// The picture of a batch row and its geometry; `None` where there is no picture.
    fn of(gather: &'a Gather, row: usize, [order, clock, geometry]: [&'a [u32]; 3]) -> Option<Turned<'a>> {
        let picture = gather.picture_of(row, order, clock)?;
        let words = &geometry[gather.slot_of(row, clock)? * WORDS..][..WORDS];
        let width = gather.width as i32;
        let height = (gather.size / gather.channels) as i32 / width;
        Some(Turned { gather, words, height, width, picture })
    }

    /// Where row y and column x come from, in 2⁻¹⁷ of a pixel, 0 the middle of the first one. The matrix turns half
    /// pixels from the middle of the picture.
    fn came_from(&self, y: i32, x: i32) -> [i32; 2] {
        let (v, u) = (2 * y + 1 - self.height, 2 * x + 1 - self.width);
        let word = |i: usize| self.words[i] as i32;
        let along = |i: usize| word(i).wrapping_mul(v).wrapping_add(word(i + 1).wrapping_mul(u));
        let place =
            |i: usize, size: i32| along(2 * i).wrapping_add(word(4 + i)).wrapping_add((size - 1) << 16);
        [place(0, self.height), place(1, self.width)]
    }

    /// The number of a pixel in the whole data set; the edge goes on outside.
    fn position_of(&self, y: i32, x: i32) -> usize {
        let (y, x) = (y.clamp(0, self.height - 1) as usize, x.clamp(0, self.width - 1) as usize);
        (self.picture * self.height as usize + y) * self.width as usize + x
    }

    /// The mask at the pixel nearest to the source: masks are not blended.
    fn mask(&self, masks: &[u32], y: i32, x: i32) -> u32 {
        let [from_y, from_x] = self.came_from(y, x).map(|from| from.wrapping_add(1 << 16) >> 17);
        byte(masks, self.position_of(from_y, from_x))
    }

    /// x = scale · p + shift, with p blended from the four pixels around the source, whose weights are whole multiples of
    /// 2⁻¹⁶, times the brightness, at most 1.
    fn pixel<T: Real>(&self, pixels: &[u32], y: i32, x: i32, channel: usize) -> T {
        let [source_y, source_x] = self.came_from(y, x).map(|from| from.wrapping_add(256) >> 9);
        let (part_y, part_x) = (source_y & 255, source_x & 255);
        let mut sum = T::ZERO;
        for (dy, weight_y) in [(0, 256 - part_y), (1, part_y)] {
            for (dx, weight_x) in [(0, 256 - part_x), (1, part_x)] {
                let position = self.position_of((source_y >> 8) + dy, (source_x >> 8) + dx);
                let i = position * self.gather.channels as usize + channel;
                let p: T = match self.gather.packed {
                    0 => T::from_f32(f32::from_bits(pixels[i])),
                    _ => unorm8(byte(pixels, i)),
                };
                sum += T::from_f64(f64::from(weight_y * weight_x) / 65_536.0) * p;
            }
        }
        let lit = T::from_f32(f32::from_bits(self.words[6])) * sum;
        let p = if lit > T::ONE { T::ONE } else { lit };
        T::from_f32(self.gather.scale) * p + T::from_f32(self.gather.shift)
    }

    /// Every row and column of the picture.
    fn places(&self) -> impl Iterator<Item = (i32, i32)> + use<> {
        let width = self.width;
        (0..self.height).flat_map(move |y| (0..width).map(move |x| (y, x)))
    }
}

#[cfg(test)]
mod tests;

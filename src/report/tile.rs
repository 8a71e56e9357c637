//! Tiles: one picture, mask, feature map or overlay, at its own size.

use image::RgbImage;

use super::color::{Rgb, blend, grey, heat};

/// A small picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// `[height, width]`.
    pub pixels: Vec<Rgb>,
}

/// Height and width.
pub type Size = [usize; 2];

impl Tile {
    fn new([height, width]: Size, pixel: impl Fn(usize) -> Rgb) -> Self {
        Self { height, width, pixels: (0..height * width).map(pixel).collect() }
    }

    /// A picture `[H, W, C]` in [0, 1]: grey, or colour from three channels on. Missing values are black.
    pub fn picture(values: &[f32], size: Size, channels: usize) -> Self {
        let value = |i: usize| f64::from(values.get(i).copied().unwrap_or(0.0));
        Self::new(size, |i| match channels {
            0..=2 => grey(value(i * channels)),
            _ => std::array::from_fn(|c| grey(value(i * channels + c))[0]),
        })
    }

    /// A mask `[H, W]`, white = relevant.
    pub fn mask(mask: &[u8], size: Size) -> Self {
        Self::new(size, |i| [mask.get(i).copied().unwrap_or(0); 3])
    }

    /// A map `[H, W]` on the heat ramp, from black at `scale.low` to pale yellow at `scale.high`. Colours follow the
    /// root of a value's place, so that a weak map beside a strong one still shows its form.
    pub fn map(values: &[f64], size: Size, scale: Scale) -> Self {
        Self::new(size, |i| heat(scale.share(values.get(i).copied().unwrap_or(0.0)).sqrt()))
    }

    /// A map `[H, W]` over a picture: the larger the value, the less of the picture remains.
    pub fn overlay(picture: &Tile, values: &[f64], scale: Scale) -> Self {
        Self::new([picture.height, picture.width], |i| {
            let share = scale.share(values.get(i).copied().unwrap_or(0.0));
            // The picture recedes, so that its own bright pixels are not taken for large values; the ramp's dark
            // third would vanish on it.
            let under = blend([0; 3], picture.pixels[i], 0.45);
            blend(under, heat(0.35 + 0.65 * share), share.sqrt())
        })
    }

    /// The tile as a picture.
    pub fn image(&self) -> RgbImage {
        let pixel = |x: u32, y: u32| self.pixels[y as usize * self.width + x as usize];
        RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| image::Rgb(pixel(x, y)))
    }

    /// The tile at another size: pixels repeated where it grows, averaged where it shrinks.
    pub fn resized(&self, [height, width]: Size) -> Self {
        if self.pixels.is_empty() {
            return Self::new([height, width], |_| [0; 3]);
        }
        let span = |at: usize, to: usize, from: usize| {
            let start = at * from / to;
            start..((at + 1) * from).div_ceil(to).min(from).max(start + 1)
        };
        Self::new([height, width], |i| {
            let (rows, columns) = (span(i / width, height, self.height), span(i % width, width, self.width));
            if height >= self.height && width >= self.width {
                return self.pixels[rows.start * self.width + columns.start];
            }
            let mut sum = [0usize; 3];
            let count = rows.len() * columns.len();
            for pixel in rows.flat_map(|y| columns.clone().map(move |x| y * self.width + x)) {
                sum.iter_mut().zip(self.pixels[pixel]).for_each(|(sum, v)| *sum += usize::from(v));
            }
            sum.map(|sum| ((sum + count / 2) / count) as u8)
        })
    }
}

/// Which values take the ends of the ramp.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Shown as 0.
    pub low: f64,
    /// Shown as 1.
    pub high: f64,
}

impl Scale {
    /// From 0 to the largest finite value of all the maps, so that they can be compared with each other.
    pub fn from_zero(maps: &[&[f64]]) -> Self {
        let finite = maps.iter().flat_map(|map| map.iter().copied()).filter(|value| value.is_finite());
        Self { low: 0.0, high: finite.fold(0.0, f64::max) }
    }

    /// From 0 to the value that one in a hundred exceeds: what a few single pixels do must not hide the rest.
    pub fn without_peaks(map: &[f64]) -> Self {
        let mut finite: Vec<f64> = map.iter().copied().filter(|value| value.is_finite()).collect();
        finite.sort_by(f64::total_cmp);
        let rank = (finite.len() * 99).div_ceil(100).saturating_sub(1);
        let high = finite.get(rank).copied().filter(|&high| high > 0.0).or(finite.last().copied());
        Self { low: 0.0, high: high.unwrap_or(0.0).max(0.0) }
    }

    /// Where a value lies; 0 for a scale without extent, and for NaN.
    pub fn share(self, value: f64) -> f64 {
        let extent = self.high - self.low;
        if extent > 0.0 && !value.is_nan() { ((value - self.low) / extent).clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The mean over channels of |values|: `[H, W, C]` to `[H, W]`.
pub fn channel_mean(values: &[f32], channels: usize) -> Vec<f64> {
    let mean = |pixel: &[f32]| pixel.iter().map(|&v| f64::from(v).abs()).sum::<f64>() / pixel.len() as f64;
    values.chunks(channels.max(1)).map(mean).collect()
}

/// The length over channels: `[H, W, C]` to `[H, W]`, the root of the sum of squares.
pub fn channel_norm(values: &[f32], channels: usize) -> Vec<f64> {
    let norm = |pixel: &[f32]| pixel.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
    values.chunks(channels.max(1)).map(norm).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_and_broken_maps_have_a_scale() {
        for values in [[0.0; 4], [f64::NAN; 4]] {
            let scale = Scale::from_zero(&[&values]);
            assert_eq!(scale, Scale { low: 0.0, high: 0.0 });
            let tile = Tile::map(&values, [2, 2], scale);
            assert!(tile.pixels.iter().all(|&pixel| pixel == heat(0.0)));
        }
        // Constant but not zero: all at the top.
        let tile = Tile::map(&[3.0; 4], [2, 2], Scale::from_zero(&[&[3.0; 4]]));
        assert!(tile.pixels.iter().all(|&pixel| pixel == heat(1.0)));
        assert!(Scale::from_zero(&[]).share(f64::INFINITY) == 0.0);
    }

    #[test]
    fn maps_of_a_row_share_their_scale() {
        let scale = Scale::from_zero(&[&[0.0, 1.0], &[0.5, 4.0], &[f64::INFINITY]]);
        assert_eq!((scale.share(1.0), scale.share(4.0), scale.share(9.0)), (0.25, 1.0, 1.0));
    }

    #[test]
    fn single_peaks_do_not_set_the_scale_unless_they_are_all_there_is() {
        let mut map = vec![1.0; 1000];
        map[3] = 50.0;
        assert_eq!(Scale::without_peaks(&map).high, 1.0);
        map.fill(0.0);
        map[3] = 50.0;
        assert_eq!(Scale::without_peaks(&map).high, 50.0);
        assert_eq!(Scale::without_peaks(&[f64::NAN, 2.0]).high, 2.0);
        assert_eq!(Scale::without_peaks(&[]).high, 0.0);
    }

    #[test]
    fn channels_become_one() {
        assert_eq!(channel_mean(&[1.0, -3.0, 0.0, 2.0], 2), [2.0, 1.0]);
        assert_eq!(channel_norm(&[3.0, -4.0, 0.0, 2.0], 2), [5.0, 2.0]);
    }

    #[test]
    fn growing_repeats_and_shrinking_averages() {
        let tile = Tile::picture(&[0.0, 1.0, 0.2, 0.6], [2, 2], 1);
        let large = tile.resized([4, 6]);
        assert_eq!(large.pixels[0], tile.pixels[0]);
        assert_eq!(large.pixels[2 * 6 + 3], tile.pixels[3]);
        assert_eq!(large.resized([2, 2]), tile);
        // (0 + 255 + 51 + 153) / 4 = 114.75.
        assert_eq!(tile.resized([1, 1]).pixels, [[115; 3]]);
    }

    #[test]
    fn an_overlay_of_nothing_is_the_dimmed_picture() {
        let picture = Tile::picture(&[0.0, 0.4, 0.8, 1.0, 1.0, 0.0], [1, 2], 3);
        let overlay = Tile::overlay(&picture, &[0.0, 0.0], Scale::from_zero(&[&[0.0, 0.0]]));
        assert_eq!(overlay.pixels, [[0, 46, 92], [115, 115, 0]]);
    }
}

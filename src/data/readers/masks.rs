//! The mask of a picture, from whatever explains it to bytes of the wanted size.

use image::DynamicImage;

use super::catalog::{Explanation, Item};
use super::options::{AlphaRule, MaskPolarity, MaskThreshold, ReadOptions, UnknownPixels};
use super::{decode, unreadable};
use crate::data::{DataError, Extent};

/// A mask as large as its file, 255 = relevant, with what the file held.
pub(crate) struct RawMask {
    pub(crate) size: Extent,
    pub(crate) values: Vec<u8>,
    /// Pixels of the file that are neither 0 nor 255.
    pub(crate) between: u64,
    /// The file's brightest value.
    pub(crate) brightest: u8,
    /// Whether a shape reaches out of the picture.
    pub(crate) reaches_out: bool,
}

impl RawMask {
    /// Whether nothing, or everything, is relevant.
    pub(crate) fn marks(&self) -> (bool, bool) {
        let relevant = |value: &u8| *value >= crate::data::RELEVANT;
        (self.values.iter().any(relevant), self.values.iter().all(relevant))
    }

    /// Brought to another size by nearest neighbour.
    pub(crate) fn fitted(&self, (width, height): Extent) -> Vec<u8> {
        let nearest =
            |at: u32, to: u32, from: u32| ((2 * at as usize + 1) * from as usize) / (2 * to as usize);
        let mut values = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            let row = nearest(y, height, self.size.1) * self.size.0 as usize;
            values.extend((0..width).map(|x| self.values[row + nearest(x, width, self.size.0)]));
        }
        values
    }
}

/// Reads the mask of a picture that has been decoded; `None` where it has no explanation.
pub(crate) fn read(
    item: &Item,
    picture: &DynamicImage,
    options: &ReadOptions,
) -> Result<Option<RawMask>, DataError> {
    let own = (picture.width(), picture.height());
    let white = options.mask_polarity == MaskPolarity::White;
    let raw = match &item.explanation {
        Explanation::None => match alpha(picture).filter(|_| options.alpha == AlphaRule::Mask) {
            Some(values) => grey(values, own, options),
            None => return Ok(None),
        },
        Explanation::Mask(path) => {
            let mask = decode::file(path)?;
            let size = same_aspect(item, path, &mask, own)?;
            // Transparent parts are irrelevant, whatever colour hides there.
            let ground = if white { 0 } else { 255 };
            let shown = |pixel: &image::LumaA<u8>| {
                let [grey, alpha] = pixel.0.map(u32::from);
                ((grey * alpha + ground * (255 - alpha) + 127) / 255) as u8
            };
            grey(mask.into_luma_alpha8().pixels().map(shown).collect(), size, options)
        }
        Explanation::Trimap(path) => {
            let mask = decode::file(path)?;
            let size = same_aspect(item, path, &mask, own)?;
            let mut values = mask.into_luma8().into_raw();
            for value in &mut values {
                *value = match *value {
                    1 if white => 255,
                    2 if !white => 255,
                    1 | 2 => 0,
                    3 if options.unknown_pixels == UnknownPixels::Keep => 255,
                    3 => 0,
                    other => {
                        return Err(unreadable(
                            path,
                            format!("a trimap holds 1, 2 and 3 alone, and this one holds {other}"),
                        ));
                    }
                };
            }
            let brightest = values.iter().copied().max().unwrap_or(0);
            RawMask { size, values, between: 0, brightest, reaches_out: false }
        }
        Explanation::Regions(regions) => {
            let mut values = regions.bitmap(own, item.picture.path())?.values;
            if !white {
                values.iter_mut().for_each(|value| *value = 255 - *value);
            }
            let reaches_out = regions.reaches_out(own);
            RawMask { size: own, values, between: 0, brightest: 255, reaches_out }
        }
    };
    Ok(Some(raw))
}

/// The alpha channel, where it is transparent anywhere.
fn alpha(picture: &DynamicImage) -> Option<Vec<u8>> {
    if !picture.color().has_alpha() {
        return None;
    }
    let values: Vec<u8> = match picture {
        DynamicImage::ImageRgba8(rgba) => rgba.pixels().map(|pixel| pixel.0[3]).collect(),
        other => other.to_luma_alpha8().pixels().map(|pixel| pixel.0[1]).collect(),
    };
    values.iter().any(|&value| value < 255).then_some(values)
}

/// A mask of grey values: which are relevant is for the options to say.
fn grey(mut values: Vec<u8>, size: Extent, options: &ReadOptions) -> RawMask {
    let brightest = values.iter().copied().max().unwrap_or(0);
    let between = values.iter().filter(|&&value| value != 0 && value != 255).count() as u64;
    if let MaskThreshold::Above(threshold) = options.mask_threshold {
        values.iter_mut().for_each(|value| *value = if *value > threshold { 255 } else { 0 });
    }
    if options.mask_polarity == MaskPolarity::Black {
        values.iter_mut().for_each(|value| *value = 255 - *value);
    }
    RawMask { size, values, between, brightest, reaches_out: false }
}

/// The mask's size: that of its picture, or scaled by one factor with each side rounded to whole pixels.
fn same_aspect(
    item: &Item,
    path: &std::path::Path,
    mask: &DynamicImage,
    picture: Extent,
) -> Result<Extent, DataError> {
    let own = (mask.width(), mask.height());
    let (left, right) = (u64::from(own.0) * u64::from(picture.1), u64::from(own.1) * u64::from(picture.0));
    if own == picture || left.abs_diff(right) < u64::from(picture.0.max(picture.1)) {
        return Ok(own);
    }
    Err(DataError::MaskSize {
        mask: path.to_path_buf(),
        mask_size: own,
        image: item.picture.path().to_path_buf(),
        image_size: picture,
    })
}

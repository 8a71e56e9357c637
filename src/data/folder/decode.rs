//! One picture and its mask, from file to bytes of the wanted size.

use super::scan::Item;
use super::{FolderOptions, MaskPolarity};
use crate::data::{DataError, Extent};
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::BufRead;
use std::path::Path;

/// What became of one item.
pub(super) enum Outcome {
    Loaded(Loaded),
    /// The message of the error that was passed over.
    Skipped(String),
}

/// A decoded picture of the wanted size.
pub(super) struct Loaded {
    /// Whether `values` has three channels.
    pub(super) colour: bool,
    pub(super) values: Vec<u8>,
    pub(super) mask: Option<LoadedMask>,
    /// The message of the error when the mask was passed over.
    pub(super) skipped_mask: Option<String>,
}

/// A decoded mask of the wanted size, 255 = relevant, with what its file held.
pub(super) struct LoadedMask {
    pub(super) values: Vec<u8>,
    pub(super) pixels: u64,
    /// Pixels that are neither 0 nor 255.
    pub(super) between: u64,
    pub(super) brightest: u8,
}

/// Width and height as shown on screen, from the header.
pub(super) fn extent(path: &Path) -> Result<Extent, DataError> {
    let unreadable = |error: image::ImageError| unreadable(path, error);
    let mut decoder = open(path)?.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    Ok(if turns(orientation(&mut decoder)) { (height, width) } else { (width, height) })
}

/// Reads one item.
pub(super) fn load(item: &Item, extent: Extent, options: &FolderOptions) -> Result<Outcome, DataError> {
    let picture = match decode(&item.image) {
        Ok(picture) => picture,
        Err(error) if options.skip_unreadable => return Ok(Outcome::Skipped(error.to_string())),
        Err(error) => return Err(error),
    };
    let own = (picture.width(), picture.height());
    let (mut mask, mut skipped_mask) = (None, None);
    if let Some(path) = &item.mask {
        match decode(path) {
            Ok(read) => mask = Some(fit_mask(item, path, read, own, extent, options.mask_polarity)?),
            Err(error) if options.skip_unreadable => skipped_mask = Some(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    let colour = match options.channels {
        Some(channels) => channels == 3,
        None => has_colour(&picture),
    };
    Ok(Outcome::Loaded(Loaded { colour, values: sized(picture, extent, colour), mask, skipped_mask }))
}

/// Reads one picture without a label, as those of a folder are read: bytes `[height, width, channels]`.
pub fn read_picture(path: &Path, height: usize, width: usize, channels: usize) -> Result<Vec<u8>, DataError> {
    Ok(sized(decode(path)?, (width as u32, height as u32), channels == 3))
}

fn sized(picture: DynamicImage, (width, height): Extent, colour: bool) -> Vec<u8> {
    // Smooth and without much ringing; when shrinking, `resize` averages over all source pixels.
    let filter = FilterType::CatmullRom;
    match (colour, (picture.width(), picture.height()) == (width, height)) {
        (true, true) => picture.into_rgb8().into_raw(),
        (true, false) => imageops::resize(&picture.into_rgb8(), width, height, filter).into_raw(),
        (false, true) => picture.into_luma8().into_raw(),
        (false, false) => imageops::resize(&picture.into_luma8(), width, height, filter).into_raw(),
    }
}

/// A mask of its picture's aspect ratio, brought to the wanted size by nearest neighbour.
fn fit_mask(
    item: &Item,
    path: &Path,
    mask: DynamicImage,
    picture: Extent,
    (width, height): Extent,
    polarity: MaskPolarity,
) -> Result<LoadedMask, DataError> {
    let own = (mask.width(), mask.height());
    if !same_aspect(own, picture) {
        return Err(DataError::MaskSize {
            mask: path.to_path_buf(),
            mask_size: own,
            image: item.image.clone(),
            image_size: picture,
        });
    }
    // Transparent parts are irrelevant, whatever colour hides there.
    let ground = if polarity == MaskPolarity::White { 0 } else { 255 };
    let read: Vec<u8> = mask
        .into_luma_alpha8()
        .pixels()
        .map(|pixel| {
            let [grey, alpha] = pixel.0.map(u32::from);
            ((grey * alpha + ground * (255 - alpha) + 127) / 255) as u8
        })
        .collect();
    let brightest = read.iter().copied().max().unwrap_or(0);
    let between = read.iter().filter(|&&value| value != 0 && value != 255).count() as u64;
    let nearest = |at: u32, to: u32, from: u32| ((2 * at as usize + 1) * from as usize) / (2 * to as usize);
    let mut values = Vec::with_capacity(width as usize * height as usize);
    for y in 0..height {
        let row = nearest(y, height, own.1) * own.0 as usize;
        values.extend((0..width).map(|x| read[row + nearest(x, width, own.0)]));
    }
    if polarity == MaskPolarity::Black {
        values.iter_mut().for_each(|value| *value = 255 - *value);
    }
    Ok(LoadedMask { values, pixels: read.len() as u64, between, brightest })
}

/// Equal, or scaled by one factor with each side rounded to whole pixels.
fn same_aspect(a: Extent, b: Extent) -> bool {
    let (left, right) = (u64::from(a.0) * u64::from(b.1), u64::from(a.1) * u64::from(b.0));
    a == b || left.abs_diff(right) < u64::from(b.0.max(b.1))
}

fn has_colour(picture: &DynamicImage) -> bool {
    if !picture.color().has_color() {
        return false;
    }
    // Many grey pictures are stored with three equal channels.
    match picture {
        DynamicImage::ImageRgb8(rgb) => rgb.pixels().any(|p| p[0] != p[1] || p[1] != p[2]),
        other => other.to_rgb8().pixels().any(|p| p[0] != p[1] || p[1] != p[2]),
    }
}

fn decode(path: &Path) -> Result<DynamicImage, DataError> {
    let reader = open(path)?;
    if reader.format() == Some(ImageFormat::Jpeg) {
        jpeg_is_whole(path)?;
    }
    let unreadable = |error: image::ImageError| unreadable(path, error);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    limits().reserve(decoder.total_bytes()).map_err(unreadable)?;
    let orientation = orientation(&mut decoder);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn open(path: &Path) -> Result<ImageReader<impl BufRead + std::io::Seek>, DataError> {
    let broken = |error: std::io::Error| unreadable(path, error);
    // By content: a PNG that is called .jpg is still a picture.
    let mut reader = ImageReader::open(path).map_err(broken)?.with_guessed_format().map_err(broken)?;
    reader.limits(limits());
    Ok(reader)
}

/// The decoder fills the missing part of a truncated JPEG with grey and says nothing, so look for the end marker.
fn jpeg_is_whole(path: &Path) -> Result<(), DataError> {
    let file = std::fs::read(path).map_err(|error| unreadable(path, error))?;
    let mut at = 2;
    // Segment by segment to the first scan: thumbnails before it have end markers of their own.
    while let Some(&[0xff, marker, high, low]) = file.get(at..at + 4) {
        if marker == 0xda {
            let ends = file[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
            return if ends {
                Ok(())
            } else {
                Err(unreadable(path, "truncated: the end of the JPEG is missing"))
            };
        }
        // A marker may be preceded by any number of fill bytes.
        at += if marker == 0xff { 1 } else { 2 + usize::from(u16::from_be_bytes([high, low])) };
    }
    Err(unreadable(path, "truncated: the JPEG ends before its first scan"))
}

/// No picture for training needs more; a file that claims more is broken or a bomb.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(32_768);
    limits.max_image_height = Some(32_768);
    limits.max_alloc = Some(512 << 20);
    limits
}

/// The camera's tag; a picture whose tag is broken is read as it lies.
fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

fn turns(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

fn unreadable(path: &Path, reason: impl ToString) -> DataError {
    DataError::Unreadable { path: path.to_path_buf(), reason: reason.to_string() }
}

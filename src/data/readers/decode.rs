//! One picture, from file to bytes of the wanted size.

use std::fs::File;
use std::io::{BufRead, Cursor, Read, Seek};
use std::path::Path;

use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::catalog::Picture;
use super::unreadable;
use crate::data::{DataError, Extent};

/// Width and height as shown on screen, from the header.
pub(crate) fn extent(picture: &Picture) -> Result<Extent, DataError> {
    let path = match picture {
        Picture::File(path) => path,
        Picture::Grey { size, .. } => return Ok(*size),
    };
    let failed = |error: image::ImageError| unreadable(path, error);
    let mut decoder = open(path)?.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    Ok(if turns(orientation(&mut decoder)) { (height, width) } else { (width, height) })
}

/// A picture, upright.
pub(crate) fn picture(picture: &Picture) -> Result<DynamicImage, DataError> {
    match picture {
        Picture::File(path) => file(path),
        Picture::Grey { file, values, at, size: (width, height) } => {
            let end = at + *width as usize * *height as usize;
            let bytes = values.get(*at..end).map(<[u8]>::to_vec);
            bytes
                .and_then(|bytes| GrayImage::from_raw(*width, *height, bytes))
                .map(DynamicImage::ImageLuma8)
                .ok_or_else(|| unreadable(file, "it ends early"))
        }
    }
}

/// The bytes of a picture in the wanted size: three channels or one.
pub(crate) fn bytes(picture: DynamicImage, (width, height): Extent, colour: bool) -> Vec<u8> {
    let own = (picture.width(), picture.height());
    // Smooth and without much ringing; when shrinking, `resize` averages over all source pixels.
    let filter = FilterType::CatmullRom;
    match (colour, own == (width, height)) {
        (true, true) => picture.into_rgb8().into_raw(),
        (true, false) => imageops::resize(&picture.into_rgb8(), width, height, filter).into_raw(),
        (false, true) => picture.into_luma8().into_raw(),
        (false, false) => imageops::resize(&picture.into_luma8(), width, height, filter).into_raw(),
    }
}

/// Reads one picture without a label, as those of a data set are read: bytes `[height, width, channels]`.
pub fn read_picture(path: &Path, height: usize, width: usize, channels: usize) -> Result<Vec<u8>, DataError> {
    Ok(bytes(file(path)?, (width as u32, height as u32), channels == 3))
}

/// Whether any pixel is not grey.
pub(crate) fn has_colour(picture: &DynamicImage) -> bool {
    if !picture.color().has_color() {
        return false;
    }
    // Many grey pictures are stored with three equal channels.
    match picture {
        DynamicImage::ImageRgb8(rgb) => rgb.pixels().any(|p| p[0] != p[1] || p[1] != p[2]),
        other => other.to_rgb8().pixels().any(|p| p[0] != p[1] || p[1] != p[2]),
    }
}

/// An image file, upright.
pub(crate) fn file(path: &Path) -> Result<DynamicImage, DataError> {
    // Read once and whole: most pictures are small, and each call to the system costs as much as decoding a few pixels.
    let bytes = whole(path)?;
    let named = ImageFormat::from_path(path).ok();
    let reader = in_memory(&bytes, named).map_err(|error| unreadable(path, error))?;
    if reader.format() == Some(ImageFormat::Jpeg) {
        jpeg_is_whole(&bytes).map_err(|reason| unreadable(path, reason))?;
    }
    decoded(reader).map_err(|error| unreadable(path, error))
}

/// All of a file, which may be as long as a picture may be large.
fn whole(path: &Path) -> Result<Vec<u8>, DataError> {
    let broken = |error: std::io::Error| unreadable(path, error);
    let mut file = File::open(path).map_err(broken)?;
    let len = file.metadata().map_err(broken)?.len();
    if len > MOST_BYTES {
        return Err(unreadable(path, format!("the file has {len} bytes, more than {MOST_BYTES}")));
    }
    let mut bytes = Vec::with_capacity(len as usize);
    file.read_to_end(&mut bytes).map_err(broken)?;
    Ok(bytes)
}

/// An image that is held in memory, upright.
pub(crate) fn from_memory(bytes: &[u8]) -> Result<DynamicImage, image::ImageError> {
    decoded(in_memory(bytes, None)?)
}

/// A reader of the format that the content shows; else of the one that is named.
fn in_memory(bytes: &[u8], named: Option<ImageFormat>) -> std::io::Result<ImageReader<Cursor<&[u8]>>> {
    let mut reader = ImageReader::new(Cursor::new(bytes));
    if let Some(format) = named {
        reader.set_format(format);
    }
    let mut reader = reader.with_guessed_format()?;
    reader.limits(limits());
    Ok(reader)
}

fn decoded(reader: ImageReader<impl BufRead + Seek>) -> Result<DynamicImage, image::ImageError> {
    let mut decoder = reader.into_decoder()?;
    limits().reserve(decoder.total_bytes())?;
    let orientation = orientation(&mut decoder);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The format that the content shows, where it is another than the extension says.
pub(crate) fn other_format(path: &Path) -> Option<ImageFormat> {
    let content = open(path).ok()?.format()?;
    let extension = ImageFormat::from_path(path).ok()?;
    (content != extension).then_some(content)
}

fn open(path: &Path) -> Result<ImageReader<impl BufRead + Seek>, DataError> {
    let broken = |error: std::io::Error| unreadable(path, error);
    // By content: a PNG that is called .jpg is still a picture.
    let mut reader = ImageReader::open(path).map_err(broken)?.with_guessed_format().map_err(broken)?;
    reader.limits(limits());
    Ok(reader)
}

/// The decoder fills the missing part of a truncated JPEG with grey and says nothing, so look for the end marker.
fn jpeg_is_whole(file: &[u8]) -> Result<(), &'static str> {
    let mut at = 2;
    // Segment by segment to the first scan: thumbnails before it have end markers of their own.
    while let Some(&[0xff, marker, high, low]) = file.get(at..at + 4) {
        if marker == 0xda {
            let ends = file[at..].windows(2).any(|pair| pair == [0xff, 0xd9]);
            return if ends { Ok(()) } else { Err("truncated: the end of the JPEG is missing") };
        }
        // A marker may be preceded by any number of fill bytes.
        at += if marker == 0xff { 1 } else { 2 + usize::from(u16::from_be_bytes([high, low])) };
    }
    Err("truncated: the JPEG ends before its first scan")
}

/// Bytes of a picture, at most: 512 MiB.
const MOST_BYTES: u64 = 512 << 20;

/// At most 32,768 pixels a side and [`MOST_BYTES`]: no picture for training needs more; a file that claims more is broken or a
/// bomb.
fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(32_768);
    limits.max_image_height = Some(32_768);
    limits.max_alloc = Some(MOST_BYTES);
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

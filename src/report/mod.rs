//! Pictures of a run: the contact sheet, overlays, plots, and the page.
//!
//! [`look`] asks a trained model about a few pictures, [`before_after`] sets two models side by side,
//! [`contact_sheet`] draws any table of tiles, [`write_png`] writes it whole or not at all; [`check_page`] shows what the
//! linter found.

mod augmented;
#[cfg(feature = "readers")]
mod check;
pub mod color;
mod explain;
pub mod html;
pub mod plot;
pub mod run;
mod sheet;
pub mod text;
mod tile;

use std::path::Path;

use image::RgbImage;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};

pub use augmented::augmented_sheet;
#[cfg(feature = "readers")]
pub use check::check_page;
pub use explain::{Look, Named, before_after, gradient_overlay, look, look_with};
pub use sheet::{Cell, Column, Row, Sheet, Tone, contact_sheet};
pub use tile::{Scale, Size, Tile, channel_mean, channel_norm};

use crate::train::{TrainError, write_atomically};

/// A picture as the bytes of a PNG file.
fn png(image: &RgbImage) -> Result<Vec<u8>, image::ImageError> {
    let mut bytes = Vec::new();
    // Repeated rows and noise: unfiltered they are smallest.
    let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::NoFilter);
    image.write_with_encoder(encoder)?;
    Ok(bytes)
}

/// Writes a picture as PNG, so that at every moment the file is the old one or the new one.
pub fn write_png(path: &Path, image: &RgbImage) -> Result<(), TrainError> {
    let bytes = png(image).map_err(|e| TrainError::File {
        path: path.to_owned(),
        message: format!(
            "the picture of {}×{} pixels cannot be encoded ({e})",
            image.width(),
            image.height()
        ),
    })?;
    write_atomically(path, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        let picture = RgbImage::from_fn(7, 5, |x, y| image::Rgb([x as u8 * 30, y as u8 * 50, 9]));
        write_png(&path, &picture).unwrap();
        assert_eq!(image::open(&path).unwrap().into_rgb8(), picture);
        let nowhere = folder.path().join("missing/sheet.png");
        assert!(write_png(&nowhere, &picture).unwrap_err().to_string().contains("sheet.png"));
    }
}

//! Text from a bitmap font that is part of the program: no font files, the same pixels on every machine.

use image::RgbImage;
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

use super::color::{Rgb, blend};

/// Height of a line in pixels.
pub const LINE: usize = 16;
/// Width of a character in pixels.
pub const ADVANCE: usize = get_raster_width(FontWeight::Regular, RasterHeight::Size16);

/// Width of a text in pixels.
pub fn width(text: &str) -> usize {
    text.chars().count() * ADVANCE
}

/// The text, cut with two dots where it is wider than `pixels`.
pub fn fit(text: &str, pixels: usize) -> String {
    if width(text) <= pixels {
        return text.to_owned();
    }
    let dots = ["", ".", ".."][(pixels / ADVANCE).min(2)];
    let kept = pixels / ADVANCE - dots.len();
    text.chars().take(kept).chain(dots.chars()).collect()
}

/// Breaks a text between words so that no line is wider than `pixels`; a longer word is cut.
pub fn wrap(text: &str, pixels: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + ADVANCE + width(word) <= pixels => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(fit(word, pixels)),
        }
    }
    lines
}

/// Draws one line with its upper left corner at (x, y); what falls outside of the picture is left out.
pub fn draw(image: &mut RgbImage, [x, y]: [usize; 2], text: &str, color: Rgb, bold: bool) {
    let weight = if bold { FontWeight::Bold } else { FontWeight::Regular };
    for (i, character) in text.chars().enumerate() {
        // Names come from users' folders: what the font lacks shows as a question mark.
        let glyph = get_raster(character, weight, RasterHeight::Size16)
            .or_else(|| get_raster('?', weight, RasterHeight::Size16));
        let Some(glyph) = glyph else { continue };
        for (dy, row) in glyph.rows().enumerate() {
            for (dx, &coverage) in row.iter().enumerate() {
                let at = ((x + i * ADVANCE + dx) as u32, (y + dy) as u32);
                if let Some(pixel) = image.get_pixel_mut_checked(at.0, at.1) {
                    pixel.0 = blend(pixel.0, color, f64::from(coverage) / 255.0);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_wide_is_cut_to_fit() {
        assert_eq!(fit("golden retriever", 100 * ADVANCE), "golden retriever");
        assert_eq!(fit("golden retriever", 8 * ADVANCE + 3), "golden..");
        for pixels in 0..20 * ADVANCE {
            assert!(width(&fit("golden retriever", pixels)) <= pixels);
            assert!(wrap("a golden retriever", pixels).iter().all(|line| width(line) <= pixels));
        }
        assert_eq!(wrap("a golden  retriever", 9 * ADVANCE), ["a golden", "retriever"]);
        assert!(wrap("", 80).is_empty());
    }

    #[test]
    fn text_stays_within_its_box_and_the_picture() {
        let mut image = RgbImage::new(60, 40);
        draw(&mut image, [5, 4], "Ég?", [255; 3], true);
        let inked = |x: u32, y: u32| image.get_pixel(x, y).0 != [0; 3];
        let (mut inside, mut outside) = (0, 0);
        for (x, y) in (0..60).flat_map(|x| (0..40).map(move |y| (x, y))) {
            let within = (5..5 + width("Ég?") as u32).contains(&x) && (4..4 + LINE as u32).contains(&y);
            *if within { &mut inside } else { &mut outside } += u32::from(inked(x, y));
        }
        assert!(inside > 30 && outside == 0);
        draw(&mut image, [55, 35], "past the edge", [255; 3], false);
        draw(&mut image, [500, 500], "far away", [255; 3], false);
    }

    #[test]
    fn what_the_font_lacks_shows_as_a_question_mark() {
        let drawn = |text: &str| {
            let mut image = RgbImage::new(20, 20);
            draw(&mut image, [0, 0], text, [255; 3], false);
            image
        };
        assert_eq!(drawn("犬"), drawn("?"));
    }
}

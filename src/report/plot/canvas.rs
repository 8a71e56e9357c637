//! A drawing surface in points, drawn at twice their number of pixels, on SVG or on a bitmap.

use std::sync::OnceLock;

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{Color, DrawingBackend, RGBColor, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, IntoFont, register_font};

use super::PlotError;
use crate::report::html::escape;

/// Pixels per point: bitmaps are sharp on fine screens, and SVG has half points.
const PIXELS: f64 = 2.0;
/// The family that plotters finds its font by, and that an SVG asks the reader's system for.
const FAMILY: &str = "sans-serif";

/// plotters centres the box that a bitmap's font takes, whose upper part is empty above most letters.
const BITMAP_DROP: f64 = 0.2;

/// Ink.
pub const BLACK: RGBColor = RGBColor(20, 20, 20);
/// Names that explain.
pub const GREY: RGBColor = RGBColor(95, 95, 95);
/// What everything is drawn on.
pub const PAPER: RGBColor = RGBColor(255, 255, 255);
/// Lines that guide the eye.
pub const PALE: RGBColor = RGBColor(222, 222, 222);

/// Where a text stands beside its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// The shape of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Filled circle.
    Dot,
    /// Open circle.
    Ring,
    /// Filled square.
    Square,
    /// Filled triangle.
    Triangle,
    /// Open diamond.
    Diamond,
    /// Diagonal cross.
    Cross,
    /// Upright cross.
    Plus,
}

/// A drawing surface.
pub struct Canvas<'a, B: DrawingBackend> {
    area: &'a DrawingArea<B, Shift>,
    /// How far text is moved down, in its own size, so that its middle is where it should be.
    drop: f64,
    failed: Option<String>,
}

fn at(value: f64) -> i32 {
    (value * PIXELS).round() as i32
}

impl<B: DrawingBackend> Canvas<'_, B> {
    fn note<E: std::fmt::Display>(&mut self, outcome: Result<(), E>) {
        if let Err(error) = outcome {
            self.failed.get_or_insert(error.to_string());
        }
    }

    /// A line through these points, `width` points wide; `dash` is ink and gap in points, or nothing for a solid line.
    pub fn line(&mut self, points: &[(f64, f64)], color: RGBColor, width: f64, dash: Option<(f64, f64)>) {
        let style = color.stroke_width((width * PIXELS).round().max(1.0) as u32);
        let pieces = match dash {
            None => vec![points.to_vec()],
            Some(dash) => dashes(points, dash),
        };
        for piece in pieces {
            let piece: Vec<(i32, i32)> = piece.into_iter().map(|(x, y)| (at(x), at(y))).collect();
            let outcome = self.area.draw(&PathElement::new(piece, style));
            self.note(outcome);
        }
    }

    /// A filled box, as faint as `opacity` says.
    pub fn fill(&mut self, from: (f64, f64), to: (f64, f64), color: RGBColor, opacity: f64) {
        let corners = [(at(from.0), at(from.1)), (at(to.0), at(to.1))];
        let outcome = self.area.draw(&Rectangle::new(corners, color.mix(opacity).filled()));
        self.note(outcome);
    }

    /// A filled polygon.
    pub fn polygon(&mut self, points: &[(f64, f64)], color: RGBColor, opacity: f64) {
        let points: Vec<(i32, i32)> = points.iter().map(|&(x, y)| (at(x), at(y))).collect();
        let outcome = self.area.draw(&Polygon::new(points, color.mix(opacity).filled()));
        self.note(outcome);
    }

    /// A mark around a point; `size` is its radius in points.
    pub fn mark(&mut self, mark: Mark, (x, y): (f64, f64), size: f64, color: RGBColor) {
        let thin = 1.25;
        match mark {
            Mark::Dot => {
                let circle = Circle::new((at(x), at(y)), at(size), color.filled());
                let outcome = self.area.draw(&circle);
                self.note(outcome);
            }
            Mark::Ring => {
                let circle = Circle::new((at(x), at(y)), at(size), color.stroke_width(at(0.9) as u32));
                let outcome = self.area.draw(&circle);
                self.note(outcome);
            }
            Mark::Square => {
                let half = 0.88 * size;
                self.fill((x - half, y - half), (x + half, y + half), color, 1.0);
            }
            Mark::Triangle => {
                let points = [
                    (x, y - 1.15 * size),
                    (x + 1.1 * size, y + 0.8 * size),
                    (x - 1.1 * size, y + 0.8 * size),
                ];
                self.polygon(&points, color, 1.0);
            }
            Mark::Diamond => {
                let reach = 1.3 * size;
                let points = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y), (x, y - reach)];
                self.line(&points, color, thin, None);
            }
            Mark::Cross => {
                self.line(&[(x - size, y - size), (x + size, y + size)], color, thin, None);
                self.line(&[(x - size, y + size), (x + size, y - size)], color, thin, None);
            }
            Mark::Plus => {
                let reach = 1.3 * size;
                self.line(&[(x - reach, y), (x + reach, y)], color, thin, None);
                self.line(&[(x, y - reach), (x, y + reach)], color, thin, None);
            }
        }
    }

    /// A text of so many points, its middle at the height of the point.
    pub fn text(&mut self, text: &str, (x, y): (f64, f64), size: f64, anchor: Anchor, color: RGBColor) {
        let horizontal = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        // plotters divides by 1.24 to come from its sizes to points.
        let style =
            (FAMILY, 1.24 * size * PIXELS).into_font().color(&color).pos(Pos::new(horizontal, VPos::Center));
        let place = (at(x), at(y + self.drop * size));
        let outcome = self.area.draw(&Text::new(text.to_owned(), place, style));
        self.note(outcome);
    }
}

/// The pieces of a dashed line.
fn dashes(points: &[(f64, f64)], (ink, gap): (f64, f64)) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let (mut inked, mut left) = (true, ink);
    for pair in points.windows(2) {
        let [(mut x, mut y), to] = [pair[0], pair[1]];
        if inked && piece.is_empty() {
            piece.push((x, y));
        }
        loop {
            let length = (to.0 - x).hypot(to.1 - y);
            if length <= left {
                left -= length;
                if inked {
                    piece.push(to);
                }
                break;
            }
            (x, y) = (x + (to.0 - x) * left / length, y + (to.1 - y) * left / length);
            if inked {
                piece.push((x, y));
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece.push((x, y));
            }
            inked = !inked;
            left = if inked { ink } else { gap };
        }
    }
    if piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

/// Width of a text in points, roughly: what a light sans-serif takes.
pub fn text_width(text: &str, size: f64) -> f64 {
    let letter = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | '\'' | '|' => 0.26,
        'm' | 'w' | 'M' | 'W' => 0.85,
        ' ' | 't' | 'f' | 'r' | '(' | ')' | '-' => 0.36,
        'A'..='Z' => 0.68,
        _ => 0.56,
    };
    size * text.chars().map(letter).sum::<f64>()
}

/// The font is known once per process; plotters has no other place for it.
fn with_font() -> Result<(), String> {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let font = epaint_default_fonts::UBUNTU_LIGHT;
    match KNOWN.get_or_init(|| register_font(FAMILY, FontStyle::Normal, font).is_ok()) {
        true => Ok(()),
        false => Err("its font is damaged".to_owned()),
    }
}

fn drawn<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    drop: f64,
    draw: impl FnOnce(&mut Canvas<B>),
) -> Result<(), String> {
    area.fill(&PAPER).map_err(|error| error.to_string())?;
    let mut canvas = Canvas { area, drop, failed: None };
    draw(&mut canvas);
    match canvas.failed {
        Some(message) => Err(message),
        None => area.present().map_err(|error| error.to_string()),
    }
}

/// The drawing as an SVG of so many points.
pub fn svg(
    name: &str,
    caption: &str,
    (width, height): (f64, f64),
    draw: impl FnOnce(&mut Canvas<SVGBackend>),
) -> Result<String, PlotError> {
    let failed = |message| PlotError { name: name.to_owned(), message };
    with_font().map_err(failed)?;
    let pixels = (at(width) as u32, at(height) as u32);
    let mut text = String::new();
    drawn(&SVGBackend::with_string(&mut text, pixels).into_drawing_area(), 0.0, draw).map_err(failed)?;
    // The size in points, and a title for readers who do not see it.
    let (w, h) = pixels;
    let escaped = escape(caption);
    let head = format!("<svg width=\"{w}\" height=\"{h}\"");
    let own =
        format!("<svg role=\"img\" aria-label=\"{escaped}\" width=\"{width:.0}\" height=\"{height:.0}\"");
    Ok(text.replacen(&head, &own, 1))
}

/// The drawing as RGB pixels, twice as many as points.
pub fn bitmap(
    name: &str,
    (width, height): (f64, f64),
    draw: impl FnOnce(&mut Canvas<BitMapBackend>),
) -> Result<image::RgbImage, PlotError> {
    let failed = |message| PlotError { name: name.to_owned(), message };
    with_font().map_err(failed)?;
    let (w, h) = (at(width) as u32, at(height) as u32);
    let mut pixels = vec![0; w as usize * h as usize * 3];
    drawn(&BitMapBackend::with_buffer(&mut pixels, (w, h)).into_drawing_area(), BITMAP_DROP, draw)
        .map_err(failed)?;
    image::RgbImage::from_raw(w, h, pixels)
        .ok_or_else(|| failed(format!("a bitmap of {w}×{h} pixels cannot be made")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_cover_their_share_of_a_line_around_a_corner() {
        let pieces = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], (3.0, 2.0));
        let length: f64 = pieces
            .iter()
            .flat_map(|piece| piece.windows(2))
            .map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1))
            .sum();
        assert_eq!(length, 12.0);
        assert_eq!(pieces[2], [(10.0, 0.0), (10.0, 3.0)]);
    }
}

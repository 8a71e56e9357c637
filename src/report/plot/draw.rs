//! The two kinds of plots on a canvas. Methods differ in mark and dash, so that grey paper shows them too.

use plotters::prelude::{DrawingBackend, RGBColor};

use super::axis::Axis;
use super::canvas::{Anchor, BLACK, Canvas, GREY, Mark, PALE, text_width};
use super::{DotRow, Line, Scale};

/// Text sizes in points.
const NAME: f64 = 13.0;
const SMALL: f64 = 11.5;
/// Below this width names stand above their rows, not beside them.
const NARROW: f64 = 600.0;

type Style = (RGBColor, Mark, Option<(f64, f64)>);

/// Colour, mark and dash of the lines, told apart by each of the three; the colours (Okabe and Ito 2008) also by their
/// lightness.
const STYLES: [Style; 7] = [
    (RGBColor(20, 20, 20), Mark::Dot, None),
    (RGBColor(213, 94, 0), Mark::Square, Some((7.0, 3.0))),
    (RGBColor(0, 114, 178), Mark::Triangle, None),
    (RGBColor(0, 158, 115), Mark::Diamond, Some((2.5, 2.5))),
    (RGBColor(204, 121, 167), Mark::Cross, Some((9.0, 3.0))),
    (RGBColor(140, 110, 0), Mark::Plus, Some((5.0, 2.0))),
    (RGBColor(86, 180, 233), Mark::Ring, Some((1.5, 2.0))),
];

/// Methods from top to bottom.
pub(super) struct Dots<'a> {
    pub rows: &'a [DotRow],
    pub axis: &'a str,
    pub reference: Option<f64>,
    pub width: f64,
}

impl Dots<'_> {
    fn narrow(&self) -> bool {
        self.width < NARROW
    }

    fn row_height(&self) -> f64 {
        if self.narrow() { 40.0 } else { 27.0 }
    }

    fn legend(&self) -> Vec<(Mark, &'static str)> {
        let mut legend = vec![(Mark::Dot, "mean ± standard error"), (Mark::Ring, "a seed")];
        if self.rows.iter().any(|row| row.earlier.is_some()) {
            legend.push((Mark::Diamond, "earlier (PyTorch)"));
        }
        if self.rows.iter().any(|row| row.paper.is_some()) {
            legend.push((Mark::Cross, "the paper's"));
        }
        legend
    }

    fn legend_rows(&self) -> usize {
        if self.narrow() { self.legend().len().div_ceil(2) } else { 1 }
    }

    pub fn size(&self) -> (f64, f64) {
        let rows = self.rows.len() as f64 * self.row_height();
        (self.width, 12.0 + rows + 44.0 + 20.0 * self.legend_rows() as f64 + 8.0)
    }

    pub fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<B>) {
        let names = self.rows.iter().map(|row| text_width(&row.name, NAME)).fold(0.0, f64::max);
        // A page shows the names in the reader's own font, which may be wider than the one they are measured in.
        let left = if self.narrow() { 12.0 } else { (1.15 * names + 24.0).min(0.5 * self.width) };
        let values = self.rows.iter().flat_map(|row| {
            let error = row.error.unwrap_or(0.0);
            let marks = [Some(row.mean - error), Some(row.mean + error), row.earlier, row.paper];
            row.values.iter().copied().chain(marks.into_iter().flatten())
        });
        let axis = Axis::around(values.chain(self.reference), false, (left, self.width - 16.0));
        let (top, bottom) = (12.0, 12.0 + self.rows.len() as f64 * self.row_height());
        for (value, label) in axis.ticks(if self.narrow() { 4 } else { 7 }) {
            let x = axis.at(value);
            canvas.line(&[(x, top), (x, bottom)], PALE, 1.0, None);
            canvas.text(&label, (x, bottom + 12.0), SMALL, Anchor::Middle, GREY);
        }
        if let Some(x) = self.reference.map(|value| axis.at(value)) {
            canvas.line(&[(x, top), (x, bottom)], GREY, 1.0, Some((4.0, 3.0)));
        }
        canvas.line(&[(left, bottom), (self.width - 16.0, bottom)], GREY, 1.0, None);
        canvas.text(
            self.axis,
            (0.5 * (left + self.width - 16.0), bottom + 30.0),
            SMALL,
            Anchor::Middle,
            GREY,
        );
        for (i, row) in self.rows.iter().enumerate() {
            let top = 12.0 + i as f64 * self.row_height();
            let y = if self.narrow() {
                canvas.text(&row.name, (left, top + 10.0), NAME, Anchor::Start, BLACK);
                top + 28.0
            } else {
                canvas.text(&row.name, (left - 12.0, top + 13.5), NAME, Anchor::End, BLACK);
                top + 13.5
            };
            self.row(canvas, row, &axis, y);
        }
        let columns = if self.narrow() { 2 } else { self.legend().len() };
        for (i, (mark, name)) in self.legend().into_iter().enumerate() {
            let x = 16.0 + (i % columns) as f64 * if self.narrow() { 0.5 * self.width } else { 180.0 };
            let y = bottom + 52.0 + 20.0 * (i / columns) as f64;
            canvas.mark(mark, (x, y), 3.5, if mark == Mark::Ring { GREY } else { BLACK });
            canvas.text(name, (x + 10.0, y), SMALL, Anchor::Start, GREY);
        }
    }

    fn row<B: DrawingBackend>(&self, canvas: &mut Canvas<B>, row: &DotRow, axis: &Axis, y: f64) {
        for (i, value) in row.values.iter().enumerate() {
            // Seeds side by side do not hide each other: five heights in turn, none of them that of the mean.
            let offset = [-6.0, 5.0, -4.0, 6.5, -5.0][i % 5];
            canvas.mark(Mark::Ring, (axis.at(*value), y + offset), 2.2, GREY);
        }
        if let Some(error) = row.error {
            let (low, high) = (axis.at(row.mean - error), axis.at(row.mean + error));
            canvas.line(&[(low, y), (high, y)], BLACK, 2.0, None);
            for x in [low, high] {
                canvas.line(&[(x, y - 3.5), (x, y + 3.5)], BLACK, 1.5, None);
            }
        }
        canvas.mark(Mark::Dot, (axis.at(row.mean), y), 3.75, BLACK);
        for (value, mark) in [(row.earlier, Mark::Diamond), (row.paper, Mark::Cross)] {
            if let Some(value) = value {
                canvas.mark(mark, (axis.at(value), y), 4.0, BLACK);
            }
        }
    }
}

/// A metric over an axis.
pub(super) struct Lines<'a> {
    pub lines: &'a [Line],
    pub x: &'a str,
    pub y: &'a str,
    pub scale: Scale,
    pub ticks: &'a [(f64, String)],
    pub width: f64,
}

impl Lines<'_> {
    fn columns(&self) -> usize {
        if self.width < NARROW { 1 } else { 2 }
    }

    fn body(&self) -> f64 {
        if self.width < NARROW { 240.0 } else { 330.0 }
    }

    pub fn size(&self) -> (f64, f64) {
        let legend = self.lines.len().div_ceil(self.columns()) as f64 * 20.0;
        (self.width, 30.0 + self.body() + 46.0 + legend + 8.0)
    }

    pub fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<B>) {
        let (left, right, top) = (52.0, self.width - 18.0, 30.0);
        let bottom = top + self.body();
        let log = self.scale == Scale::Log;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Axis::around(points().map(|p| p.0), log, (left, right));
        let reach = points().flat_map(|&(_, mean, error)| {
            let error = error.unwrap_or(0.0);
            [mean - error, mean + error]
        });
        let y = Axis::around(reach, false, (bottom, top));
        canvas.text(self.y, (8.0, 12.0), SMALL, Anchor::Start, GREY);
        for (value, label) in y.ticks(6) {
            canvas.line(&[(left, y.at(value)), (right, y.at(value))], PALE, 1.0, None);
            canvas.text(&label, (left - 7.0, y.at(value)), SMALL, Anchor::End, GREY);
        }
        let ticks = if self.ticks.is_empty() { x.ticks(8) } else { self.ticks.to_vec() };
        let mut free = f64::NEG_INFINITY;
        for (value, label) in ticks {
            let place = x.at(value);
            canvas.line(&[(place, bottom), (place, bottom + 4.0)], GREY, 1.0, None);
            let half = 0.5 * text_width(&label, SMALL);
            if place - half > free {
                canvas.text(&label, (place, bottom + 14.0), SMALL, Anchor::Middle, GREY);
                free = place + half + 4.0;
            }
        }
        canvas.line(&[(left, bottom), (right, bottom)], GREY, 1.0, None);
        canvas.text(self.x, (0.5 * (left + right), bottom + 32.0), SMALL, Anchor::Middle, GREY);
        // Error bands first, so that no line lies under another's band.
        let styled = || self.lines.iter().zip(STYLES.into_iter().cycle());
        for (line, (color, ..)) in styled() {
            let upper = line.points.iter().map(|&(at, mean, e)| (x.at(at), y.at(mean + e.unwrap_or(0.0))));
            let lower =
                line.points.iter().rev().map(|&(at, mean, e)| (x.at(at), y.at(mean - e.unwrap_or(0.0))));
            if line.points.len() > 1 && line.points.iter().any(|point| point.2.is_some()) {
                canvas.polygon(&upper.chain(lower).collect::<Vec<_>>(), color, 0.13);
            }
        }
        for (line, (color, mark, dash)) in styled() {
            let points: Vec<(f64, f64)> =
                line.points.iter().map(|&(at, mean, _)| (x.at(at), y.at(mean))).collect();
            canvas.line(&points, color, 1.75, dash);
            // On long curves a mark now and then tells the lines apart.
            let every = points.len().div_ceil(12).max(1);
            for (i, point) in points.iter().enumerate() {
                if i % every == every / 2 {
                    canvas.mark(mark, *point, 3.5, color);
                }
            }
        }
        for (i, (line, (color, mark, dash))) in styled().enumerate() {
            let column = (self.width - 16.0) / self.columns() as f64;
            let at = 16.0 + column * (i % self.columns()) as f64;
            let y = bottom + 54.0 + 20.0 * (i / self.columns()) as f64;
            canvas.line(&[(at, y), (at + 30.0, y)], color, 1.75, dash);
            canvas.mark(mark, (at + 15.0, y), 3.5, color);
            canvas.text(&line.name, (at + 38.0, y), SMALL, Anchor::Start, BLACK);
        }
    }
}

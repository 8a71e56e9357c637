//! A confusion matrix: counts in a table of shades, the same in colour and in grey.

use plotters::prelude::{DrawingBackend, RGBColor};

use super::canvas::{Anchor, BLACK, Canvas, GREY, PALE, PAPER, text_width};

const SMALL: f64 = 11.5;
/// Sides of a cell in points.
const LARGEST: f64 = 76.0;
/// Below these a cell has no share, no count, no name beside it.
const WITH_SHARE: f64 = 46.0;
const WITH_COUNT: f64 = 20.0;
const WITH_NAME: f64 = 12.0;
const TOP: f64 = 46.0;
/// Room for what the rows are.
const LEAST_LEFT: f64 = 92.0;

/// True classes from top to bottom, predicted ones from left to right.
pub(super) struct Matrix<'a> {
    pub classes: &'a [String],
    pub counts: &'a [Vec<u32>],
    /// At most; the plot takes what its cells need.
    pub width: f64,
}

impl Matrix<'_> {
    /// Names of classes, cut where they are long.
    fn names(&self) -> Vec<String> {
        let short = |name: &String| match name.chars().count() {
            0..=18 => name.clone(),
            _ => name.chars().take(17).chain(['…']).collect(),
        };
        self.classes.iter().map(short).collect()
    }

    /// Left edge of the cells, and their side.
    fn grid(&self) -> (f64, f64) {
        let widest = self.names().iter().map(|name| text_width(name, SMALL)).fold(0.0, f64::max);
        // The number of the class stands there too; a page shows both in the reader's own font.
        let wanted = (1.15 * widest + 34.0).max(LEAST_LEFT).min(0.45 * self.width);
        let side = |left: f64| ((self.width - left - 12.0) / self.classes.len().max(1) as f64).min(LARGEST);
        match side(wanted) {
            narrow if narrow < WITH_NAME => (24.0, side(24.0)),
            wide => (wanted, wide),
        }
    }

    pub fn size(&self) -> (f64, f64) {
        let (left, side) = self.grid();
        let cells = side * self.classes.len() as f64;
        ((left + cells + 12.0).max(LEAST_LEFT + 120.0), TOP + cells + 10.0)
    }

    pub fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<B>) {
        let (left, side) = self.grid();
        let (names, n) = (self.names(), self.classes.len() as f64);
        canvas.text("predicted class", (left, 12.0), SMALL, Anchor::Start, GREY);
        canvas.text("true class", (left - 8.0, TOP - 12.0), SMALL, Anchor::End, GREY);
        // Names that do not fit above their columns are numbered at the rows.
        let numbered = names.iter().any(|name| 1.15 * text_width(name, SMALL) > side - 4.0);
        for (i, row) in self.counts.iter().enumerate() {
            let top = TOP + i as f64 * side;
            if side >= WITH_NAME {
                let name = names.get(i).map_or("", String::as_str);
                let label = if numbered { format!("{name}  {}", i + 1) } else { name.to_owned() };
                canvas.text(&label, (left - 8.0, top + 0.5 * side), SMALL, Anchor::End, BLACK);
                let above = if numbered { (i + 1).to_string() } else { name.to_owned() };
                let place = (left + (i as f64 + 0.5) * side, TOP - 12.0);
                canvas.text(&above, place, SMALL, Anchor::Middle, BLACK);
            }
            let total = row.iter().sum::<u32>().max(1);
            for (j, &count) in row.iter().enumerate() {
                let share = f64::from(count) / f64::from(total);
                self.cell(canvas, (left + j as f64 * side, top), side, count, share);
            }
        }
        let (right, bottom) = (left + n * side, TOP + n * side);
        let frame = [(left, TOP), (right, TOP), (right, bottom), (left, bottom), (left, TOP)];
        canvas.line(&frame, GREY, 1.0, None);
    }

    fn cell<B: DrawingBackend>(
        &self,
        canvas: &mut Canvas<B>,
        (x, y): (f64, f64),
        side: f64,
        count: u32,
        share: f64,
    ) {
        canvas.fill((x, y), (x + side, y + side), BLACK, 0.86 * share);
        if side >= WITH_NAME {
            canvas.line(&[(x, y), (x + side, y), (x + side, y + side)], PALE, 0.5, None);
        }
        let ink: RGBColor = if share > 0.5 { PAPER } else { BLACK };
        let middle = (x + 0.5 * side, y + 0.5 * side);
        let fits = text_width(&count.to_string(), SMALL) < side - 2.0;
        if side >= WITH_SHARE {
            canvas.text(&count.to_string(), (middle.0, middle.1 - 7.0), SMALL, Anchor::Middle, ink);
            let share = format!("{:.0} %", 100.0 * share);
            canvas.text(&share, (middle.0, middle.1 + 8.0), SMALL - 1.5, Anchor::Middle, ink);
        } else if side >= WITH_COUNT && fits && count > 0 {
            canvas.text(&count.to_string(), middle, SMALL, Anchor::Middle, ink);
        }
    }
}

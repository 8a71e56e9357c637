//! A reliability diagram: how often predictions of a confidence are right, and how many there are.

use plotters::prelude::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Anchor, BLACK, Canvas, GREY, Mark, PALE};
use crate::train::statistics::ReliabilityBin;

const SMALL: f64 = 11.5;
const LEFT: f64 = 52.0;
const TOP: f64 = 30.0;
/// Between the two panels.
const GAP: f64 = 44.0;
const WIDEST: f64 = 440.0;
/// Height of the lower panel.
const COUNTS: f64 = 64.0;

/// Accuracy over confidence, above the share of the predictions in each range.
pub(super) struct Reliability<'a> {
    pub bins: &'a [ReliabilityBin],
    /// At most; beyond [`WIDEST`] nothing is gained.
    pub width: f64,
}

impl Reliability<'_> {
    fn width(&self) -> f64 {
        self.width.min(WIDEST)
    }

    fn body(&self) -> f64 {
        (self.width() - LEFT - 18.0).min(330.0)
    }

    pub fn size(&self) -> (f64, f64) {
        (self.width(), TOP + self.body() + GAP + COUNTS + 46.0)
    }

    pub fn draw<B: DrawingBackend>(&self, canvas: &mut Canvas<B>) {
        let (right, middle) = (self.width() - 18.0, TOP + self.body());
        let (top, bottom) = (middle + GAP, middle + GAP + COUNTS);
        let x = Axis::around([0.0, 1.0], false, (LEFT, right));
        let y = Axis::around([0.0, 1.0], false, (middle, TOP));
        canvas.text("share predicted right", (8.0, 12.0), SMALL, Anchor::Start, GREY);
        canvas.text("share of all predictions", (8.0, middle + GAP - 16.0), SMALL, Anchor::Start, GREY);
        canvas.text("confidence", (0.5 * (LEFT + right), bottom + 32.0), SMALL, Anchor::Middle, GREY);
        for value in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
            let label = format!("{value:.1}");
            canvas.line(&[(LEFT, y.at(value)), (right, y.at(value))], PALE, 1.0, None);
            canvas.text(&label, (LEFT - 7.0, y.at(value)), SMALL, Anchor::End, GREY);
            canvas.line(&[(x.at(value), bottom), (x.at(value), bottom + 4.0)], GREY, 1.0, None);
            canvas.text(&label, (x.at(value), bottom + 14.0), SMALL, Anchor::Middle, GREY);
        }
        let all = self.bins.iter().map(|bin| bin.count).sum::<usize>().max(1) as f64;
        let share = |bin: &ReliabilityBin| bin.count as f64 / all;
        let largest = self.bins.iter().map(share).fold(0.0, f64::max);
        let height = |share: f64| bottom - share / largest.max(f64::MIN_POSITIVE) * COUNTS;
        canvas.line(&[(LEFT, top), (right, top)], PALE, 1.0, None);
        canvas.text(&format!("{:.0} %", 100.0 * largest), (LEFT - 7.0, top), SMALL, Anchor::End, GREY);
        canvas.text("0 %", (LEFT - 7.0, bottom), SMALL, Anchor::End, GREY);
        let edge = |i: usize| x.at(i as f64 / self.bins.len().max(1) as f64);
        for (i, bin) in self.bins.iter().enumerate().filter(|(_, bin)| bin.count > 0) {
            let (from, to) = (edge(i) + 1.5, edge(i + 1) - 1.5);
            canvas.fill((from, y.at(bin.accuracy)), (to, y.at(0.0)), BLACK, 0.18);
            canvas.fill((from, height(share(bin))), (to, bottom), BLACK, 0.5);
        }
        // What perfect calibration would be, and how far off each range is.
        canvas.line(&[(x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0))], GREY, 1.25, Some((5.0, 3.0)));
        for bin in self.bins.iter().filter(|bin| bin.count > 0) {
            let place = (x.at(bin.confidence), y.at(bin.accuracy));
            canvas.line(&[place, (place.0, y.at(bin.confidence))], BLACK, 1.25, None);
            canvas.mark(Mark::Dot, place, 3.5, BLACK);
        }
        for at in [y.at(0.0), bottom] {
            canvas.line(&[(LEFT, at), (right, at)], GREY, 1.0, None);
        }
    }
}

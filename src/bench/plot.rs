//! The roofline and the growth of cost as SVG.

use plotters::prelude::{DrawingBackend, RGBColor};

use super::{Ceilings, Growth, Row};
use crate::report::plot::PlotError;
use crate::report::plot::axis::Axis;
use crate::report::plot::canvas::{self, Anchor, BLACK, Canvas, GREY, Mark, PALE};

const SIZE: (f64, f64) = (820.0, 460.0);
/// Left, right, top and bottom of the axes.
const FRAME: [f64; 4] = [64.0, 640.0, 18.0, 412.0];
/// Told apart without red against green; the marks differ too.
const COLORS: [RGBColor; 6] = [
    RGBColor(0, 90, 160),
    RGBColor(200, 100, 0),
    RGBColor(90, 90, 90),
    RGBColor(120, 60, 150),
    RGBColor(0, 140, 140),
    RGBColor(170, 130, 0),
];
const MARKS: [Mark; 6] = [Mark::Dot, Mark::Triangle, Mark::Cross, Mark::Square, Mark::Diamond, Mark::Plus];

fn axes<B: DrawingBackend>(canvas: &mut Canvas<B>, x: &Axis, y: &Axis, names: [&str; 2]) {
    let [left, right, top, bottom] = FRAME;
    for (value, label) in x.ticks(6) {
        canvas.line(&[(x.at(value), top), (x.at(value), bottom)], PALE, 0.5, None);
        canvas.text(&label, (x.at(value), bottom + 12.0), 10.0, Anchor::Middle, GREY);
    }
    for (value, label) in y.ticks(6) {
        canvas.line(&[(left, y.at(value)), (right, y.at(value))], PALE, 0.5, None);
        canvas.text(&label, (left - 6.0, y.at(value)), 10.0, Anchor::End, GREY);
    }
    canvas.text(names[0], (0.5 * (left + right), bottom + 32.0), 11.0, Anchor::Middle, BLACK);
    canvas.text(names[1], (8.0, top - 8.0), 11.0, Anchor::Start, BLACK);
}

fn legend<B: DrawingBackend>(canvas: &mut Canvas<B>, names: &[String]) {
    for (i, name) in names.iter().enumerate() {
        let y = FRAME[2] + 8.0 + 18.0 * i as f64;
        canvas.mark(MARKS[i % 6], (FRAME[1] + 20.0, y), 3.5, COLORS[i % 6]);
        canvas.text(name, (FRAME[1] + 32.0, y), 10.0, Anchor::Start, BLACK);
    }
}

/// Every timed kernel that computes, by its intensity, under the two measured roofs. A mark per variant.
pub fn roofline(device: &str, ceilings: &Ceilings, rows: &[Row]) -> Result<String, PlotError> {
    let points: Vec<(&str, f64, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.variant.as_str(), row.intensity, row.flops_rate? / 1e9)))
        .collect();
    let mut variants: Vec<String> = points.iter().map(|(variant, ..)| (*variant).to_owned()).collect();
    variants.sort();
    variants.dedup();
    let ridge = ceilings.fma / ceilings.copy;
    let [left, right, top, bottom] = FRAME;
    let ends = [0.05, 2.0 * ridge];
    let x = Axis::around(points.iter().map(|p| p.1).chain(ends), true, (left, right));
    let y = Axis::around(points.iter().map(|p| p.2).chain([ceilings.fma / 1e9]), true, (bottom, top));
    let caption = format!("Roofline of {device}");
    canvas::svg("roofline", &caption, SIZE, |canvas| {
        axes(canvas, &x, &y, ["FLOP per byte", "GFLOP/s"]);
        // A straight slope in logarithms; it is drawn in pieces so that the axis may cut it.
        let reach = points.iter().map(|p| p.1).fold(ends[1], f64::max);
        let low = ends[0].min(points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min));
        let lowest = points.iter().map(|p| p.2).fold(ceilings.fma / 1e9, f64::min);
        let roof: Vec<(f64, f64)> = (0..=200)
            .map(|i| low * (reach / low).powf(f64::from(i) / 200.0))
            .map(|at| (at, ceilings.roof(at) / 1e9))
            .filter(|(_, rate)| *rate >= lowest)
            .map(|(at, rate)| (x.at(at), y.at(rate)))
            .collect();
        canvas.line(&roof, BLACK, 1.5, None);
        let text = format!("{:.0} GFLOP/s multiply-add", ceilings.fma / 1e9);
        canvas.text(&text, (right - 4.0, y.at(ceilings.fma / 1e9) + 10.0), 10.0, Anchor::End, BLACK);
        let text = format!("{:.1} GB/s copy", ceilings.copy / 1e9);
        let at = (ridge * low).sqrt();
        let beside = (x.at(at) + 8.0, y.at(ceilings.roof(at) / 1e9) + 10.0);
        canvas.text(&text, beside, 10.0, Anchor::Start, BLACK);
        for (variant, intensity, rate) in &points {
            let at = variants.iter().position(|name| name == variant).unwrap_or(0);
            canvas.mark(MARKS[at % 6], (x.at(*intensity), y.at(*rate)), 3.0, COLORS[at % 6]);
        }
        legend(canvas, &variants);
    })
}

/// The peer step's time against its FLOPs, both over the first point of their axis, with the line of proportion.
pub fn growth_plot(device: &str, growth: &Growth) -> Result<String, PlotError> {
    let relative: Vec<(&'static str, f64, f64, usize)> = growth
        .points
        .iter()
        .filter_map(|p| growth.relative(p).map(|(time, flops)| (p.axis, flops, time, p.value)))
        .collect();
    let mut names: Vec<String> = Vec::new();
    for (axis, ..) in &relative {
        if names.iter().all(|name| name != axis) {
            names.push((*axis).to_owned());
        }
    }
    let [left, right, top, bottom] = FRAME;
    let both = || relative.iter().flat_map(|p| [p.1, p.2]).chain([0.0]);
    let x = Axis::around(both(), false, (left, right));
    let y = Axis::around(both(), false, (bottom, top));
    let largest = both().fold(1.0, f64::max);
    let caption = format!("Cost of the peer step on {device}");
    canvas::svg("growth", &caption, SIZE, |canvas| {
        axes(canvas, &x, &y, ["FLOPs over those of the first", "time over that of the first"]);
        let diagonal = [(x.at(0.0), y.at(0.0)), (x.at(largest), y.at(largest))];
        canvas.line(&diagonal, GREY, 1.0, Some((4.0, 3.0)));
        for (i, name) in names.iter().enumerate() {
            let own: Vec<_> = relative.iter().filter(|p| p.0 == name).collect();
            let line: Vec<(f64, f64)> = own.iter().map(|p| (x.at(p.1), y.at(p.2))).collect();
            canvas.line(&line, COLORS[i % 6], 1.5, None);
            for (point, place) in own.iter().zip(line) {
                canvas.mark(MARKS[i % 6], place, 3.5, COLORS[i % 6]);
                let beside = (place.0 + 7.0, place.1 + 9.0);
                canvas.text(&point.3.to_string(), beside, 9.0, Anchor::Start, COLORS[i % 6]);
            }
        }
        legend(canvas, &names);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Against, BoundBy, Point, Spread};

    fn row(intensity: f64, rate: f64) -> Row {
        Row {
            kernel: "relu_forward".to_owned(),
            variant: "direct".to_owned(),
            shape: "s".to_owned(),
            against: Against::Twin,
            error: None,
            of_bound: None,
            fault: None,
            flops: 1,
            bytes: 1,
            intensity,
            seconds: None,
            flops_rate: Some(rate),
            bytes_rate: None,
            of_ceiling: None,
            bound_by: BoundBy::Memory,
        }
    }

    #[test]
    fn plots_are_drawn_and_name_their_device() {
        let ceilings = Ceilings { copy: 5e9, fma: 1e11 };
        let svg = roofline("a & b", &ceilings, &[row(0.125, 5e8), row(40.0, 3e10)]).unwrap();
        assert!(svg.contains("a &amp; b") && svg.contains("5.0 GB/s copy") && svg.contains("direct"));
        let point = |value: usize| Point {
            axis: "batch",
            value,
            flops: value as u64,
            seconds: Spread::of(vec![value as f64]),
        };
        let svg = growth_plot("here", &Growth { points: vec![point(16), point(32)] }).unwrap();
        assert!(svg.contains("batch") && svg.contains("32"));
    }
}

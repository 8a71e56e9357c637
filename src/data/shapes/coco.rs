//! Polygons as COCO's own tool fills them: the boundary on a grid five times as fine, one crossing per column.

use super::Bitmap;

/// Cells of the fine grid in a pixel's side.
const FINE: f64 = 5.0;

/// Fills a polygon of `x, y` pairs, in pixels, into a bitmap; the last corner joins the first.
///
/// The corners are rounded to the fine grid and joined by lines of fine cells. Wherever a line steps from one fine
/// column to the next past the middle of a pixel's column, that column of pixels is crossed, at the row where the
/// line is. Pixels, counted down the columns, change side at every crossing. Returns whether the polygon is sound:
/// false, with nothing filled, where the boundary is far longer than any that fits into the picture, or a
/// coordinate is no number or more than 100,000 pixels away.
pub fn polygon(corners: &[f64], bitmap: &mut Bitmap) -> bool {
    if !corners.iter().all(|value| value.abs() <= 1e5) {
        return false;
    }
    // Truncation towards zero of v + 1/2, as in the tool, so that small negative values round to 0.
    let fine: Vec<[i64; 2]> = corners
        .chunks_exact(2)
        .map(|corner| [corner[0], corner[1]].map(|value| (FINE * value + 0.5) as i64))
        .collect();
    let sides = || fine.iter().zip(fine.iter().cycle().skip(1));
    let steps = |a: &[i64; 2], b: &[i64; 2]| (a[0] - b[0]).abs().max((a[1] - b[1]).abs());
    let length: i64 = sides().map(|(a, b)| steps(a, b)).sum();
    let Bitmap { width, height, .. } = *bitmap;
    if length > 16 * (width * height) as i64 + 100_000 {
        return false;
    }
    let mut crossings: Vec<usize> = Vec::new();
    let mut last: Option<[i64; 2]> = None;
    for (from, to) in sides() {
        let flat = (from[0] - to[0]).abs() >= (from[1] - to[1]).abs();
        let (along, across) = if flat { (0, 1) } else { (1, 0) };
        // A line is walked from its lower end, so that both directions meet the same cells.
        let (low, high) = if from[along] > to[along] { (to, from) } else { (from, to) };
        let count = high[along] - low[along];
        let slope = (high[across] - low[across]) as f64 / count as f64;
        for step in 0..=count {
            let step = if from[along] > to[along] { count - step } else { step };
            let mut cell = [0; 2];
            cell[along] = low[along] + step;
            cell[across] = if count == 0 {
                low[across]
            } else {
                (low[across] as f64 + slope * step as f64 + 0.5) as i64
            };
            if let Some(before) = last {
                crossings.extend(crossing(before, cell, width, height));
            }
            last = Some(cell);
        }
    }
    crossings.sort_unstable();
    // Two crossings at one place undo each other.
    let mut inside = false;
    let mut at = 0;
    for crossing in crossings.into_iter().chain([width * height]) {
        if inside {
            for i in at..crossing {
                bitmap.values[i % height * width + i / height] = 255;
            }
        }
        at = crossing;
        inside = !inside;
    }
    true
}

/// The pixel, counted down the columns, where a step from one fine cell to the next changes side.
fn crossing(before: [i64; 2], cell: [i64; 2], width: usize, height: usize) -> Option<usize> {
    if cell[0] == before[0] {
        return None;
    }
    let column = if cell[0] < before[0] { cell[0] } else { cell[0] - 1 };
    let column = (column as f64 + 0.5) / FINE - 0.5;
    if column.floor() != column || column < 0.0 || column > width as f64 - 1.0 {
        return None;
    }
    let row = (cell[1].min(before[1]) as f64 + 0.5) / FINE - 0.5;
    Some(column as usize * height + row.clamp(0.0, height as f64).ceil() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_holds_its_pixels() {
        let mut bitmap = Bitmap::new(5, 4);
        assert!(polygon(&[1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0], &mut bitmap));
        let row = [0, 255, 255, 255, 0];
        assert_eq!(bitmap.values, [[0; 5], row, row, [0; 5]].concat());
    }

    #[test]
    fn boundaries_without_end_are_refused_before_they_are_walked() {
        let mut bitmap = Bitmap::new(4, 4);
        assert!(!polygon(&[0.0, 0.0, f64::NAN, 1.0, 2.0, 2.0], &mut bitmap));
        assert!(!polygon(&[0.0, 0.0, f64::INFINITY, 1.0, 2.0, 2.0], &mut bitmap));
        let zigzag: Vec<f64> = (0..2000).flat_map(|i| [f64::from(i % 2) * 1e5, f64::from(i)]).collect();
        assert!(!polygon(&zigzag, &mut bitmap));
        assert_eq!(bitmap, Bitmap::new(4, 4));
        // Nothing, a point and a line are sound and empty.
        for corners in [&[][..], &[1.0, 1.0], &[1.0, 1.0, 3.0, 1.0], &[1.0]] {
            assert!(polygon(corners, &mut bitmap));
        }
        assert_eq!(bitmap, Bitmap::new(4, 4));
    }
}

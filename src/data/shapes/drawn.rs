//! Shapes as labelme draws them, which is as Pillow does: corners cut to whole pixels, edges included.

use super::Bitmap;

/// The most corners of a polygon: the time to fill it grows with their square.
const MOST_CORNERS: usize = 10_000;
/// Coordinates further away than this are no part of any picture.
const FURTHEST: f64 = 1e6;

/// A shape in pixels, `[x, y]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Three or more corners.
    Polygon(Vec<[f64; 2]>),
    /// Two opposite corners.
    Rectangle([[f64; 2]; 2]),
    /// The centre and a point on the rim.
    Circle([[f64; 2]; 2]),
    /// Two or more points joined, with every pixel whose place is no further than the radius from it.
    Line(Vec<[f64; 2]>, f64),
    /// Single points, each the centre of a disc of this radius.
    Points(Vec<[f64; 2]>, f64),
}

/// Draws a figure. False, with nothing drawn, where it has more than 10,000 corners, or where a coordinate is no number
/// or more than a million pixels away.
pub fn draw(figure: &Figure, bitmap: &mut Bitmap) -> bool {
    let near = |point: &[f64; 2]| point.iter().all(|value| value.abs() <= FURTHEST);
    let sound = |points: &[[f64; 2]]| points.len() <= MOST_CORNERS && points.iter().all(near);
    let reach = |radius: f64| (0.0..=FURTHEST).contains(&radius);
    match figure {
        Figure::Polygon(corners) if sound(corners) => polygon(corners, bitmap),
        Figure::Rectangle(corners) if sound(corners) => {
            let [a, b] = corners.map(|corner| corner.map(|value| value as i64));
            let (first, last) = (a[0].min(b[0]), a[0].max(b[0]));
            let rows = a[1].min(b[1]).max(0)..=a[1].max(b[1]).min(bitmap.height as i64 - 1);
            rows.for_each(|y| bitmap.row(y, first, last));
        }
        Figure::Circle(points) if sound(points) => {
            let [[x, y], rim] = *points;
            disc([x, y], (x - rim[0]).hypot(y - rim[1]), bitmap);
        }
        Figure::Line(points, radius) if sound(points) && reach(*radius) => {
            points.windows(2).for_each(|ends| stroke([ends[0], ends[1]], *radius, bitmap));
        }
        Figure::Points(points, radius) if sound(points) && reach(*radius) => {
            points.iter().for_each(|&point| disc(point, *radius, bitmap));
        }
        _ => return false,
    }
    true
}

/// A side of a polygon that is not level: x at row y is `x + (y - top_or_bottom) · slope`.
struct Side {
    x: f32,
    y: i64,
    slope: f32,
    top: i64,
    bottom: i64,
}

impl Side {
    fn at(&self, y: i64) -> f32 {
        (y - self.y) as f32 * self.slope + self.x
    }

    fn spans(&self, y: i64) -> bool {
        (self.top..=self.bottom).contains(&y)
    }
}

/// Row by row between pairs of crossings, both ends rounded outwards by at most half a pixel. A side that ends above
/// the last row counts twice there, which joins the pieces of a corner that points up or down.
fn polygon(corners: &[[f64; 2]], bitmap: &mut Bitmap) {
    let corners: Vec<[i64; 2]> = corners.iter().map(|corner| corner.map(|value| value as i64)).collect();
    let (Some(top), Some(bottom)) =
        (corners.iter().map(|corner| corner[1]).min(), corners.iter().map(|corner| corner[1]).max())
    else {
        return;
    };
    let mut sides = Vec::with_capacity(corners.len());
    for (a, b) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        if a[1] == b[1] {
            bitmap.row(a[1], a[0].min(b[0]), a[0].max(b[0]));
            continue;
        }
        let slope = (b[0] - a[0]) as f32 / (b[1] - a[1]) as f32;
        sides.push(Side { x: a[0] as f32, y: a[1], slope, top: a[1].min(b[1]), bottom: a[1].max(b[1]) });
    }
    let mut crossings: Vec<f32> = Vec::new();
    for y in top.max(0)..=bottom.min(bitmap.height as i64) {
        crossings.clear();
        for (i, side) in sides.iter().enumerate().filter(|(_, side)| side.spans(y)) {
            let x = side.at(y);
            if y == side.bottom && y < bottom {
                crossings.extend([x, x]);
            } else if (y == side.top || y == side.bottom) && side.slope != 0.0 {
                crossings.push(corner(side, &sides[..i], y, x));
            } else {
                crossings.push(x);
            }
        }
        crossings.sort_unstable_by(f32::total_cmp);
        for pair in crossings.chunks_exact(2) {
            bitmap.row(y, up(pair[0]), down(pair[1]));
        }
    }
}

/// Where a side at the corner it shares with an earlier one begins. Where both run off to one side by more than a pixel a
/// row, the corner's row reaches up to the nearer of them, so that the two rows touch.
fn corner(side: &Side, earlier: &[Side], y: i64, x: f32) -> f32 {
    let next = y + if y == side.bottom { -1 } else { 1 };
    let joins = |other: &&Side| {
        (y == other.top || y == other.bottom)
            && other.slope != 0.0
            && x.round() == other.at(y).round()
            && other.spans(next)
    };
    let Some(other) = earlier.iter().find(joins) else { return x };
    let (own, others) = (side.at(next), other.at(next));
    if x > own + 1.0 && x > others + 1.0 {
        own.max(others).round() + 1.0
    } else if x < own - 1.0 && x < others - 1.0 {
        own.min(others).round() - 1.0
    } else {
        x
    }
}

/// The nearest whole number, halves away from zero.
fn up(x: f32) -> i64 {
    x.signum() as i64 * (x.abs() + 0.5).floor() as i64
}

/// The nearest whole number, halves towards zero.
fn down(x: f32) -> i64 {
    x.signum() as i64 * (x.abs() - 0.5).ceil() as i64
}

/// A disc in the box from centre − radius to centre + radius, its corners cut to whole pixels.
fn disc([x, y]: [f64; 2], radius: f64, bitmap: &mut Bitmap) {
    let [left, top] = [x - radius, y - radius].map(|value| value as i64);
    let [right, bottom] = [x + radius, y + radius].map(|value| value as i64);
    let (a, b) = (right - left, bottom - top);
    // Twice the distances from the centre keep everything whole; a and b have the parity of the points' distances.
    // A quarter of the rim is walked from its rightmost point upwards, always to that neighbour (up, left, or both) whose
    // distance from the ellipse is least; the first point of a row is the row's widest.
    let off = |x: i64, y: i64| {
        let [a, b, x, y] = [a, b, x, y].map(i128::from);
        (a * a * y * y + b * b * x * x - a * a * b * b).abs()
    };
    let (mut x, mut y) = (a, b % 2);
    let mut done = None;
    loop {
        if done != Some(y) {
            for row in [top + (b - y) / 2, top + (b + y) / 2] {
                bitmap.row(row, left + (a - x) / 2, left + (a + x) / 2);
            }
            done = Some(y);
        }
        if x == a % 2 && y == b {
            return;
        }
        let mut next = (x, y + 2);
        if x > 1 {
            for other in [(x - 2, y + 2), (x - 2, y)] {
                if off(next.0, next.1) > off(other.0, other.1) {
                    next = other;
                }
            }
        }
        (x, y) = next;
        if y > b {
            return;
        }
    }
}

/// Every pixel whose place (column, row) is no further than the radius from the segment.
fn stroke([a, b]: [[f64; 2]; 2], radius: f64, bitmap: &mut Bitmap) {
    let along = [b[0] - a[0], b[1] - a[1]];
    let squared = along[0] * along[0] + along[1] * along[1];
    let limits = |i: usize, end: usize| {
        let low = (a[i].min(b[i]) - radius).ceil().max(0.0) as i64;
        low..=((a[i].max(b[i]) + radius).floor().min(end as f64 - 1.0) as i64)
    };
    for y in limits(1, bitmap.height) {
        for x in limits(0, bitmap.width) {
            let from = [x as f64 - a[0], y as f64 - a[1]];
            let t = if squared > 0.0 { (from[0] * along[0] + from[1] * along[1]) / squared } else { 0.0 };
            let t = t.clamp(0.0, 1.0);
            if (from[0] - t * along[0]).hypot(from[1] - t * along[1]) <= radius {
                bitmap.row(y, x, x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(figure: Figure, width: usize, height: usize) -> Option<Bitmap> {
        let mut bitmap = Bitmap::new(width, height);
        draw(&figure, &mut bitmap).then_some(bitmap)
    }

    fn pixels(bitmap: &Bitmap) -> Vec<(usize, usize)> {
        let on = bitmap.values.iter().enumerate().filter(|(_, value)| **value == 255);
        on.map(|(i, _)| (i % bitmap.width, i / bitmap.width)).collect()
    }

    #[test]
    fn edges_belong_to_rectangles_in_any_order_of_corners() {
        let one = drawn(Figure::Rectangle([[1.0, 1.0], [2.9, 2.0]]), 5, 4).unwrap();
        assert_eq!(pixels(&one), [(1, 1), (2, 1), (1, 2), (2, 2)]);
        assert_eq!(drawn(Figure::Rectangle([[2.9, 2.0], [1.0, 1.0]]), 5, 4), Some(one));
        let past = drawn(Figure::Rectangle([[-9.0, -9.0], [99.0, 99.0]]), 3, 2).unwrap();
        assert_eq!(past.values, [255; 6]);
    }

    #[test]
    fn a_line_holds_what_lies_within_its_radius() {
        let line = Figure::Line(vec![[1.0, 1.0], [3.0, 1.0]], 1.0);
        let expected =
            [(1, 0), (2, 0), (3, 0), (0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (1, 2), (2, 2), (3, 2)];
        assert_eq!(pixels(&drawn(line, 6, 4).unwrap()), expected);
        let dot = Figure::Line(vec![[2.0, 2.0], [2.0, 2.0]], 0.0);
        assert_eq!(pixels(&drawn(dot, 6, 4).unwrap()), [(2, 2)]);
    }

    #[test]
    fn what_no_picture_holds_is_refused() {
        let far = [[0.0, 0.0], [1e7, 0.0]];
        for figure in [
            Figure::Polygon(vec![[0.0, 0.0], [f64::NAN, 1.0], [2.0, 2.0]]),
            Figure::Polygon(vec![[0.0; 2]; 10_001]),
            Figure::Rectangle(far),
            Figure::Circle(far),
            Figure::Line(far.to_vec(), 1.0),
            Figure::Points(vec![[1.0, 1.0]], f64::NAN),
            Figure::Line(vec![[1.0, 1.0]; 2], -1.0),
        ] {
            assert_eq!(drawn(figure.clone(), 4, 4), None, "{figure:?}");
        }
        let empty = Some(Bitmap::new(4, 4));
        assert_eq!(drawn(Figure::Polygon(vec![]), 4, 4), empty);
        assert_eq!(drawn(Figure::Circle([[-50.0, 0.0], [-40.0, 0.0]]), 4, 4), empty);
    }
}

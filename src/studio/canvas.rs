//! The mask that is being painted, and what a brush does to it. Coordinates are those of the mask: x to the right, y downward,
//! the centre of the first pixel at (0.5, 0.5).

use crate::data::Extent;

/// Relevant.
pub const INSIDE: u8 = 255;
/// Not relevant.
pub const OUTSIDE: u8 = 0;

/// A mask `[height, width]`, 255 = relevant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    size: Extent,
    values: Vec<u8>,
}

/// A block of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left.
    pub x: u32,
    /// Top.
    pub y: u32,
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

impl Canvas {
    /// Nothing is relevant.
    pub fn new(size: Extent) -> Self {
        Self { size, values: vec![OUTSIDE; size.0 as usize * size.1 as usize] }
    }

    /// From values `[height, width]`; missing ones are not relevant.
    pub fn of(size: Extent, mut values: Vec<u8>) -> Self {
        values.resize(size.0 as usize * size.1 as usize, OUTSIDE);
        Self { size, values }
    }

    /// Width and height.
    pub fn size(&self) -> Extent {
        self.size
    }

    /// `[height, width]`.
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// Whether any pixel is relevant.
    pub fn marks_any(&self) -> bool {
        self.values.iter().any(|&value| value >= crate::data::RELEVANT)
    }

    /// The share of pixels that are relevant.
    pub fn share(&self) -> f64 {
        let relevant = self.values.iter().filter(|&&value| value >= crate::data::RELEVANT).count();
        relevant as f64 / self.values.len().max(1) as f64
    }

    fn at(&self, x: u32, y: u32) -> usize {
        y as usize * self.size.0 as usize + x as usize
    }

    /// Sets every pixel whose centre is within `radius` of the line from `from` to `to`, and the pixels under its ends, so that the
    /// smallest brush still paints.
    pub fn stroke(&mut self, from: [f32; 2], to: [f32; 2], radius: f32, value: u8) {
        let (width, height) = self.size;
        let span = |a: f32, b: f32, end: u32| {
            let low = (a.min(b) - radius - 1.0).max(0.0) as u32;
            let high = (a.max(b) + radius + 1.0).clamp(0.0, end as f32) as u32;
            low..high
        };
        let line = [to[0] - from[0], to[1] - from[1]];
        let squared = line[0] * line[0] + line[1] * line[1];
        for y in span(from[1], to[1], height) {
            for x in span(from[0], to[0], width) {
                let point = [x as f32 + 0.5 - from[0], y as f32 + 0.5 - from[1]];
                let along = (point[0] * line[0] + point[1] * line[1]) / squared.max(f32::MIN_POSITIVE);
                let along = along.clamp(0.0, 1.0);
                let (dx, dy) = (point[0] - along * line[0], point[1] - along * line[1]);
                if dx * dx + dy * dy <= radius * radius {
                    let at = self.at(x, y);
                    self.values[at] = value;
                }
            }
        }
        for [x, y] in [from, to] {
            if (0.0..width as f32).contains(&x) && (0.0..height as f32).contains(&y) {
                let at = self.at(x as u32, y as u32);
                self.values[at] = value;
            }
        }
    }

    /// Fills the region of equal pixels, joined by their sides, around a point. Outside of the canvas: nothing.
    pub fn fill(&mut self, point: [f32; 2], value: u8) {
        let (width, height) = self.size;
        let [x, y] = point;
        if !((0.0..width as f32).contains(&x) && (0.0..height as f32).contains(&y)) {
            return;
        }
        let start = (x as u32, y as u32);
        let old = self.values[self.at(start.0, start.1)];
        if old == value {
            return;
        }
        let mut open = vec![start];
        while let Some((x, y)) = open.pop() {
            let at = self.at(x, y);
            if self.values[at] != old {
                continue;
            }
            self.values[at] = value;
            let beside = [(x.wrapping_sub(1), y), (x + 1, y), (x, y.wrapping_sub(1)), (x, y + 1)];
            open.extend(beside.into_iter().filter(|&(x, y)| x < width && y < height));
        }
    }

    /// Sets every pixel.
    pub fn clear(&mut self, value: u8) {
        self.values.fill(value);
    }

    /// The smallest block that holds every difference from another canvas of the same size; `None` without any.
    pub fn difference(&self, other: &Canvas) -> Option<Area> {
        let width = self.size.0 as usize;
        let (mut low, mut high) = ([u32::MAX; 2], [0; 2]);
        for (i, _) in self.values.iter().zip(&other.values).enumerate().filter(|(_, (a, b))| a != b) {
            let place = [(i % width) as u32, (i / width) as u32];
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        (low[0] <= high[0]).then(|| Area {
            x: low[0],
            y: low[1],
            width: high[0] - low[0] + 1,
            height: high[1] - low[1] + 1,
        })
    }

    /// The values of a block, row by row.
    pub fn cut(&self, area: Area) -> Vec<u8> {
        let mut values = Vec::with_capacity(area.width as usize * area.height as usize);
        for y in area.y..area.y + area.height {
            let at = self.at(area.x, y);
            values.extend_from_slice(&self.values[at..at + area.width as usize]);
        }
        values
    }

    /// Puts values of [`Canvas::cut`] back.
    pub fn paste(&mut self, area: Area, values: &[u8]) {
        for (y, row) in (area.y..area.y + area.height).zip(values.chunks(area.width.max(1) as usize)) {
            let at = self.at(area.x, y);
            self.values[at..at + row.len()].copy_from_slice(row);
        }
    }

    /// The lines between relevant and other pixels, as long as they go straight; the edge of the canvas counts as other.
    pub fn outline(&self) -> Vec<[[f32; 2]; 2]> {
        let (width, height) = self.size;
        let inside = |x: i64, y: i64| {
            (0..i64::from(width)).contains(&x)
                && (0..i64::from(height)).contains(&y)
                && self.values[self.at(x as u32, y as u32)] >= crate::data::RELEVANT
        };
        let mut lines = Vec::new();
        // Along rows, then along columns: `line` counts across, `along` runs.
        for (is_row, across, length) in [(true, height, width), (false, width, height)] {
            let place = |line: u32, along: u32| {
                if is_row { [along as f32, line as f32] } else { [line as f32, along as f32] }
            };
            for line in 0..=across {
                let mut start = None;
                for along in 0..=length {
                    let (a, b) = (i64::from(along), i64::from(line));
                    let (here, before) = if is_row { ([a, b], [a, b - 1]) } else { ([b, a], [b - 1, a]) };
                    let is_edge = along < length && inside(here[0], here[1]) != inside(before[0], before[1]);
                    match (is_edge, start) {
                        (true, None) => start = Some(along),
                        (false, Some(from)) => {
                            lines.push([place(line, from), place(line, along)]);
                            start = None;
                        }
                        _ => {}
                    }
                }
            }
        }
        lines
    }

    /// The values at another size by nearest neighbour, as the readers bring a mask to the size of training.
    pub fn fitted(&self, (width, height): Extent) -> Vec<u8> {
        let nearest = |at: u32, to: u32, from: u32| ((2 * at + 1) * from) / (2 * to);
        let mut values = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            let row = nearest(y, height, self.size.1);
            values.extend((0..width).map(|x| self.values[self.at(nearest(x, width, self.size.0), row)]));
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(canvas: &Canvas) -> usize {
        canvas.values().iter().filter(|&&value| value == INSIDE).count()
    }

    #[test]
    fn a_stroke_covers_the_pixels_whose_centres_it_passes() {
        let mut canvas = Canvas::new((9, 7));
        canvas.stroke([2.5, 3.5], [2.5, 3.5], 1.0, INSIDE);
        // The centre and its four neighbours lie at distances 0 and 1.
        assert_eq!(painted(&canvas), 5);
        canvas.clear(OUTSIDE);
        canvas.stroke([1.5, 3.5], [7.5, 3.5], 0.5, INSIDE);
        assert_eq!(
            canvas.cut(Area { x: 0, y: 3, width: 9, height: 1 }),
            [0, 255, 255, 255, 255, 255, 255, 255, 0]
        );
        assert_eq!(painted(&canvas), 7);
    }

    #[test]
    fn a_tiny_brush_paints_and_one_outside_harms_nothing() {
        let mut canvas = Canvas::new((4, 4));
        canvas.stroke([1.1, 2.9], [1.1, 2.9], 0.1, INSIDE);
        assert_eq!(painted(&canvas), 1);
        assert_eq!(canvas.values()[2 * 4 + 1], INSIDE);
        canvas.stroke([-9.0, -9.0], [-5.0, 30.0], 2.0, INSIDE);
        canvas.stroke([90.0, 9.0], [50.0, 30.0], 2.0, INSIDE);
        canvas.fill([-1.0, 2.0], INSIDE);
        canvas.fill([2.0, 4.0], INSIDE);
        assert_eq!(painted(&canvas), 1);
    }

    #[test]
    fn filling_stops_at_a_closed_line_and_not_at_a_diagonal_gap() {
        let mut canvas = Canvas::new((7, 7));
        for (from, to) in [
            ([1.5, 1.5], [5.5, 1.5]),
            ([5.5, 1.5], [5.5, 5.5]),
            ([5.5, 5.5], [1.5, 5.5]),
            ([1.5, 5.5], [1.5, 1.5]),
        ] {
            canvas.stroke(from, to, 0.4, INSIDE);
        }
        assert_eq!(painted(&canvas), 16);
        let mut inside = canvas.clone();
        inside.fill([3.5, 3.5], INSIDE);
        assert_eq!(painted(&inside), 25);
        canvas.fill([0.5, 0.5], INSIDE);
        assert_eq!(painted(&canvas), 49 - 9);
        // Corners alone do not join.
        let mut diagonal = Canvas::of((2, 2), vec![255, 0, 0, 255]);
        diagonal.fill([0.5, 0.5], OUTSIDE);
        assert_eq!(diagonal.values(), [0, 0, 0, 255]);
    }

    #[test]
    fn what_was_cut_can_be_pasted_back() {
        let before = Canvas::new((8, 5));
        let mut after = before.clone();
        assert_eq!(after.difference(&before), None);
        after.stroke([2.5, 1.5], [4.5, 3.5], 0.5, INSIDE);
        let area = after.difference(&before).unwrap();
        assert_eq!(area, Area { x: 2, y: 1, width: 3, height: 3 });
        let mut back = after.clone();
        back.paste(area, &before.cut(area));
        assert_eq!(back, before);
        back.paste(area, &after.cut(area));
        assert_eq!(back, after);
    }

    #[test]
    fn an_outline_runs_around_what_is_relevant() {
        let mut canvas = Canvas::new((6, 5));
        assert!(canvas.outline().is_empty());
        canvas.stroke([2.5, 2.5], [3.5, 2.5], 0.4, INSIDE);
        let expected = [
            [[2.0, 2.0], [4.0, 2.0]],
            [[2.0, 3.0], [4.0, 3.0]],
            [[2.0, 2.0], [2.0, 3.0]],
            [[4.0, 2.0], [4.0, 3.0]],
        ];
        assert_eq!(canvas.outline(), expected);
        canvas.clear(INSIDE);
        assert_eq!(canvas.outline().len(), 4);
    }

    #[test]
    fn fitting_takes_the_nearest_pixel() {
        let canvas = Canvas::of((2, 2), vec![255, 0, 0, 255]);
        assert_eq!(canvas.fitted((2, 2)), canvas.values());
        assert_eq!(canvas.fitted((4, 2)), [255, 255, 0, 0, 0, 0, 255, 255]);
        assert_eq!(Canvas::of((3, 1), vec![0, 255, 0]).fitted((1, 1)), [255]);
    }
}

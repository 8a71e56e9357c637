//! Which pixels a shape covers: those whose centre lies in it, without antialiasing.

use super::{PATCH, SIZE};

/// One flag for each pixel, row-major.
pub(super) type Mask = Vec<bool>;

/// Grey values, row-major.
pub(super) struct Picture {
    pub(super) values: Vec<f64>,
}

impl Picture {
    /// A picture of one grey.
    pub(super) fn new(grey: f64) -> Self {
        Self { values: vec![grey; SIZE * SIZE] }
    }

    /// Paints the covered pixels.
    pub(super) fn fill(&mut self, cover: &[bool], grey: f64) {
        for (value, _) in self.values.iter_mut().zip(cover).filter(|(_, covered)| **covered) {
            *value = grey;
        }
    }
}

/// A shape around the origin; y points down, angles turn clockwise on the screen.
pub(super) enum Shape {
    Disc { radius: f64 },
    Rectangle { half: [f64; 2], angle: f64 },
    Triangle { corners: [[f64; 2]; 3] },
}

impl Shape {
    /// An isosceles triangle, apex up at angle 0, whose bounding box is centred on the origin.
    pub(super) fn triangle(height: f64, base: f64, angle: f64) -> Self {
        let upright = [[0.0, -height / 2.0], [base / 2.0, height / 2.0], [-base / 2.0, height / 2.0]];
        let (sin, cos) = angle.sin_cos();
        let turned = upright.map(|[x, y]| [x * cos - y * sin, x * sin + y * cos]);
        let [left, right] = bounds(&turned, 0);
        let [top, bottom] = bounds(&turned, 1);
        Self::Triangle { corners: turned.map(|[x, y]| [x - (left + right) / 2.0, y - (top + bottom) / 2.0]) }
    }

    /// Width and height of a triangle's bounding box; of the others, of a box that holds them.
    pub(super) fn extent(&self) -> [f64; 2] {
        match self {
            Self::Disc { radius } => [2.0 * radius; 2],
            Self::Rectangle { half: [a, b], .. } => [2.0 * a.hypot(*b); 2],
            Self::Triangle { corners } => [0, 1].map(|axis| {
                let [low, high] = bounds(corners, axis);
                high - low
            }),
        }
    }

    /// The pixels whose centre is in the shape when it is moved to `centre`.
    pub(super) fn cover(&self, centre: [f64; 2]) -> Mask {
        let mut cover = vec![false; SIZE * SIZE];
        for (i, covered) in cover.iter_mut().enumerate() {
            let x = (i % SIZE) as f64 + 0.5 - centre[0];
            let y = (i / SIZE) as f64 + 0.5 - centre[1];
            *covered = self.contains(x, y);
        }
        cover
    }

    fn contains(&self, x: f64, y: f64) -> bool {
        match self {
            Self::Disc { radius } => x * x + y * y <= radius * radius,
            Self::Rectangle { half, angle } => {
                let (sin, cos) = angle.sin_cos();
                (x * cos + y * sin).abs() <= half[0] && (y * cos - x * sin).abs() <= half[1]
            }
            // On the inner side of each edge; corners go clockwise on the screen.
            Self::Triangle { corners: [a, b, c] } => [(a, b), (b, c), (c, a)]
                .into_iter()
                .all(|(p, q)| (q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) >= 0.0),
        }
    }
}

fn bounds(corners: &[[f64; 2]; 3], axis: usize) -> [f64; 2] {
    let [a, b, c] = corners.map(|corner| corner[axis]);
    [a.min(b).min(c), a.max(b).max(c)]
}

/// Dilation by one pixel in all eight directions.
pub(super) fn dilate(mask: &[bool]) -> Mask {
    let near = |i: usize| i.saturating_sub(1)..=(i + 1).min(SIZE - 1);
    (0..SIZE * SIZE).map(|i| near(i / SIZE).any(|y| near(i % SIZE).any(|x| mask[y * SIZE + x]))).collect()
}

/// The patch of a class: clockwise from the top left.
pub(super) fn corner(class: usize) -> Mask {
    let [right, bottom] = [matches!(class % 4, 1 | 2), matches!(class % 4, 2 | 3)];
    let inside = |at: usize, far: bool| if far { at >= SIZE - PATCH } else { at < PATCH };
    (0..SIZE * SIZE).map(|i| inside(i % SIZE, right) && inside(i / SIZE, bottom)).collect()
}

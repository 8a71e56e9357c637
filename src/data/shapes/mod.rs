//! Shapes and runs as pixels: COCO's polygons and runs as pycocotools fills them, labelme's as Pillow draws them.

mod coco;
mod drawn;
mod runs;

pub use coco::polygon as fill_coco_polygon;
pub use drawn::{Figure, draw};
pub use runs::{RunsError, expand_runs, parse_compressed_runs};

/// A picture of yes and no, row-major `[height, width]`, 255 = inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bitmap {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[height, width]`, 0 or 255.
    pub values: Vec<u8>,
}

impl Bitmap {
    /// Nothing inside.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0; width * height] }
    }

    /// Marks the pixels of row `y` from column `first` to `last`, both included; what lies outside is cut off.
    pub fn row(&mut self, y: i64, first: i64, last: i64) {
        if y < 0 || y >= self.height as i64 || last < 0 || first >= self.width as i64 || first > last {
            return;
        }
        let (first, last) = (first.max(0) as usize, (last as usize).min(self.width.saturating_sub(1)));
        let start = y as usize * self.width;
        self.values[start + first..=start + last].fill(255);
    }

    /// Marks the pixels whose centre lies in `[x, x + w) × [y, y + h)`.
    pub fn rectangle(&mut self, [x, y, w, h]: [f64; 4]) {
        // The first centre, i + 1/2, that is not below the edge.
        let (first, end) = ((x - 0.5).ceil(), (x + w - 0.5).ceil());
        let rows = (y - 0.5).ceil().max(0.0) as i64..(y + h - 0.5).ceil().min(self.height as f64) as i64;
        rows.for_each(|row| self.row(row, first as i64, end as i64 - 1));
    }
}

#[cfg(test)]
mod goldens {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Goldens {
        coco: Vec<Coco>,
        drawn: Vec<Drawn>,
    }

    #[derive(Deserialize)]
    struct Coco {
        size: [usize; 2],
        polygon: Vec<f64>,
        counts: String,
        runs: Vec<u32>,
    }

    #[derive(Deserialize)]
    struct Drawn {
        size: [usize; 2],
        shape: String,
        points: Vec<[f64; 2]>,
        counts: String,
    }

    fn goldens() -> Goldens {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/shapes.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    fn expanded(runs: &[u32], [width, height]: [usize; 2]) -> Bitmap {
        let mut bitmap = Bitmap::new(width, height);
        expand_runs(runs, &mut bitmap).unwrap();
        bitmap
    }

    /// Rows of `#` (expected and found), `-` (expected alone), `+` (found alone).
    fn compare(expected: &Bitmap, found: &Bitmap) -> String {
        let pixel = |(a, b): (&u8, &u8)| match (a, b) {
            (255, 255) => '#',
            (255, _) => '-',
            (_, 255) => '+',
            _ => '.',
        };
        let line = |(a, b): (&[u8], &[u8])| a.iter().zip(b).map(pixel).collect::<String>();
        let rows = expected.values.chunks(expected.width).zip(found.values.chunks(found.width));
        rows.map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn polygons_and_runs_are_those_of_pycocotools_pixel_by_pixel() {
        let Goldens { coco, .. } = goldens();
        assert!(coco.len() >= 200);
        for case in coco {
            assert_eq!(parse_compressed_runs(&case.counts).unwrap(), case.runs);
            let expected = expanded(&case.runs, case.size);
            let mut found = Bitmap::new(case.size[0], case.size[1]);
            assert!(fill_coco_polygon(&case.polygon, &mut found));
            assert!(expected == found, "{:?}\n{}", case.polygon, compare(&expected, &found));
        }
    }

    #[test]
    fn drawn_shapes_are_those_of_pillow_pixel_by_pixel() {
        let Goldens { drawn, .. } = goldens();
        assert!(drawn.len() >= 300);
        let mut wrong = Vec::new();
        for case in drawn {
            let runs = parse_compressed_runs(&case.counts).unwrap();
            let expected = expanded(&runs, case.size);
            let figure = match case.shape.as_str() {
                "polygon" => Figure::Polygon(case.points.clone()),
                "rectangle" => Figure::Rectangle([case.points[0], case.points[1]]),
                _ => Figure::Circle([case.points[0], case.points[1]]),
            };
            let mut found = Bitmap::new(case.size[0], case.size[1]);
            assert!(draw(&figure, &mut found));
            if expected != found {
                wrong.push(format!("{} {:?}\n{}", case.shape, case.points, compare(&expected, &found)));
            }
        }
        assert!(wrong.is_empty(), "{} differ; the first:\n{}", wrong.len(), wrong[0]);
    }
}

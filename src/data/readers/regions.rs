//! Explanations that are shapes, runs or boxes, and how they become pixels.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::decode;
use crate::data::shapes::{Bitmap, Figure, draw, expand_runs, fill_coco_polygon};
use crate::data::{DataError, Extent};

/// The regions of one picture; together they are its mask.
#[derive(Clone, Debug)]
pub(crate) struct Regions {
    /// The file that names them.
    pub(crate) file: PathBuf,
    /// Where in the file, such as `line 7`.
    pub(crate) place: String,
    /// The picture's size as the file says it.
    pub(crate) size: Option<Extent>,
    pub(crate) regions: Vec<Region>,
}

/// One region, in pixels of its picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Region {
    /// `x, y` pairs, filled as COCO does.
    CocoPolygon(Vec<f64>),
    /// Column-major runs of a picture of this size, beginning outside.
    Runs(Extent, Vec<u32>),
    /// x, y, width, height: the pixels whose centres lie within.
    Box([f64; 4]),
    /// Drawn as labelme does.
    Figure(Figure),
    /// A base64 image whose pixels above 0 count, from one corner to the other, both included.
    Crop([[f64; 2]; 2], String),
}

impl Regions {
    /// A single box.
    pub(crate) fn boxed(file: PathBuf, place: String, sides: [f64; 4]) -> Self {
        Self { file, place, size: None, regions: vec![Region::Box(sides)] }
    }

    /// The pixels of all regions of a picture of this size.
    pub(crate) fn bitmap(&self, size: Extent, picture: &std::path::Path) -> Result<Bitmap, DataError> {
        let other_size = |mask_size| DataError::MaskSize {
            mask: self.file.clone(),
            mask_size,
            image: picture.to_path_buf(),
            image_size: size,
        };
        if let Some(said) = self.size.filter(|said| *said != size) {
            return Err(other_size(said));
        }
        let mut bitmap = Bitmap::new(size.0 as usize, size.1 as usize);
        for (i, region) in self.regions.iter().enumerate() {
            let entry = |message: &str| DataError::Entry {
                file: self.file.clone(),
                place: format!("{}, region {}", self.place, i + 1),
                message: message.to_owned(),
            };
            let far = "its corners are too many or too far outside of the picture; draw it again";
            match region {
                Region::CocoPolygon(corners) => {
                    fill_coco_polygon(corners, &mut bitmap).then_some(()).ok_or_else(|| entry(far))?;
                }
                Region::Figure(figure) => {
                    draw(figure, &mut bitmap).then_some(()).ok_or_else(|| entry(far))?
                }
                Region::Box(sides) => bitmap.rectangle(*sides),
                Region::Runs(said, _) if *said != size => return Err(other_size(*said)),
                Region::Runs(_, runs) => {
                    expand_runs(runs, &mut bitmap)
                        .map_err(|error| entry(&format!("{error}; export it again")))?;
                }
                Region::Crop(corners, packed) => {
                    crop(*corners, packed, &mut bitmap).map_err(|message| entry(&message))?;
                }
            }
        }
        Ok(bitmap)
    }

    /// Whether a box or a corner lies more than a pixel outside of a picture of this size.
    pub(crate) fn reaches_out(&self, (width, height): Extent) -> bool {
        let out = |x: f64, y: f64| {
            x < -1.0 || y < -1.0 || x > f64::from(width) + 1.0 || y > f64::from(height) + 1.0
        };
        let any = |points: &[[f64; 2]]| points.iter().any(|point| out(point[0], point[1]));
        self.regions.iter().any(|region| match region {
            Region::CocoPolygon(corners) => corners.chunks_exact(2).any(|corner| out(corner[0], corner[1])),
            Region::Box([x, y, w, h]) => out(*x, *y) || out(x + w, y + h),
            Region::Figure(Figure::Polygon(points) | Figure::Line(points, _) | Figure::Points(points, _)) => {
                any(points)
            }
            Region::Figure(Figure::Rectangle(points)) | Region::Crop(points, _) => any(points),
            // The rim may well be cut off; the centre should be inside.
            Region::Figure(Figure::Circle(points)) => any(&points[..1]),
            Region::Runs(..) => false,
        })
    }
}

/// The area of a box that is sound: finite, with sides above 0.
pub(crate) fn sound_box(sides: [f64; 4]) -> bool {
    let [x, y, w, h] = sides;
    x.abs() < 1e9 && y.abs() < 1e9 && w > 0.0 && h > 0.0 && w < 1e9 && h < 1e9
}

fn crop([first, last]: [[f64; 2]; 2], packed: &str, bitmap: &mut Bitmap) -> Result<(), String> {
    let bytes = STANDARD
        .decode(packed.trim())
        .map_err(|error| format!("its mask is no base64 ({error}); export it again"))?;
    let image = decode::from_memory(&bytes)
        .map_err(|error| format!("its mask is no image that can be read ({error}); export it again"))?
        .into_luma8();
    let [first, last] = [first, last].map(|corner| corner.map(|value| value as i64));
    let size = (i64::from(image.width()), i64::from(image.height()));
    if size != (last[0] - first[0] + 1, last[1] - first[1] + 1) {
        return Err(format!(
            "its mask is {}×{} and its box says {}×{}; export it again",
            size.0,
            size.1,
            last[0] - first[0] + 1,
            last[1] - first[1] + 1
        ));
    }
    for (x, y, _) in image.enumerate_pixels().filter(|(.., pixel)| pixel.0[0] > 0) {
        let x = first[0] + i64::from(x);
        bitmap.row(first[1] + i64::from(y), x, x);
    }
    Ok(())
}

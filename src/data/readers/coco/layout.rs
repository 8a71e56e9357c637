//! The parts of a COCO file that are used.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::regions::{Region, sound_box};
use crate::data::Extent;
use crate::data::shapes::parse_compressed_runs;

#[derive(Deserialize)]
pub(super) struct File {
    pub(super) images: Vec<Image>,
    pub(super) annotations: Vec<Annotation>,
    pub(super) categories: Vec<Category>,
}

/// A number, or a word in some exports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(i64),
    Word(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct Image {
    pub(super) id: Id,
    pub(super) file_name: String,
    width: Option<u32>,
    height: Option<u32>,
}

impl Image {
    pub(super) fn size(&self) -> Option<Extent> {
        self.width.zip(self.height).filter(|(width, height)| *width > 0 && *height > 0)
    }
}

#[derive(Deserialize)]
pub(super) struct Category {
    pub(super) id: Id,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Annotation {
    pub(super) image_id: Id,
    pub(super) category_id: Id,
    segmentation: Option<Segmentation>,
    bbox: Option<Vec<f64>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs { counts: Counts, size: [u32; 2] },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u32>),
    Compressed(String),
}

impl Annotation {
    /// Its regions; the message says what is wrong.
    pub(super) fn regions(&self) -> Result<Vec<Region>, String> {
        match &self.segmentation {
            None => self.boxed(),
            Some(Segmentation::Polygons(polygons)) if polygons.is_empty() => self.boxed(),
            Some(Segmentation::Polygons(polygons)) => polygons
                .iter()
                .map(|corners| match corners.len() {
                    0..=5 => Err("a polygon has fewer than three corners; draw it again".to_owned()),
                    n if n % 2 == 1 => {
                        Err("a polygon has an odd number of coordinates; export it again".to_owned())
                    }
                    _ => Ok(Region::CocoPolygon(corners.clone())),
                })
                .collect(),
            Some(Segmentation::Runs { counts, size: [height, width] }) => {
                let runs = match counts {
                    Counts::Plain(runs) => runs.clone(),
                    Counts::Compressed(text) => {
                        parse_compressed_runs(text).map_err(|error| format!("{error}; export it again"))?
                    }
                };
                Ok(vec![Region::Runs((*width, *height), runs)])
            }
            Some(Segmentation::Other(_)) => {
                Err("its segmentation is neither polygons nor runs with a size; export it again".to_owned())
            }
        }
    }

    fn boxed(&self) -> Result<Vec<Region>, String> {
        match self.bbox.as_deref().map(<[f64; 4]>::try_from) {
            Some(Ok(sides)) if sound_box(sides) => Ok(vec![Region::Box(sides)]),
            None => Err("it has neither a segmentation nor a box; draw it again".to_owned()),
            _ => Err("its box is not x, y, width and height above 0; draw it again".to_owned()),
        }
    }

    /// The area of its regions in pixels; what the file says of it is not used, as some exports leave it out.
    pub(super) fn area(&self) -> Result<f64, String> {
        let area = |region: &Region| match region {
            Region::CocoPolygon(corners) => shoelace(corners),
            Region::Box([_, _, width, height]) => width * height,
            Region::Runs(_, runs) => runs.iter().skip(1).step_by(2).map(|run| f64::from(*run)).sum(),
            Region::Figure(_) | Region::Crop(..) => 0.0,
        };
        Ok(self.regions()?.iter().map(area).sum())
    }
}

/// The area of a polygon of `x, y` pairs.
fn shoelace(corners: &[f64]) -> f64 {
    let points = || corners.chunks_exact(2);
    let twice: f64 = points().zip(points().cycle().skip(1)).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum();
    twice.abs() / 2.0
}

//! labelme: one JSON file per picture, with shapes.
//!
//! In class folders the folder is the class and all shapes are the explanation. Elsewhere the class is the one flag that
//! is set, or else the label with the largest area, and the shapes of that label are the explanation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::catalog::{Catalog, Explanation, Item, Part, Picture};
use super::fault::Fault;
use super::json;
use super::load::in_parallel;
use super::options::ReadOptions;
use super::paths::{Base, Kind, expect_folder, extension, file_name, is_masks, kind, list, relative};
use super::regions::{Region, Regions};
use crate::data::DataError;
use crate::data::shapes::Figure;

#[derive(Deserialize)]
struct File {
    shapes: Option<Vec<Shape>>,
    #[serde(rename = "imagePath")]
    image: Option<String>,
    #[serde(rename = "imageWidth")]
    width: Option<u32>,
    #[serde(rename = "imageHeight")]
    height: Option<u32>,
    flags: Option<BTreeMap<String, bool>>,
}

#[derive(Deserialize)]
struct Shape {
    label: String,
    points: Vec<[f64; 2]>,
    shape_type: Option<String>,
    mask: Option<String>,
}

pub(super) fn catalog(path: &Path, options: &ReadOptions) -> Result<Catalog, DataError> {
    // One file stands for its folder.
    let root = if path.is_file() { path.parent().unwrap_or(Path::new(".")) } else { path };
    expect_folder(root)?;
    let folders = list(root)?.folders;
    let parts: Vec<(Part, &PathBuf)> =
        folders.iter().filter_map(|folder| Some((Part::named(&file_name(folder))?, folder))).collect();
    let base = Base::new(root, options.allow_outside);
    let mut reader = Reader { base, catalog: Catalog::new(root), classes: BTreeMap::new(), options };
    if parts.is_empty() {
        reader.section(root, None)?;
    }
    for (part, folder) in parts {
        reader.section(folder, Some(part))?;
    }
    if reader.catalog.items.is_empty() && reader.catalog.errors.is_empty() {
        return Err(DataError::MissingPart { path: root.join("*.json"), format: "labelme" });
    }
    Ok(reader.catalog)
}

struct Reader<'a> {
    base: Base,
    catalog: Catalog,
    classes: BTreeMap<String, Arc<str>>,
    options: &'a ReadOptions,
}

impl Reader<'_> {
    fn section(&mut self, folder: &Path, part: Option<Part>) -> Result<(), DataError> {
        let mut folders = vec![(folder.to_path_buf(), list(folder)?)];
        for inside in folders[0].1.folders.clone().into_iter().filter(|folder| !is_masks(folder)) {
            let listing = list(&inside)?;
            folders.push((inside, listing));
        }
        let has = |files: &[PathBuf], what: fn(&Path) -> bool| files.iter().any(|file| what(file));
        // Annotations that lie apart from their pictures make those folders stores, not classes.
        let apart = |files: &[PathBuf]| has(files, is_json) && !has(files, is_picture);
        let flat =
            folders.iter().any(|(_, listing)| apart(&listing.files)) || has(&folders[0].1.files, is_json);
        let mut loose = BTreeSet::new();
        for (place, listing) in folders.iter().skip(usize::from(!flat)) {
            let class = (!flat).then(|| file_name(place));
            let files: Vec<PathBuf> = listing.files.iter().filter(|file| is_json(file)).cloned().collect();
            let read = in_parallel(&files, |file| json::read::<File>(file));
            let mut taken = BTreeSet::new();
            for (file, read) in files.iter().zip(read) {
                let found = read.and_then(|read| self.item(file, read, class.as_deref(), part));
                match found {
                    Ok(Some((path, item))) => {
                        taken.insert(path);
                        self.catalog.items.push(item);
                    }
                    Ok(None) => {}
                    Err(error) => self.catalog.errors.push(error),
                }
            }
            for picture in listing.files.iter().filter(|file| is_picture(file) && !taken.contains(*file)) {
                match &class {
                    Some(class) => {
                        let class = self.class(class);
                        let name = relative(picture, self.base.folder());
                        let mut item = Item::new(Picture::File(picture.clone()), name, &class);
                        item.part = part;
                        self.catalog.items.push(item);
                    }
                    None => drop(loose.insert(picture.clone())),
                }
            }
        }
        for item in &self.catalog.items {
            loose.remove(item.picture.path());
        }
        for picture in loose {
            self.catalog.odd(Fault::NoLabel, picture.display().to_string());
        }
        Ok(())
    }

    fn class(&mut self, name: &str) -> Arc<str> {
        self.classes.entry(name.to_owned()).or_insert_with(|| name.into()).clone()
    }

    /// A file's picture, where it is, and its explanation; `None` without a label.
    fn item(
        &mut self,
        file: &Path,
        read: File,
        folder: Option<&str>,
        part: Option<Part>,
    ) -> Result<Option<(PathBuf, Item)>, DataError> {
        let Some(shapes) = &read.shapes else {
            self.catalog.odd(Fault::ForeignFile, file.display().to_string());
            return Ok(None);
        };
        let path = self.picture(file, read.image.as_deref())?;
        let regions: Result<Vec<(Region, f64)>, DataError> = shapes
            .iter()
            .enumerate()
            .map(|(i, shape)| {
                region(shape, self.options.line_radius).map_err(|message| DataError::Entry {
                    file: file.to_path_buf(),
                    place: format!("shape {}", i + 1),
                    message,
                })
            })
            .collect();
        let regions = regions?;
        let label = match folder {
            Some(folder) => folder.to_owned(),
            None => match label(&read, shapes, &regions) {
                Some(label) => label,
                None => {
                    self.catalog.odd(Fault::NoLabel, file.display().to_string());
                    return Ok(None);
                }
            },
        };
        let alike = folder.is_none() && shapes.iter().any(|shape| shape.label == label);
        let chosen = shapes.iter().zip(regions).filter(|(shape, _)| !alike || shape.label == label);
        let chosen: Vec<Region> = chosen.map(|(_, (region, _))| region).collect();
        let class = self.class(&label);
        let name = relative(&path, self.base.folder());
        let mut item = Item::new(Picture::File(path.clone()), name, &class);
        item.part = part;
        item.place = Some(relative(file, self.base.folder()));
        if !chosen.is_empty() {
            let size = read.width.zip(read.height).filter(|(width, height)| *width > 0 && *height > 0);
            let place = "shapes".to_owned();
            let regions = Regions { file: file.to_path_buf(), place, size, regions: chosen };
            item.explanation = Explanation::Regions(Arc::new(regions));
        }
        Ok(Some((path, item)))
    }

    /// As the file says; else beside the file, under the same name with or without the folders before it.
    fn picture(&self, file: &Path, named: Option<&str>) -> Result<PathBuf, DataError> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let Some(named) = named.filter(|named| !named.is_empty()) else {
            let twin = list(folder)?
                .files
                .into_iter()
                .find(|it| is_picture(it) && it.file_stem() == file.file_stem());
            return twin.ok_or_else(|| DataError::Entry {
                file: file.to_path_buf(),
                place: "imagePath".to_owned(),
                message: "it names no image, and none of the same name lies beside it; put one there"
                    .to_owned(),
            });
        };
        let last = named.rsplit(['/', '\\']).next().unwrap_or(named);
        // Absolute paths of another machine, and such as `..\images\x.jpg`, often lie beside the file by now.
        let beside = folder.join(last);
        if last != named && beside.is_file() {
            return Ok(beside);
        }
        self.base.resolve_from(folder, named, file, "imagePath")
    }
}

fn is_json(file: &Path) -> bool {
    extension(file) == "json"
}

fn is_picture(file: &Path) -> bool {
    kind(file) == Kind::Picture
}

/// The one flag that is set, or the label with the largest area; of equal areas the first name.
fn label(file: &File, shapes: &[Shape], regions: &[(Region, f64)]) -> Option<String> {
    let mut set = file.flags.iter().flatten().filter(|(_, set)| **set).map(|(flag, _)| flag);
    if let (Some(flag), None) = (set.next(), set.next()) {
        return Some(flag.clone());
    }
    let mut areas: BTreeMap<&str, f64> = BTreeMap::new();
    for (shape, (_, area)) in shapes.iter().zip(regions) {
        *areas.entry(&shape.label).or_default() += area;
    }
    let largest = areas.into_iter().fold(None, |best: Option<(&str, f64)>, (name, area)| {
        if best.is_none_or(|(_, most)| area > most) { Some((name, area)) } else { best }
    });
    largest.map(|(name, _)| name.to_owned())
}

/// A shape as a region, and its area in pixels. labelme writes no type for polygons in old files.
fn region(shape: &Shape, radius: f64) -> Result<(Region, f64), String> {
    let points = &shape.points;
    let kind = shape.shape_type.as_deref().unwrap_or("polygon");
    let pair = || {
        <[[f64; 2]; 2]>::try_from(points.as_slice())
            .map_err(|_| format!("a {kind} has two points, and this one has {}; draw it again", points.len()))
    };
    let at_least = |n: usize| match points.len() {
        found if found < n => {
            Err(format!("a {kind} has {n} points or more, and this one has {found}; draw it again"))
        }
        _ => Ok(points.clone()),
    };
    let across = |[a, b]: [[f64; 2]; 2]| ((a[0] - b[0]).abs(), (a[1] - b[1]).abs());
    Ok(match kind {
        "polygon" => {
            let corners = at_least(3)?;
            let twice: f64 = corners
                .iter()
                .zip(corners.iter().cycle().skip(1))
                .map(|(a, b)| a[0] * b[1] - b[0] * a[1])
                .sum();
            (Region::Figure(Figure::Polygon(corners)), twice.abs() / 2.0)
        }
        "rectangle" => {
            let (width, height) = across(pair()?);
            (Region::Figure(Figure::Rectangle(pair()?)), width * height)
        }
        "circle" => {
            let (width, height) = across(pair()?);
            let area = std::f64::consts::PI * (width * width + height * height);
            (Region::Figure(Figure::Circle(pair()?)), area)
        }
        "line" | "linestrip" => {
            let points = at_least(2)?;
            let length: f64 =
                points.windows(2).map(|ends| (ends[0][0] - ends[1][0]).hypot(ends[0][1] - ends[1][1])).sum();
            (Region::Figure(Figure::Line(points, radius)), 2.0 * radius * length)
        }
        "point" | "points" => {
            let points = at_least(1)?;
            let area = points.len() as f64 * std::f64::consts::PI * radius * radius;
            (Region::Figure(Figure::Points(points, radius)), area)
        }
        "mask" => {
            let (width, height) = across(pair()?);
            let packed = shape.mask.clone().ok_or("a mask without its picture; draw it again")?;
            (Region::Crop(pair()?, packed), width * height)
        }
        other => {
            return Err(format!(
                "the shape `{other}` is not known; known are polygon, rectangle, circle, line, linestrip, point, points, mask"
            ));
        }
    })
}

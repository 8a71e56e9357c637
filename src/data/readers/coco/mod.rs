//! COCO annotations: categories, and regions of pictures that belong to them.
//!
//! A picture's class is by rule ([`ReadOptions::coco_label`]): the category with the largest area in it; its only
//! category; or one category by name against all else. The regions of that category are its explanation: polygons and
//! runs as they are, a box where an annotation has nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::{Catalog, Explanation, Item, Part, Picture};
use super::detect::json_format;
use super::fault::Fault;
use super::json;
use super::options::{Format, ReadOptions};
use super::paths::{Base, expect_folder, extension, file_name, list, relative};
use super::regions::Regions;
use crate::data::DataError;
use layout::{Annotation, File, Id, Image};

mod layout;

/// The class of pictures without the category that was named.
const OTHER: &str = "other";

pub(super) fn catalog(path: &Path, options: &ReadOptions) -> Result<Catalog, DataError> {
    let (root, files) = if path.is_file() {
        let folder = path.parent().unwrap_or(Path::new("."));
        let root = match file_name(folder).to_lowercase().as_str() {
            "annotations" => folder.parent().unwrap_or(folder),
            _ => folder,
        };
        (root.to_path_buf(), vec![path.to_path_buf()])
    } else {
        expect_folder(path)?;
        let mut annotations = Vec::new();
        for file in files(path)? {
            // A file that cannot be read may be half of the data.
            if json_format(&file)?.is_some_and(|(format, _)| format == Format::Coco) {
                annotations.push(file);
            }
        }
        (path.to_path_buf(), annotations)
    };
    let root = if root.as_os_str().is_empty() { PathBuf::from(".") } else { root };
    let mut reader = Reader {
        base: Base::new(&root, options.allow_outside),
        catalog: Catalog::new(&root),
        classes: BTreeMap::new(),
        rule: &options.coco_label,
        seen: BTreeSet::new(),
    };
    if files.is_empty() {
        let path = root.join("annotations/instances_train.json");
        return Err(DataError::MissingPart { path, format: "coco" });
    }
    for file in &files {
        let part = match files.len() {
            1 => None,
            _ => Some(part_of(file).ok_or_else(|| DataError::Entry {
                file: file.clone(),
                place: "its name".to_owned(),
                message: "with several annotation files each name must say train, val or test; rename it, or give the one that is meant".to_owned(),
            })?),
        };
        reader.file(file, part)?;
    }
    Ok(reader.catalog)
}

/// Files that may hold annotations: in `annotations` (those of instances, if any are), in the root, or one in each
/// folder of a part.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let json = |folder: &Path| -> Result<Vec<PathBuf>, DataError> {
        Ok(list(folder)?.files.into_iter().filter(|file| extension(file) == "json").collect())
    };
    let listing = list(root)?;
    if let Some(folder) = listing.folders.iter().find(|it| file_name(it).to_lowercase() == "annotations") {
        let all = json(folder)?;
        let instances: Vec<PathBuf> =
            all.iter().filter(|file| file_name(file).starts_with("instances")).cloned().collect();
        return Ok(if instances.is_empty() { all } else { instances });
    }
    let mut found = json(root)?;
    if found.is_empty() {
        for folder in listing.folders.iter().filter(|it| Part::named(&file_name(it)).is_some()) {
            found.extend(json(folder)?.into_iter().filter(|file| file_name(file).contains("coco")));
        }
    }
    // A folder full of small files is labelme's.
    found.truncate(64);
    Ok(found)
}

/// The part that a file's name says, or that of its folder: `instances_val2017.json`, `valid/_annotations.coco.json`.
fn part_of(file: &Path) -> Option<Part> {
    let folder = file.parent().map(file_name).unwrap_or_default();
    let name = file_name(file);
    let words = name.split(|c: char| !c.is_alphabetic()).chain([folder.as_str()]);
    words.filter_map(Part::named).next()
}

struct Reader<'a> {
    base: Base,
    catalog: Catalog,
    classes: BTreeMap<String, Arc<str>>,
    rule: &'a str,
    seen: BTreeSet<PathBuf>,
}

impl Reader<'_> {
    fn file(&mut self, file: &Path, part: Option<Part>) -> Result<(), DataError> {
        let File { images, annotations, categories } = json::read(file)?;
        let categories: BTreeMap<Id, String> = categories.into_iter().map(|it| (it.id, it.name)).collect();
        let named = !["largest", "single"].contains(&self.rule);
        if named && !categories.values().any(|name| name == self.rule) {
            return Err(DataError::Option {
                option: "--coco-label",
                value: self.rule.to_owned(),
                allowed: "largest, single, or the name of one of the file's categories",
            });
        }
        let folder = self.pictures(file, images.first());
        let known: BTreeSet<&Id> = images.iter().map(|image| &image.id).collect();
        let mut of: BTreeMap<&Id, Vec<(usize, &Annotation)>> = BTreeMap::new();
        for (i, annotation) in annotations.iter().enumerate() {
            let entry = |message: String| entry(file, i, message);
            if !known.contains(&annotation.image_id) {
                let error = entry(format!("there is no image {}; remove it", annotation.image_id));
                self.catalog.errors.push(error);
            } else if !categories.contains_key(&annotation.category_id) {
                let error = entry(format!("there is no category {}; add it", annotation.category_id));
                self.catalog.errors.push(error);
            } else {
                of.entry(&annotation.image_id).or_default().push((i, annotation));
            }
        }
        for image in &images {
            let own = of.get(&image.id).map(Vec::as_slice).unwrap_or_default();
            match self.item(file, &folder, image, own, &categories) {
                Ok(Some(mut item)) => {
                    item.part = part;
                    self.catalog.items.push(item);
                }
                Ok(None) => {}
                Err(error) => self.catalog.errors.push(error),
            }
        }
        Ok(())
    }

    /// The folder that holds the pictures: where the first of them is.
    fn pictures(&self, file: &Path, first: Option<&Image>) -> PathBuf {
        let beside = file.parent().unwrap_or(Path::new("."));
        let stem = file_name(file);
        let word = stem.trim_end_matches(".json").rsplit('_').next().unwrap_or_default().to_owned();
        let root = self.base.folder();
        let mut folders = vec![beside.to_path_buf(), beside.join("images"), root.to_path_buf()];
        folders.push(root.join("images"));
        folders.extend([root.join(&word), root.join("images").join(&word)]);
        let holds = |folder: &&PathBuf| first.is_some_and(|image| folder.join(&image.file_name).is_file());
        folders.iter().find(holds).unwrap_or(&folders[0]).clone()
    }

    fn item(
        &mut self,
        file: &Path,
        folder: &Path,
        image: &Image,
        annotations: &[(usize, &Annotation)],
        categories: &BTreeMap<Id, String>,
    ) -> Result<Option<Item>, DataError> {
        let place = format!("image {}", image.id);
        let path = self.base.resolve_from(folder, &image.file_name, file, &place)?;
        if !self.seen.insert(path.clone()) {
            let message = format!("{} is listed twice; remove one of them", image.file_name);
            return Err(DataError::Entry { file: file.to_path_buf(), place, message });
        }
        // Regions by the name of their category.
        let mut regions: BTreeMap<&str, (f64, Vec<usize>)> = BTreeMap::new();
        for (at, (i, annotation)) in annotations.iter().enumerate() {
            let area = annotation.area().map_err(|message| entry(file, *i, message))?;
            let own = regions.entry(&categories[&annotation.category_id]).or_default();
            own.0 += area;
            own.1.push(at);
        }
        let label = match self.rule {
            "single" if regions.len() > 1 => {
                self.catalog.odd(Fault::NoLabel, format!("{} (several categories)", image.file_name));
                return Ok(None);
            }
            "largest" | "single" => {
                // Of equal areas the first name.
                let largest = regions.iter().fold(None, |best: Option<(&str, f64)>, (name, (area, _))| {
                    if best.is_none_or(|(_, most)| *area > most) { Some((name, *area)) } else { best }
                });
                let Some((name, _)) = largest else {
                    self.catalog.odd(Fault::NoLabel, image.file_name.clone());
                    return Ok(None);
                };
                name
            }
            name if regions.contains_key(name) => name,
            _ => OTHER,
        };
        let class = self.classes.entry(label.to_owned()).or_insert_with(|| label.into()).clone();
        let name = relative(&path, self.base.folder());
        let mut item = Item::new(Picture::File(path), name, &class);
        item.place = Some(format!("{}, {place}", file_name(file)));
        if let Some((_, chosen)) = regions.get(label) {
            let mut all = Vec::new();
            for &at in chosen {
                let (i, annotation) = annotations[at];
                all.extend(annotation.regions().map_err(|message| entry(file, i, message))?);
            }
            item.explanation = Explanation::Regions(Arc::new(Regions {
                file: file.to_path_buf(),
                place,
                size: image.size(),
                regions: all,
            }));
        }
        Ok(Some(item))
    }
}

fn entry(file: &Path, annotation: usize, message: String) -> DataError {
    DataError::Entry { file: file.to_path_buf(), place: format!("annotation {}", annotation + 1), message }
}

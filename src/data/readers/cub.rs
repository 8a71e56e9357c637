//! CUB-200-2011: lists of numbered pictures, their classes, parts and boxes; segmentations in a tree of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::{Catalog, Explanation, Item, Part, Picture};
use super::fault::Fault;
use super::json;
use super::options::ReadOptions;
use super::paths::{Base, expect_folder, without_extension};
use super::regions::{Regions, sound_box};
use crate::data::DataError;

/// A line's number in the file, and what stands behind the picture's number.
type Lines = BTreeMap<u64, (usize, String)>;

pub(super) fn catalog(root: &Path, options: &ReadOptions) -> Result<Catalog, DataError> {
    expect_folder(root)?;
    let mut catalog = Catalog::new(root);
    let mut read = |name: &str, needed: bool| lines(&root.join(name), needed, &mut catalog.errors);
    let images = read("images.txt", true)?;
    let labels = read("image_class_labels.txt", true)?;
    let names = read("classes.txt", true)?;
    let split = read("train_test_split.txt", false)?;
    let boxes = read("bounding_boxes.txt", false)?;
    let entry = |file: &str, line: usize, message: String| DataError::Entry {
        file: root.join(file),
        place: format!("line {line}"),
        message,
    };
    let base = Base::new(root, options.allow_outside);
    let classes: BTreeMap<u64, Arc<str>> =
        names.into_iter().map(|(id, (_, name))| (id, Arc::from(name.as_str()))).collect();
    // As it is packed, the tree lies beside the data's folder as well as in it.
    let segmentations = [root.join("segmentations"), root.join("../segmentations")];
    let segmentations = segmentations.into_iter().find(|folder| folder.is_dir());
    for (id, (line, name)) in &images {
        let place = format!("line {line}");
        let found = (|| {
            let (at, label) = labels.get(id).ok_or_else(|| {
                entry(
                    "images.txt",
                    *line,
                    format!("picture {id} has no line in image_class_labels.txt; add it"),
                )
            })?;
            let class = label.parse().ok().and_then(|class: u64| classes.get(&class)).ok_or_else(|| {
                entry(
                    "image_class_labels.txt",
                    *at,
                    format!("there is no class `{label}` in classes.txt; add it"),
                )
            })?;
            let images = base.folder().join("images");
            let path = base.resolve_from(&images, name, &root.join("images.txt"), &place)?;
            let mut item = Item::new(Picture::File(path), format!("images/{name}"), class);
            item.place = Some(format!("images.txt, {place}"));
            if !split.is_empty() {
                item.part = Some(match split.get(id).map(|(_, word)| word.as_str()) {
                    Some("1") => Part::Train,
                    Some("0") => Part::Test,
                    _ => {
                        let message = format!("picture {id} has no 0 or 1 in train_test_split.txt; add it");
                        return Err(entry("images.txt", *line, message));
                    }
                });
            }
            item.explanation = explanation(root, name, segmentations.as_deref(), boxes.get(id))?;
            Ok(item)
        })();
        match found {
            Ok(item) => catalog.items.push(item),
            Err(error) => catalog.errors.push(error),
        }
    }
    for (id, (line, _)) in &labels {
        if !images.contains_key(id) {
            catalog.odd(Fault::NoLabel, format!("image_class_labels.txt, line {line}: no such picture"));
        }
    }
    if segmentations.is_none() && !boxes.is_empty() {
        catalog.notes.push(
            "there is no folder `segmentations`, so that bounding boxes explain the pictures; unpack it beside `images` for outlines"
                .to_owned(),
        );
    }
    Ok(catalog)
}

/// The segmentation, where there is a tree of them; else the box.
fn explanation(
    root: &Path,
    name: &str,
    segmentations: Option<&Path>,
    sides: Option<&(usize, String)>,
) -> Result<Explanation, DataError> {
    if let Some(tree) = segmentations {
        let mask: PathBuf = tree.join(format!("{}.png", without_extension(name)));
        return Ok(if mask.is_file() { Explanation::Mask(mask) } else { Explanation::None });
    }
    let Some((line, text)) = sides else { return Ok(Explanation::None) };
    let (file, place) = (root.join("bounding_boxes.txt"), format!("line {line}"));
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match <[f64; 4]>::try_from(numbers) {
        Ok(sides) if sound_box(sides) => {
            Ok(Explanation::Regions(Arc::new(Regions::boxed(file, place, sides))))
        }
        _ => Err(DataError::Entry {
            file,
            place,
            message: format!("`{text}` is no box; four numbers x, y, width, height are expected"),
        }),
    }
}

/// `<number> <rest>` lines by number.
fn lines(path: &Path, needed: bool, errors: &mut Vec<DataError>) -> Result<Lines, DataError> {
    if !path.exists() {
        return match needed {
            true => Err(DataError::MissingPart { path: path.to_path_buf(), format: "cub" }),
            false => Ok(Lines::new()),
        };
    }
    let bytes = json::text(path)?;
    let mut lines = Lines::new();
    for (i, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let parsed =
            line.split_once(char::is_whitespace).and_then(|(id, rest)| Some((id.parse().ok()?, rest)));
        let entry = |message: String| DataError::Entry {
            file: path.to_path_buf(),
            place: format!("line {}", i + 1),
            message,
        };
        match parsed {
            None => errors.push(entry(format!("`{line}` is no number with a word behind it; mend it"))),
            Some((id, rest)) => {
                if lines.insert(id, (i + 1, rest.trim().to_owned())).is_some() {
                    errors.push(entry(format!("the number {id} stands on two lines; remove one")));
                }
            }
        }
    }
    Ok(lines)
}

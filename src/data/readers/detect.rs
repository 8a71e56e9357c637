//! Which format fits a path, and why.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::catalog::Part;
use super::options::Format;
use super::paths::{Kind, expect_folder, extension, file_name, is_masks, kind, list};
use super::{coco, json, manifest};
use crate::data::{DataError, idx};

/// Finds the one format that fits, and what speaks for it. Two that fit are an error with the remedy; a folder that fits
/// none is taken for an image folder, whose reader says what is missing.
pub fn detect(path: &Path) -> Result<(Format, String), DataError> {
    if path.is_file() {
        return file(path);
    }
    expect_folder(path)?;
    let (mut fits, broken) = folder(path)?;
    match (fits.len(), broken) {
        // What the file was meant to be is hard to tell, and that it is broken is not.
        (0, Some(error)) => Err(error),
        (0, None) => Ok((Format::Folder, "as no other format fits".to_owned())),
        (1, _) => Ok(fits.swap_remove(0)),
        _ => {
            let (second, first) = (fits.swap_remove(1), fits.swap_remove(0));
            let choice = |fit: &Fit| format!("{} ({})", fit.0, fit.1);
            Err(DataError::Ambiguous {
                path: path.to_path_buf(),
                choices: format!("{} and as {}", choice(&first), choice(&second)),
                flags: format!("--format {} or --format {}", first.0, second.0),
            })
        }
    }
}

fn file(path: &Path) -> Result<Fit, DataError> {
    let unknown = || DataError::UnknownFile { path: path.to_path_buf() };
    let ending = extension(path);
    match ending.as_str() {
        "csv" => Ok((Format::Csv, "it is a .csv file".to_owned())),
        "jsonl" | "ndjson" => Ok((Format::Jsonl, format!("it is a .{ending} file"))),
        "json" => json_format(path)?.ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

/// A format, and what speaks for it.
type Fit = (Format, String);

/// All formats that fit a folder, and the first JSON file in the place of annotations that cannot be read.
fn folder(root: &Path) -> Result<(Vec<Fit>, Option<DataError>), DataError> {
    let there = |names: &[&str]| names.iter().all(|name| root.join(name).is_file());
    let mut fits = Vec::new();
    if there(&["images.txt", "image_class_labels.txt"]) {
        fits.push((Format::Cub, "it has images.txt and image_class_labels.txt".to_owned()));
    }
    if there(&["annotations/list.txt"]) || there(&["annotations/trainval.txt", "annotations/test.txt"]) {
        fits.push((Format::Pet, "it has annotations/list.txt or trainval.txt and test.txt".to_owned()));
    }
    if idx::is_idx(root) {
        fits.push((Format::Idx, "it has a train-images file".to_owned()));
    }
    // Folders that a table names are no classes, unless it gives their names as labels.
    let mut classes_named = true;
    for file in list(root)?.files {
        if let Some((format, by_folder)) = manifest::looks_like(&file) {
            classes_named &= by_folder;
            fits.push((format, format!("{} has the columns image and label", file_name(&file))));
        }
    }
    let mut broken = None;
    let mut is = |file: &Path, wanted: Format| match json_format(file) {
        Ok(found) => found.is_some_and(|(format, _)| format == wanted),
        Err(error) => {
            broken.get_or_insert(error);
            false
        }
    };
    if let Some(file) = coco::files(root)?.iter().find(|file| is(file, Format::Coco)) {
        fits.push((Format::Coco, format!("{} holds COCO annotations", file_name(file))));
    }
    let classes = class_folders(root)?;
    let labelme = first_json(root, &classes)?.filter(|file| is(file, Format::Labelme));
    let special = !fits.is_empty();
    if let Some(file) = &labelme {
        fits.push((Format::Labelme, format!("{} is a labelme file", file_name(file))));
    }
    // Annotations beside the pictures of class folders belong to them; folders of a split are no classes.
    let split = |folder: &PathBuf| {
        let name = file_name(folder).to_lowercase();
        ["train", "val", "test", "images"].iter().any(|word| name.starts_with(word))
    };
    let classes: Vec<&PathBuf> =
        classes.iter().filter(|folder| !special || folder.parent() != Some(root) || !split(folder)).collect();
    let masks = list(root)?.folders.iter().any(|folder| is_masks(folder));
    if classes.len() > 1 && classes_named && (labelme.is_none() || masks) {
        let names: Vec<String> = classes.iter().take(2).map(|folder| file_name(folder)).collect();
        fits.push((Format::Folder, format!("it has class folders such as {}", names.join(" and "))));
    }
    Ok((fits, broken))
}

/// Folders with pictures, in `root` or in its `train`.
fn class_folders(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let folders = list(root)?.folders;
    let train = folders.iter().find(|folder| Part::named(&file_name(folder)) == Some(Part::Train));
    let mut found = Vec::new();
    for base in train.into_iter().map(PathBuf::as_path).chain([root]) {
        for folder in list(base)?.folders.into_iter().filter(|folder| !is_masks(folder)) {
            if list(&folder)?.files.iter().any(|file| kind(file) == Kind::Picture) {
                found.push(folder);
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    Ok(found)
}

/// A JSON file that may be labelme's: in the root, in a class folder, or in any folder of the root.
fn first_json(root: &Path, classes: &[PathBuf]) -> Result<Option<PathBuf>, DataError> {
    let folders = list(root)?.folders;
    for folder in [root.to_path_buf()].iter().chain(classes).chain(&folders) {
        if let Some(file) = list(folder)?.files.into_iter().find(|file| extension(file) == "json") {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Keys of a JSON file that tell what it is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Keys {
    images: Option<IgnoredAny>,
    annotations: Option<IgnoredAny>,
    shapes: Option<IgnoredAny>,
}

/// COCO or labelme, by the keys of the whole; `None` for other JSON.
pub(super) fn json_format(path: &Path) -> Result<Option<Fit>, DataError> {
    let keys: Keys = json::read(path)?;
    Ok(match keys {
        Keys { images: Some(_), annotations: Some(_), .. } => {
            Some((Format::Coco, "it has the keys images and annotations".to_owned()))
        }
        Keys { shapes: Some(_), .. } => Some((Format::Labelme, "it has the key shapes".to_owned())),
        _ => None,
    })
}

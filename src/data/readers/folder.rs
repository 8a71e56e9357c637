//! Image folders: `root/<class>/<image>` or `root/{train,val,test}/<class>/<image>`, with masks where there are any.
//!
//! A mask lies in a `masks` tree under the same relative path (beside the class folders, beside `train`, or inside
//! a class folder), or beside its picture as `name.mask.png`, `name_mask.png` or `name_segmentation.png`. Its
//! extension may be another one, and upper and lower case count as equal. Without a mask file, the alpha channel
//! of a picture is its explanation, unless it is opaque all over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::catalog::{Catalog, Explanation, Item, Part, Picture};
use super::fault::Fault;
use super::paths::{Kind, expect_folder, file_name, is_masks, key, kind, list, relative, without_extension};
use crate::data::DataError;

/// Deep enough for any mask tree, and an end to a circle of links.
const DEEPEST: usize = 8;

/// Finds all pictures and masks.
pub(super) fn catalog(root: &Path) -> Result<Catalog, DataError> {
    expect_folder(root)?;
    let listing = list(root)?;
    let parts: Vec<(Part, &PathBuf)> = Part::ALL
        .into_iter()
        .filter_map(|part| {
            let named = |dir: &&PathBuf| Part::named(&file_name(dir)) == Some(part);
            Some((part, listing.folders.iter().find(named)?))
        })
        .collect();
    let mut scan = Scan { catalog: Catalog::new(root), masks: BTreeMap::new(), used: BTreeSet::new() };
    scan.masks_of(root)?;
    match parts.first() {
        None => scan.section(None, root)?,
        Some((Part::Train, _)) => {
            listing.files.iter().for_each(|file| scan.stray(file));
            for (part, path) in &parts {
                scan.masks_of(path)?;
                scan.section(Some(*part), path)?;
            }
            let known = |dir: &PathBuf| is_masks(dir) || parts.iter().any(|(_, part)| *part == dir);
            for other in listing.folders.iter().filter(|dir| !known(dir)) {
                scan.catalog.odd(Fault::UnknownFolder, other.display().to_string());
            }
        }
        Some((_, other)) => {
            return Err(DataError::NoTrain { path: root.to_path_buf(), part: file_name(other) });
        }
    }
    Ok(scan.finish())
}

/// What has been met on the way.
struct Scan {
    catalog: Catalog,
    /// Masks by the path of their picture, lower case and without extension.
    masks: BTreeMap<String, Vec<PathBuf>>,
    used: BTreeSet<PathBuf>,
}

impl Scan {
    /// The class folders in `path`.
    fn section(&mut self, part: Option<Part>, path: &Path) -> Result<(), DataError> {
        let listing = list(path)?;
        listing.files.iter().for_each(|file| self.stray(file));
        let before = self.catalog.items.len();
        for folder in listing.folders.iter().filter(|dir| !is_masks(dir)) {
            self.masks_of(folder)?;
            let inside = list(folder)?;
            for dir in inside.folders.iter().filter(|dir| !is_masks(dir)) {
                self.catalog.odd(Fault::MisplacedFile, dir.display().to_string());
            }
            let mut pictures = Vec::new();
            for file in inside.files {
                match kind(&file) {
                    Kind::Picture => pictures.push(file),
                    Kind::Mask => self.add_mask(&file, folder, folder),
                    Kind::Foreign(_) => self.catalog.odd(Fault::ForeignFile, file.display().to_string()),
                }
            }
            if pictures.is_empty() {
                self.catalog.errors.push(DataError::EmptyClass { path: folder.clone() });
            }
            let class: Arc<str> = file_name(folder).into();
            for image in pictures {
                let name = relative(&image, &self.catalog.root);
                let mut item = Item::new(Picture::File(image.clone()), name.clone(), &class);
                item.part = part;
                if let Some(mask) = self.mask_for(&image, &name) {
                    item.explanation = Explanation::Mask(mask);
                }
                self.catalog.items.push(item);
            }
        }
        if self.catalog.items.len() == before {
            // A class folder without images may be why.
            let empty = DataError::NoImages { path: path.to_path_buf() };
            return Err(self.catalog.errors.drain(..).next().unwrap_or(empty));
        }
        Ok(())
    }

    /// A file outside of the class folders.
    fn stray(&mut self, file: &Path) {
        if kind(file) == Kind::Picture {
            self.catalog.odd(Fault::MisplacedFile, file.display().to_string());
        }
    }

    /// Indexes the `masks` folder of `base`, if it has one.
    fn masks_of(&mut self, base: &Path) -> Result<(), DataError> {
        for tree in list(base)?.folders.into_iter().filter(|dir| is_masks(dir)) {
            let mut open = vec![(tree.clone(), 0)];
            while let Some((folder, depth)) = open.pop() {
                let listing = list(&folder)?;
                for file in listing.files.iter().filter(|file| !matches!(kind(file), Kind::Foreign(_))) {
                    self.add_mask(file, &tree, base);
                }
                if depth < DEEPEST {
                    open.extend(listing.folders.into_iter().map(|folder| (folder, depth + 1)));
                }
            }
        }
        Ok(())
    }

    /// Notes a mask whose path under `tree` is that of its picture under `base`.
    fn add_mask(&mut self, mask: &Path, tree: &Path, base: &Path) {
        let place = base.join(mask.strip_prefix(tree).unwrap_or(mask));
        self.masks.entry(key(&relative(&place, &self.catalog.root))).or_default().push(mask.to_path_buf());
    }

    fn mask_for(&mut self, image: &Path, name: &str) -> Option<PathBuf> {
        // Not `key`: a picture's own stem is taken as it is.
        let mut found = self.masks.get(&without_extension(name).to_lowercase()).cloned()?;
        self.used.extend(found.iter().cloned());
        if found.len() > 1 {
            self.catalog.odd(Fault::SeveralMasks, name);
        }
        // With `a.png` and `A.png` side by side, each gets the mask that is written like it.
        found.sort_by_key(|mask| {
            (mask.file_name() != image.file_name(), mask.file_stem() != image.file_stem())
        });
        found.into_iter().next()
    }

    fn finish(mut self) -> Catalog {
        for mask in self.masks.values().flatten().filter(|it| !self.used.contains(*it)) {
            self.catalog.odd(Fault::OrphanMask, mask.display().to_string());
        }
        self.catalog
    }
}

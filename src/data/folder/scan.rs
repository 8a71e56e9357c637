//! Which files are pictures, which are masks, and which belong together.

use crate::data::DataError;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Extensions that the features of the `image` crate chosen here decode.
const EXTENSIONS: [&str; 16] = [
    "bmp", "gif", "jpe", "jpeg", "jpg", "pam", "pbm", "pgm", "png", "pnm", "ppm", "qoi", "tga", "tif",
    "tiff", "webp",
];
/// Ends of a stem that make a file the mask of its neighbour.
const MASK_ENDS: [&str; 3] = [".mask", "_mask", "_segmentation"];
/// Deep enough for any mask tree, and an end to a circle of links.
const DEEPEST: usize = 8;

/// A part of the data set; its number is its place in the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Val,
    Test,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        })
    }
}

/// The pictures of one part.
pub(super) struct Section {
    pub(super) part: Part,
    pub(super) path: PathBuf,
    /// In natural order.
    pub(super) classes: Vec<String>,
    /// By class, then in natural order.
    pub(super) items: Vec<Item>,
}

/// A picture and its mask.
pub(super) struct Item {
    pub(super) image: PathBuf,
    pub(super) mask: Option<PathBuf>,
    /// Index into the section's classes.
    pub(super) class: usize,
    /// Path relative to the root.
    pub(super) name: String,
}

/// Finds all pictures and masks. The first section is train.
pub(super) fn sections(root: &Path, warnings: &mut Vec<String>) -> Result<Vec<Section>, DataError> {
    if !root.exists() {
        return Err(DataError::NotFound { path: root.to_path_buf() });
    }
    if !root.is_dir() {
        return Err(DataError::NotAFolder { path: root.to_path_buf() });
    }
    let listing = list(root)?;
    let find = |names: &[&str]| {
        let named = |dir: &&PathBuf| names.iter().any(|name| lower(&file_name(dir)) == *name);
        listing.folders.iter().find(named).cloned()
    };
    let parts = [
        (Part::Train, find(&["train", "training"])),
        (Part::Val, find(&["val", "valid", "validation"])),
        (Part::Test, find(&["test", "testing"])),
    ];
    let mut scan = Scan::new(root);
    scan.masks_of(root)?;
    let mut sections = Vec::new();
    if let [(_, None), others @ ..] = &parts {
        if let Some((_, Some(other))) = others.iter().find(|(_, path)| path.is_some()) {
            return Err(DataError::NoTrain { path: root.to_path_buf(), part: file_name(other) });
        }
        sections.push(scan.section(Part::Train, root)?);
    } else {
        scan.misplaced.extend(listing.files.into_iter().filter(|file| kind(file) == Kind::Picture));
        for (part, path) in parts.iter().filter_map(|(part, path)| Some((*part, path.as_ref()?))) {
            scan.masks_of(path)?;
            sections.push(scan.section(part, path)?);
        }
        let known = |dir: &PathBuf| is_masks(dir) || parts.iter().any(|(_, part)| part.as_ref() == Some(dir));
        for other in listing.folders.iter().filter(|dir| !known(dir)) {
            warnings.push(format!("{} is neither train, val nor test: it was left out", other.display()));
        }
    }
    scan.finish(warnings);
    Ok(sections)
}

/// What has been met on the way.
struct Scan<'a> {
    root: &'a Path,
    /// Masks by the path of their picture, lower case and without extension.
    masks: BTreeMap<String, Vec<PathBuf>>,
    used: BTreeSet<PathBuf>,
    /// Pictures with more than one mask.
    ambiguous: Vec<String>,
    /// Files outside the class folders, and folders inside them.
    misplaced: Vec<PathBuf>,
    /// Files that are no pictures, by extension.
    foreign: BTreeMap<String, usize>,
}

impl<'a> Scan<'a> {
    fn new(root: &'a Path) -> Self {
        let (masks, used, foreign) = Default::default();
        Self { root, masks, used, ambiguous: Vec::new(), misplaced: Vec::new(), foreign }
    }

    fn section(&mut self, part: Part, path: &Path) -> Result<Section, DataError> {
        let listing = list(path)?;
        self.misplaced.extend(listing.files.into_iter().filter(|file| kind(file) == Kind::Picture));
        let (mut classes, mut items) = (Vec::new(), Vec::new());
        for folder in listing.folders.iter().filter(|dir| !is_masks(dir)) {
            self.masks_of(folder)?;
            let inside = list(folder)?;
            self.misplaced.extend(inside.folders.into_iter().filter(|dir| !is_masks(dir)));
            let (mut pictures, before) = (Vec::new(), items.len());
            for file in inside.files {
                match kind(&file) {
                    Kind::Picture => pictures.push(file),
                    Kind::Mask => self.add_mask(&file, folder, folder),
                    Kind::Foreign(extension) => *self.foreign.entry(extension).or_default() += 1,
                }
            }
            for image in pictures {
                let name = relative(&image, self.root);
                let mask = self.mask_for(&image, &name);
                items.push(Item { image, mask, class: classes.len(), name });
            }
            if items.len() == before {
                return Err(DataError::EmptyClass { path: folder.clone() });
            }
            classes.push(file_name(folder));
        }
        if items.is_empty() {
            return Err(DataError::NoImages { path: path.to_path_buf() });
        }
        Ok(Section { part, path: path.to_path_buf(), classes, items })
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
        self.masks.entry(key(&relative(&place, self.root))).or_default().push(mask.to_path_buf());
    }

    fn mask_for(&mut self, image: &Path, name: &str) -> Option<PathBuf> {
        // Not `key`: a picture's own stem is taken as it is.
        let mut found = self.masks.get(&lower(without_extension(name))).cloned()?;
        self.used.extend(found.iter().cloned());
        if found.len() > 1 {
            self.ambiguous.push(name.to_string());
        }
        // With `a.png` and `A.png` side by side, each gets the mask that is written like it.
        found.sort_by_key(|mask| {
            (mask.file_name() != image.file_name(), mask.file_stem() != image.file_stem())
        });
        found.into_iter().next()
    }

    fn finish(self, warnings: &mut Vec<String>) {
        let orphans: Vec<&PathBuf> =
            self.masks.values().flatten().filter(|it| !self.used.contains(*it)).collect();
        if let Some(first) = orphans.first() {
            let n = orphans.len();
            warnings.push(format!("{n} masks belong to no picture; the first: {}", first.display()));
        }
        if let Some(first) = self.ambiguous.first() {
            let n = self.ambiguous.len();
            warnings
                .push(format!("{n} pictures have several masks, of which one is used; the first: {first}"));
        }
        if let Some(first) = self.misplaced.first() {
            let n = self.misplaced.len();
            warnings.push(format!(
                "{n} images outside the class folders, or folders inside them, were left out; the first: {}",
                first.display()
            ));
        }
        if !self.foreign.is_empty() {
            let kinds: Vec<String> = self.foreign.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
            warnings.push(format!("files that are no pictures were left out: {}", kinds.join(", ")));
        }
    }
}

#[derive(PartialEq)]
enum Kind {
    Picture,
    Mask,
    Foreign(String),
}

fn kind(file: &Path) -> Kind {
    let extension = file.extension().map(|it| lower(&it.to_string_lossy())).unwrap_or_default();
    if !EXTENSIONS.contains(&extension.as_str()) {
        return Kind::Foreign(if extension.is_empty() {
            "without extension".into()
        } else {
            format!(".{extension}")
        });
    }
    let stem = lower(without_extension(&file_name(file)));
    if MASK_ENDS.iter().any(|end| stem.ends_with(end)) { Kind::Mask } else { Kind::Picture }
}

/// The pictures in a folder and below it, in natural order; masks and hidden entries are left out.
pub fn pictures_in(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let listing = list(folder)?;
    let mut found: Vec<PathBuf> =
        listing.files.into_iter().filter(|file| kind(file) == Kind::Picture).collect();
    for inner in listing.folders.iter().filter(|inner| !is_masks(inner)) {
        found.extend(pictures_in(inner)?);
    }
    Ok(found)
}

/// What a mask's relative path and that of its picture have in common.
fn key(name: &str) -> String {
    let stem = lower(without_extension(name));
    let shorter = MASK_ENDS.iter().find_map(|end| stem.strip_suffix(end));
    shorter.map_or(stem.clone(), str::to_string)
}

struct Listing {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

/// What is in a folder, hidden entries left out, in natural order.
fn list(folder: &Path) -> Result<Listing, DataError> {
    let refused = |source| DataError::List { path: folder.to_path_buf(), source };
    let mut listing = Listing { folders: Vec::new(), files: Vec::new() };
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        let name = file_name(&path);
        // The latter two are what archives from macOS and network drives leave behind.
        if name.starts_with('.') || name == "__MACOSX" || name == "@eaDir" {
            continue;
        }
        if path.is_dir() { &mut listing.folders } else { &mut listing.files }.push(path);
    }
    let order =
        |a: &PathBuf, b: &PathBuf| natord::compare(&file_name(a), &file_name(b)).then_with(|| a.cmp(b));
    listing.folders.sort_by(order);
    listing.files.sort_by(order);
    Ok(listing)
}

fn is_masks(folder: &Path) -> bool {
    lower(&file_name(folder)) == "masks"
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// With `/` on every system.
fn relative(path: &Path, root: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

fn without_extension(name: &str) -> &str {
    match name.rfind(['.', '/']) {
        Some(at) if at > 0 && name.as_bytes()[at] == b'.' => &name[..at],
        _ => name,
    }
}

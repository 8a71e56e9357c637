//! Folders and the names in them; names in lists, which must not lead out of the data's folder.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::data::DataError;

/// Extensions that the features of the `image` crate chosen here decode.
const EXTENSIONS: [&str; 16] = [
    "bmp", "gif", "jpe", "jpeg", "jpg", "pam", "pbm", "pgm", "png", "pnm", "ppm", "qoi", "tga", "tif",
    "tiff", "webp",
];
/// Ends of a stem that make a file the mask of its neighbour.
const MASK_ENDS: [&str; 3] = [".mask", "_mask", "_segmentation"];

/// What a file is by its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Picture,
    Mask,
    /// Its extension.
    Foreign(String),
}

pub(super) fn kind(file: &Path) -> Kind {
    let extension = extension(file);
    if !EXTENSIONS.contains(&extension.as_str()) {
        return Kind::Foreign(extension);
    }
    let stem = without_extension(&file_name(file)).to_lowercase();
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
pub(super) fn key(name: &str) -> String {
    let stem = without_extension(name).to_lowercase();
    let shorter = MASK_ENDS.iter().find_map(|end| stem.strip_suffix(end));
    shorter.map_or(stem.clone(), str::to_string)
}

/// Lower case, without the dot; empty for none.
pub(super) fn extension(file: &Path) -> String {
    file.extension().map(|it| it.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// What is in a folder.
pub(super) struct Listing {
    pub(super) folders: Vec<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

/// What is in a folder, hidden entries left out, in natural order.
pub(super) fn list(folder: &Path) -> Result<Listing, DataError> {
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

/// Refuses what is no folder.
pub(super) fn expect_folder(root: &Path) -> Result<(), DataError> {
    if !root.exists() {
        return Err(DataError::NotFound { path: root.to_path_buf() });
    }
    if !root.is_dir() {
        return Err(DataError::NotAFolder { path: root.to_path_buf() });
    }
    Ok(())
}

pub(super) fn is_masks(folder: &Path) -> bool {
    file_name(folder).to_lowercase() == "masks"
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// With `/` on every system.
pub(super) fn relative(path: &Path, root: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).components();
    parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
}

pub(super) fn without_extension(name: &str) -> &str {
    match name.rfind(['.', '/']) {
        Some(at) if at > 0 && name.as_bytes()[at] == b'.' => &name[..at],
        _ => name,
    }
}

/// The folder that the names of a list are relative to, and must not leave.
pub(super) struct Base {
    folder: PathBuf,
    /// Without links, where the folder exists.
    whole: Option<PathBuf>,
    allow_outside: bool,
}

impl Base {
    pub(super) fn new(folder: &Path, allow_outside: bool) -> Self {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        Self { folder: folder.to_path_buf(), whole: folder.canonicalize().ok(), allow_outside }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a name in the list `file`; `place` says where it stands. Links that lead out count as out.
    pub(super) fn resolve(&self, name: &str, file: &Path, place: &str) -> Result<PathBuf, DataError> {
        self.resolve_from(&self.folder, name, file, place)
    }

    /// The same for a name that is relative to a folder inside.
    pub(super) fn resolve_from(
        &self,
        from: &Path,
        name: &str,
        file: &Path,
        place: &str,
    ) -> Result<PathBuf, DataError> {
        let mut path = from.join(name);
        if !path.exists() && name.contains('\\') {
            // Written on Windows.
            path = from.join(name.replace('\\', "/"));
        }
        if self.allow_outside {
            return Ok(path);
        }
        let outside = || DataError::Outside {
            file: file.to_path_buf(),
            place: place.to_owned(),
            name: name.to_owned(),
            folder: self.folder.clone(),
        };
        let inside = match (path.canonicalize(), &self.whole) {
            (Ok(real), Some(whole)) => real.starts_with(whole),
            // What does not exist is refused by its name alone, or reported as missing later on.
            _ => path.strip_prefix(&self.folder).is_ok_and(stays),
        };
        if inside { Ok(path) } else { Err(outside()) }
    }
}

/// Whether a relative path never climbs above where it starts.
fn stays(path: &Path) -> bool {
    let mut depth = 0;
    for part in path.components() {
        depth += match part {
            Component::ParentDir => -1,
            Component::CurDir => 0,
            Component::Normal(_) => 1,
            Component::RootDir | Component::Prefix(_) => return false,
        };
        if depth < 0 {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_out_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("data");
        fs::create_dir_all(root.join("a")).unwrap();
        fs::write(root.join("a/in.png"), "x").unwrap();
        fs::write(place.path().join("out.png"), "x").unwrap();
        let base = Base::new(&root, false);
        let ask = |name: &str| base.resolve(name, "list.csv".as_ref(), "line 3");
        for name in ["a/in.png", "a/../a/in.png", "a\\in.png", "a/missing.png", "./a/in.png"] {
            assert!(ask(name).is_ok(), "{name}");
        }
        for name in
            ["../out.png", "a/../../out.png", "../missing.png", "/etc/hostname", "/missing", "..\\out.png"]
        {
            let error = ask(name).map(|path| path.display().to_string()).unwrap_err().to_string();
            assert!(error.contains("list.csv, line 3") && error.contains("--allow-outside"), "{error}");
        }
        assert!(Base::new(&root, true).resolve("../out.png", "l".as_ref(), "").unwrap().exists());
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("data");
        fs::create_dir_all(&root).unwrap();
        fs::write(place.path().join("out.png"), "x").unwrap();
        std::os::unix::fs::symlink("../out.png", root.join("link.png")).unwrap();
        assert!(Base::new(&root, false).resolve("link.png", "l".as_ref(), "").is_err());
    }
}

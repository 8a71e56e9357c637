//! What was tuned, remembered on disk: one file for each adapter, driver, subgroup size and text of the shaders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Tuning;
use crate::exec::Device;
use crate::hash::Fnv;
use crate::plan::Variants;
use crate::shader::SHADERS;
use crate::train::{TrainError, write_atomically};

/// Of the file's layout.
const VERSION: u32 = 1;

/// The file's contents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    version: u32,
    /// Adapter, backend and driver.
    device: String,
    subgroup_size: Option<u32>,
    /// Digest of the text of all shaders.
    shaders: String,
    choices: Variants,
    /// Milliseconds of each candidate, for people.
    milliseconds: BTreeMap<String, BTreeMap<String, f64>>,
}

/// What a look into a tuning file came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Choices for this device.
    Choices(Variants),
    /// There is no file.
    Nothing,
    /// There is one that does not count, and why.
    Ignored(String),
}

impl Remembered {
    /// An empty file for a device.
    pub fn new(device: &Device) -> Self {
        Self::of(device.title(), device.limits().target.subgroup_size)
    }

    fn of(device: String, subgroup_size: Option<u32>) -> Self {
        let texts = SHADERS.iter().fold(Fnv::default(), |hash, shader| hash.with(shader.source.as_bytes()));
        Self {
            version: VERSION,
            device,
            subgroup_size,
            shaders: texts.to_string(),
            choices: Variants::new(),
            milliseconds: BTreeMap::new(),
        }
    }

    /// Reads the choices in a file, if it is whole and of the same device, driver, subgroup size and shaders.
    pub fn read(&self, path: &Path) -> Found {
        match self.read_whole(path) {
            Ok(Some(file)) => Found::Choices(file.choices),
            Ok(None) => Found::Nothing,
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason, "tuning file ignored");
                Found::Ignored(reason)
            }
        }
    }

    fn read_whole(&self, path: &Path) -> Result<Option<Remembered>, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("it cannot be read ({e})")),
        };
        let file: Remembered =
            serde_json::from_str(&text).map_err(|e| format!("it is no tuning file ({e})"))?;
        let same = [
            (file.version == self.version, "an earlier or later program"),
            (file.device == self.device, "another adapter or driver"),
            (file.subgroup_size == self.subgroup_size, "another subgroup size"),
            (file.shaders == self.shaders, "other shaders"),
        ];
        match same.into_iter().find(|(same, _)| !same) {
            Some((_, of)) => Err(format!("it is of {of}")),
            None => Ok(Some(file)),
        }
    }

    /// Adds what was found to a file, in whose place stands a whole one before and after. Choices of other shapes stay; a
    /// file that does not count is replaced.
    pub fn write(&self, path: &Path, tuning: &Tuning) -> Result<(), TrainError> {
        let mut file = self.read_whole(path).ok().flatten().unwrap_or_else(|| self.clone());
        file.choices.extend(tuning.variants());
        for tuned in &tuning.tuned {
            let times = tuned.times.iter().map(|(name, s)| ((*name).to_owned(), (s * 1e6).round() / 1e3));
            file.milliseconds.insert(tuned.key.clone(), times.collect());
        }
        let failed = |message: String| TrainError::File { path: path.to_owned(), message };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|e| failed(format!("its folder cannot be made ({e})")))?;
        }
        let text = serde_json::to_string_pretty(&file).map_err(|e| failed(e.to_string()))?;
        write_atomically(path, text.as_bytes())
    }
}

/// Where the choices of a device are remembered: what `RATIONALE_TUNING` names, else a file in the user's cache folder;
/// `None` where there is neither.
pub fn path(device: &Device) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("RATIONALE_TUNING").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Caches"))
    } else {
        folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))
    };
    let name = format!("kernels-{}.json", Fnv::of(device.title().as_bytes()));
    cache.map(|cache| cache.join("rationale").join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::Tuned;

    fn tuning(shape: &str, chosen: &'static str) -> Tuning {
        let tuned = Tuned {
            key: format!("k[fast,direct]@{shape}"),
            label: "layer".to_owned(),
            flops: 1,
            times: vec![("fast", 2e-3), ("direct", 1e-3)],
            chosen,
        };
        Tuning { tuned: vec![tuned], left_out: 0, seconds: 0.1 }
    }

    #[test]
    fn what_was_tuned_is_found_again_and_joined() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache/of/kernels.json");
        let own = Remembered::of("a card, its driver".to_owned(), Some(8));
        assert_eq!(own.read(&path), Found::Nothing);
        own.write(&path, &tuning("1x2", "direct")).unwrap();
        own.write(&path, &tuning("3x4", "fast")).unwrap();
        let Found::Choices(choices) = own.read(&path) else { panic!("{:?}", own.read(&path)) };
        let wanted: Vec<_> = choices.wanted().iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(wanted, [("k[fast,direct]@1x2", "direct"), ("k[fast,direct]@3x4", "fast")]);
    }

    #[test]
    fn a_corrupt_or_foreign_file_is_ignored_and_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kernels.json");
        let own = Remembered::of("a card, its driver".to_owned(), Some(8));
        let reason = || match own.read(&path) {
            Found::Ignored(reason) => reason,
            other => panic!("{other:?}"),
        };
        for (of, word) in [
            (Remembered::of("a card, a newer driver".to_owned(), Some(8)), "adapter or driver"),
            (Remembered::of("a card, its driver".to_owned(), Some(16)), "subgroup size"),
            (Remembered { shaders: "0".to_owned(), ..own.clone() }, "shaders"),
            (Remembered { version: VERSION + 1, ..own.clone() }, "program"),
        ] {
            std::fs::write(&path, serde_json::to_string(&of).unwrap()).unwrap();
            assert!(reason().contains(word), "{}", reason());
        }
        let whole = serde_json::to_string(&own).unwrap();
        for broken in [&whole[..whole.len() / 2], "", "[]", "\u{0}\u{1}", "{\"version\": -1}"] {
            std::fs::write(&path, broken).unwrap();
            assert!(reason().contains("no tuning file"), "{broken}: {}", reason());
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(reason().contains("cannot be read"), "{}", reason());
        // A file that does not count is replaced by one that does.
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "nonsense").unwrap();
        own.write(&path, &tuning("1x2", "fast")).unwrap();
        assert!(matches!(own.read(&path), Found::Choices(_)));
    }
}

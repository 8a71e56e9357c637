//! Checkpoints: weights, optimiser state and the place in the run, as safetensors, written atomically.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::TrainError;
use crate::hash::Fnv;

/// Raised when old files cannot be read any more.
const VERSION: &str = "1";

/// The state of a run between two epochs.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Checkpoint {
    /// Epochs done.
    pub epoch: usize,
    /// Name, dimensions and values of every weight and every piece of optimiser state.
    pub tensors: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
    /// Seeds, kernel variants and whatever else the run wants to find again.
    pub notes: BTreeMap<String, String>,
}

impl Checkpoint {
    /// What the files say they are.
    pub(crate) const FORMAT: &str = "rationale checkpoint";

    /// Writes the checkpoint so that at every moment either the old file or the new one is whole.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let bytes: BTreeMap<&String, (Vec<usize>, Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, (dims, values))| {
                (name, (dims.clone(), values.iter().flat_map(|value| value.to_le_bytes()).collect()))
            })
            .collect();
        let failed = |e: safetensors::SafeTensorError| TrainError::Checkpoint {
            path: path.to_owned(),
            message: e.to_string(),
        };
        let mut views = Vec::with_capacity(bytes.len());
        for (name, (dims, data)) in &bytes {
            views.push((name.as_str(), TensorView::new(Dtype::F32, dims.clone(), data).map_err(failed)?));
        }
        let mut metadata: HashMap<String, String> = self.notes.clone().into_iter().collect();
        metadata.insert("format".to_owned(), Self::FORMAT.to_owned());
        metadata.insert("version".to_owned(), VERSION.to_owned());
        metadata.insert("epoch".to_owned(), self.epoch.to_string());
        let file = safetensors::serialize(views, Some(metadata)).map_err(failed)?;
        write_atomically(path, &file)
    }

    /// Reads a checkpoint. A damaged, foreign or newer file is an error that says so.
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let file = std::fs::read(path)
            .map_err(|e| TrainError::Checkpoint { path: path.to_owned(), message: e.to_string() })?;
        Self::parse(path, &file)
    }

    /// Reads the bytes of a checkpoint; `path` is for the message.
    pub(crate) fn parse(path: &Path, file: &[u8]) -> Result<Self, TrainError> {
        let wrong = |message: String| TrainError::Checkpoint { path: path.to_owned(), message };
        let damaged = |e: safetensors::SafeTensorError| {
            wrong(format!("is damaged or no safetensors file ({e}); delete it and resume from another one"))
        };
        let (_, header) = SafeTensors::read_metadata(file).map_err(damaged)?;
        let parsed = SafeTensors::deserialize(file).map_err(damaged)?;
        let mut notes: BTreeMap<String, String> =
            header.metadata().clone().unwrap_or_default().into_iter().collect();
        if notes.remove("format").as_deref() != Some(Self::FORMAT) {
            return Err(wrong("is a safetensors file, but no checkpoint of rationale".to_owned()));
        }
        match notes.remove("version") {
            Some(version) if version == VERSION => {}
            version => {
                return Err(wrong(format!(
                    "has version {}, this program reads version {VERSION}; use the program that wrote it",
                    version.unwrap_or_else(|| "none".to_owned())
                )));
            }
        }
        let epoch = notes.remove("epoch").and_then(|epoch| epoch.parse().ok());
        let epoch = epoch.ok_or_else(|| wrong("does not say its epoch; delete it".to_owned()))?;
        let mut tensors = BTreeMap::new();
        for (name, view) in parsed.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(wrong(format!("tensor `{name}` has type {:?}, expected F32", view.dtype())));
            }
            let values =
                view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            tensors.insert(name, (view.shape().to_vec(), values));
        }
        Ok(Self { epoch, tensors, notes })
    }
}

/// Writes a file beside its place, flushes it to the disk and renames it: a reader sees the old file or the new one,
/// never a part of it.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let failed = |e: std::io::Error| TrainError::File {
        path: path.to_owned(),
        message: format!(
            "cannot be written ({e}); what was there before is untouched. Free some space there, or see to its permissions"
        ),
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    #[cfg_attr(not(unix), expect(unused_mut))]
    let mut builder = tempfile::Builder::new();
    // A temporary file is the owner's alone; this one becomes a file like any other, as the umask has it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// A digest of weights for people to compare runs by: FNV-1a over names, dimensions and bits, 16 hexadecimal digits.
pub fn digest<'a>(tensors: impl IntoIterator<Item = (&'a String, &'a (Vec<usize>, Vec<f32>))>) -> String {
    let mut hash = Fnv::default();
    let mut eat = |bytes: &[u8]| hash = hash.with(bytes);
    for (name, (dims, values)) in tensors {
        eat(name.as_bytes());
        dims.iter().for_each(|&dim| eat(&(dim as u64).to_le_bytes()));
        values.iter().for_each(|value| eat(&value.to_bits().to_le_bytes()));
    }
    hash.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Checkpoint {
        Checkpoint {
            epoch: 7,
            tensors: BTreeMap::from([(
                "a.weight".to_owned(),
                (vec![2, 2], vec![1.0, -0.0, f32::MIN_POSITIVE, 4.0]),
            )]),
            notes: BTreeMap::from([("seeds".to_owned(), "1 2 3".to_owned())]),
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        example().save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), example());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays behind");
    }

    #[test]
    fn damaged_and_foreign_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("last.safetensors");
        example().save(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in [0, 7, 8, 40, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = Checkpoint::load(&path).unwrap_err().to_string();
            assert!(error.contains("last.safetensors") && error.contains("damaged"), "{length}: {error}");
        }
        let at = whole.windows(13).position(|w| w == b"\"version\":\"1\"").unwrap();
        let mut newer = whole.clone();
        newer[at + 11] = b'9';
        std::fs::write(&path, newer).unwrap();
        assert!(Checkpoint::load(&path).unwrap_err().to_string().contains("version 9"));
    }

    #[test]
    fn the_digest_sees_every_bit() {
        let one = example();
        let mut other = example();
        other.tensors.get_mut("a.weight").unwrap().1[1] = 0.0;
        assert_ne!(digest(&one.tensors), digest(&other.tensors));
        assert_eq!(digest(&one.tensors), digest(&example().tensors));
    }
}

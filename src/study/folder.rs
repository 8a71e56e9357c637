//! The folder of a study: `study.json` says what runs, `cells/` holds one file per cell, the rest is written from these.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Cell, Job, StudyError};
use crate::train::run::lock;
use crate::train::write_atomically;

/// What runs where.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Program and version.
    pub program: String,
    /// `study`, `compare` or `tune`.
    pub kind: String,
    /// The study, or the data.
    pub name: String,
    /// The command line, to run it again.
    pub command: String,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The arms asked for; empty for all.
    pub methods: Vec<String>,
    /// Epochs where they were set by hand.
    pub epochs: Option<usize>,
    /// Replicas of an agreement study.
    pub models: usize,
    /// Test pictures of generated sets, where they were set by hand.
    pub test_pictures: Option<usize>,
    /// The folder of pictures, where one was given.
    pub data: Option<PathBuf>,
    /// The file of tuned settings, and its content.
    pub tuned: Option<super::tuned::Tuned>,
    /// Adapter, driver and backend, or the CPU.
    pub device: String,
    /// When it was begun, UTC.
    pub started: String,
    /// When it was last taken up, UTC.
    pub latest: String,
}

/// A study's folder that this process owns.
#[derive(Debug)]
pub struct StudyFolder {
    path: PathBuf,
    _lock: Option<File>,
}

/// The manifest's file.
pub const MANIFEST: &str = "study.json";
const CELLS: &str = "cells";

fn failed(path: &Path, message: String) -> StudyError {
    StudyError::File { path: path.to_owned(), message }
}

impl StudyFolder {
    /// Makes the folder, or takes up an earlier run of the same study. The manifest is written with the first start's
    /// time.
    pub fn open(path: &Path, manifest: &mut Manifest) -> Result<Self, StudyError> {
        let cells = path.join(CELLS);
        let file = path.join(MANIFEST);
        match fs::read_dir(path) {
            Ok(entries) => {
                let taken = entries.flatten().any(|entry| entry.file_name() != ".lock");
                if taken && !file.exists() {
                    return Err(failed(
                        path,
                        format!("holds no {MANIFEST} but other files; choose another folder with --out"),
                    ));
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(path, format!("cannot be read ({error})"))),
        }
        if file.exists() {
            let old = Self::manifest(path)?;
            if (&old.kind, &old.name) != (&manifest.kind, &manifest.name) {
                return Err(failed(
                    path,
                    format!(
                        "holds {} {}, not {} {}; choose another folder with --out",
                        old.kind, old.name, manifest.kind, manifest.name
                    ),
                ));
            }
            manifest.started = old.started;
        }
        fs::create_dir_all(&cells).map_err(|e| {
            failed(path, format!("this study folder cannot be made ({e}); choose another with --out"))
        })?;
        let lock = lock(path)?;
        let folder = Self { path: path.to_owned(), _lock: lock };
        folder.write_json(MANIFEST, manifest)?;
        Ok(folder)
    }

    /// Takes up a folder as it is, to write its tables anew.
    pub fn reopen(path: &Path) -> Result<(Self, Manifest), StudyError> {
        let manifest = Self::manifest(path)?;
        let lock = lock(path)?;
        Ok((Self { path: path.to_owned(), _lock: lock }, manifest))
    }

    /// Every cell that is there, whatever run of the study it comes from. Damaged files are left out.
    pub fn all_cells(&self) -> Result<Vec<Cell>, StudyError> {
        let path = self.path.join(CELLS);
        let entries = fs::read_dir(&path)
            .map_err(|e| failed(&path, format!("cannot be read ({e}); give the folder of a study")))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let json = files.iter().filter(|file| file.extension().is_some_and(|ext| ext == "json"));
        Ok(json.filter_map(|file| serde_json::from_slice(&fs::read(file).ok()?).ok()).collect())
    }

    /// Reads the manifest of a folder.
    pub fn manifest(path: &Path) -> Result<Manifest, StudyError> {
        let file = path.join(MANIFEST);
        let text = fs::read(&file)
            .map_err(|e| failed(&file, format!("cannot be read ({e}); give the folder of a study")))?;
        serde_json::from_slice(&text).map_err(|e| {
            failed(&file, format!("is damaged ({e}); put it back, or begin anew in another folder"))
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The cell of a job, if it was run. A damaged file counts as none: it is run again. A cell that was run with other
    /// settings under the same name is an error.
    pub fn cell(&self, job: &Job) -> Result<Option<Cell>, StudyError> {
        let path = self.cell_path(job);
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        let Ok(cell) = serde_json::from_slice::<Cell>(&text) else { return Ok(None) };
        if cell.definition != job.definition() {
            return Err(failed(
                &path,
                "was run with other settings (epochs, tuned settings, or another version of the program); choose another folder with --out, or delete this file to have it run again"
                    .to_owned(),
            ));
        }
        Ok(Some(cell))
    }

    fn cell_path(&self, job: &Job) -> PathBuf {
        self.path.join(CELLS).join(format!("{}.json", job.name()))
    }

    /// Writes a cell.
    pub fn write_cell(&self, cell: &Cell) -> Result<(), StudyError> {
        self.write_json(&format!("{CELLS}/{}.json", cell.job.name()), cell)
    }

    /// Writes a value as readable JSON.
    pub fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), StudyError> {
        let path = self.path.join(name);
        let mut text = serde_json::to_string_pretty(value).map_err(|e| failed(&path, e.to_string()))?;
        text.push('\n');
        self.write(name, text.as_bytes())
    }

    /// Writes a file, making the folders above it.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StudyError> {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed(parent, format!("cannot be made ({e})")))?;
        }
        Ok(write_atomically(&path, bytes)?)
    }
}

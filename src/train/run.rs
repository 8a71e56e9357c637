//! The run folder: all that a run leaves behind, and all that it needs to go on after a kill at any moment.
//!
//! `config.toml` holds every setting, `run.json` what ran where and what it came to, `metrics.jsonl`, `metrics.csv` and the
//! event file under `tensorboard/` one row per epoch, `checkpoints/last.safetensors` the state,
//! `checkpoints/first.safetensors` the weights after the first epoch, and with early stopping `checkpoints/best.safetensors`
//! the state after the best one. Metrics are written before the checkpoint that belongs to them, and cut back to the
//! checkpoint when the run goes on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::{Checkpoint, TrainError, write_atomically};

mod events;
mod name;
mod open;
mod record;

pub use name::{default_folder, tame, timestamp};
pub use open::{OpenedRun, read_record, state_file};
use open::{done, read_config, read_rows};
pub use record::{EpochRow, RunRecord};

/// Every setting, resolved.
pub const CONFIG: &str = "config.toml";
/// What ran where, and the result.
pub const RECORD: &str = "run.json";
/// The metrics, one JSON object per line.
pub const METRICS: &str = "metrics.jsonl";
const METRICS_CSV: &str = "metrics.csv";
/// The event file; its name is such that TensorBoard takes it for one.
const EVENTS: &str = "tensorboard/events.out.tfevents.0000000000.rationale";
const CHECKPOINT: &str = "checkpoints/last.safetensors";
const FIRST: &str = "checkpoints/first.safetensors";
/// The state after the best epoch, in runs with early stopping. Written after the last one: whenever a run is killed, the
/// best state lies in one of the two files.
const BEST: &str = "checkpoints/best.safetensors";
const LOCK: &str = ".lock";

/// A run folder that this process owns.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    rows: Vec<EpochRow>,
    /// Set with the first write; a folder that stayed empty is removed again.
    used: bool,
    _lock: Option<File>,
}

/// What [`RunFolder::resume`] found.
#[derive(Debug)]
pub struct Resumed {
    /// The folder.
    pub folder: RunFolder,
    /// The text of `config.toml`.
    pub config: String,
    /// The state; `None` if the run was stopped before its first checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// `run.json`, if it is there and whole.
    pub record: Option<RunRecord>,
    /// What looked odd.
    pub warnings: Vec<String>,
}

fn failed(path: &Path, message: String) -> TrainError {
    TrainError::File { path: path.to_owned(), message }
}

fn unreadable(path: &Path) -> impl Fn(std::io::Error) -> TrainError {
    move |e| failed(path, format!("cannot be read ({e})"))
}

/// Makes a folder for a run, or takes one that is empty but for what a killed write left behind.
pub fn claim(path: &Path) -> Result<(), TrainError> {
    let cannot = |e: std::io::Error| {
        failed(path, format!("this run folder cannot be made ({e}); choose another with --run"))
    };
    fs::create_dir_all(path).map_err(cannot)?;
    let taken = fs::read_dir(path)
        .map_err(cannot)?
        .flatten()
        .any(|entry| entry.file_name() != LOCK && !is_leftover(&entry));
    if taken {
        let remedy = if path.join(CONFIG).exists() {
            "holds a run already; go on with it by --resume, or choose another folder with --run"
        } else {
            "is not empty; choose another folder with --run"
        };
        return Err(failed(path, remedy.to_owned()));
    }
    Ok(())
}

impl RunFolder {
    /// Makes a new folder, or takes an empty one.
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        claim(path)?;
        let lock = lock(path)?;
        remove_leftovers(path);
        Ok(Self { path: path.to_owned(), rows: Vec::new(), used: false, _lock: lock })
    }

    /// Takes up an earlier run. Rows of the metrics past the checkpoint are cut off.
    pub fn resume(path: &Path) -> Result<Resumed, TrainError> {
        let config = read_config(path)?;
        let lock = lock(path)?;
        remove_leftovers(path);
        let mut warnings = Vec::new();
        let record = read_record(path);
        if record.is_none() {
            warnings.push(format!("{RECORD} was missing or damaged and is written anew"));
        }
        let mut folder = Self { path: path.to_owned(), rows: Vec::new(), used: true, _lock: lock };
        let found = read_rows(path)?;
        let file = folder.checkpoint_path();
        let checkpoint = if file.exists() {
            Some(Checkpoint::load(&file)?)
        } else if found.is_empty() {
            None
        } else {
            let message = format!(
                "is missing, though {METRICS} has {} epochs; put it back, or start anew",
                found.len()
            );
            return Err(TrainError::Checkpoint { path: file, message });
        };
        let epoch = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.epoch);
        folder.rows = done(found, epoch);
        let missing = epoch - folder.rows.len();
        if missing > 0 {
            warnings
                .push(format!("{METRICS} lacks {missing} of the {epoch} epochs done; the weights do not"));
        }
        folder.write_rows()?;
        Ok(Resumed { folder, config, checkpoint, record, warnings })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its checkpoint is.
    pub fn checkpoint_path(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// The metrics so far, in order of epochs.
    pub fn rows(&self) -> &[EpochRow] {
        &self.rows
    }

    /// Writes `config.toml`.
    pub fn write_config(&mut self, text: &str) -> Result<(), TrainError> {
        self.used = true;
        write_atomically(&self.path.join(CONFIG), text.as_bytes())
    }

    /// Writes `run.json`.
    pub fn write_record(&mut self, record: &RunRecord) -> Result<(), TrainError> {
        self.used = true;
        let path = self.path.join(RECORD);
        let mut text = serde_json::to_string_pretty(record).map_err(|e| failed(&path, e.to_string()))?;
        text.push('\n');
        write_atomically(&path, text.as_bytes())
    }

    /// Writes the checkpoint alone.
    pub fn write_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.save(CHECKPOINT, checkpoint)
    }

    /// Writes the weights after the first epoch, which the report sets beside the last ones.
    pub fn write_first(&mut self, weights: &Checkpoint) -> Result<(), TrainError> {
        self.save(FIRST, weights)
    }

    /// Writes the state of the best epoch; the same one must have been written as the checkpoint before.
    pub fn write_best(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.save(BEST, checkpoint)
    }

    /// Refuses a run whose state of the best epoch, which the metrics say is this one, is lost.
    pub fn check_best(&self, epoch: usize) -> Result<(), TrainError> {
        let path = self.path.join(BEST);
        if path.exists() {
            return Ok(());
        }
        let message =
            format!("is missing: it held the state after epoch {epoch}, the best so far; start a new run");
        Err(TrainError::Checkpoint { path, message })
    }

    /// The state of the best epoch, which the metrics say is this one.
    pub fn read_best(&self, epoch: usize) -> Result<Checkpoint, TrainError> {
        self.check_best(epoch)?;
        let path = self.path.join(BEST);
        let found = Checkpoint::load(&path)?;
        if found.epoch != epoch {
            let message = format!(
                "holds the state after epoch {}, and {METRICS} has the best validation result at epoch {epoch}; start a new run",
                found.epoch
            );
            return Err(TrainError::Checkpoint { path, message });
        }
        Ok(found)
    }

    fn save(&mut self, name: &str, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.used = true;
        let file = self.path.join(name);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(|e| failed(folder, format!("cannot be made ({e})")))?;
        }
        checkpoint.save(&file)
    }

    /// Writes an epoch: its row, then its checkpoint.
    pub fn write_epoch(&mut self, row: EpochRow, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        self.rows.push(row.rounded());
        self.write_rows()?;
        self.write_checkpoint(checkpoint)
    }

    /// Puts the test result into the row of the last epoch.
    pub fn write_test(&mut self, accuracy: f64, balanced: f64) -> Result<(), TrainError> {
        if let Some(row) = self.rows.pop() {
            let row =
                EpochRow { test_accuracy: Some(accuracy), test_balanced_accuracy: Some(balanced), ..row };
            self.rows.push(row.rounded());
        }
        self.write_rows()
    }

    fn write_rows(&mut self) -> Result<(), TrainError> {
        self.used = true;
        let path = self.path.join(METRICS);
        let mut lines = Vec::new();
        for row in &self.rows {
            serde_json::to_writer(&mut lines, row).map_err(|e| failed(&path, e.to_string()))?;
            lines.push(b'\n');
        }
        write_atomically(&path, &lines)?;
        let path = self.path.join(METRICS_CSV);
        let mut csv = csv::Writer::from_writer(Vec::new());
        for row in &self.rows {
            csv.serialize(row).map_err(|e| failed(&path, e.to_string()))?;
        }
        let table = csv.into_inner().map_err(|e| failed(&path, e.to_string()))?;
        write_atomically(&path, &table)?;
        events::write(&self.path.join(EVENTS), &self.rows)
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.used {
            // Best effort: an empty folder that stays behind harms nobody.
            let _ = fs::remove_file(self.path.join(LOCK));
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Keeps a second process out of the folder for as long as the file is open. On file systems without locks there
/// is no such help.
pub(crate) fn lock(path: &Path) -> Result<Option<File>, TrainError> {
    let file = path.join(LOCK);
    let file = File::create(&file).map_err(|e| {
        failed(path, format!("cannot be written ({e}); check its permissions, or choose another with --run"))
    })?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => {
            Err(failed(path, "is in use by another process; wait for it to end, or stop it".to_owned()))
        }
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

/// Whether a kill in the middle of a write left this behind.
fn is_leftover(entry: &fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with(".tmp")
}

fn remove_leftovers(path: &Path) {
    for folder in ["", "checkpoints", "plots", "tensorboard"].map(|name| path.join(name)) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_leftover) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;

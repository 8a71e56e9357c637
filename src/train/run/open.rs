//! Reading a run folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{
    BEST, CHECKPOINT, CONFIG, EpochRow, FIRST, METRICS, RECORD, RunFolder, RunRecord, failed, unreadable,
};
use crate::train::{Checkpoint, TrainError};

/// A run as it stands, to look at.
#[derive(Debug)]
pub struct OpenedRun {
    /// The text of `config.toml`.
    pub config: String,
    /// The state that counts: that of the best epoch where early stopping keeps one, else the latest.
    pub checkpoint: Checkpoint,
    /// The weights after the first epoch, without the optimiser's state; `None` for runs of earlier versions.
    pub first: Option<Checkpoint>,
    /// The metrics, in order of epochs.
    pub rows: Vec<EpochRow>,
    /// `run.json`, if it is there and whole.
    pub record: Option<RunRecord>,
}

impl RunFolder {
    /// Reads a run and leaves it alone; it may even be under way.
    pub fn read(path: &Path) -> Result<OpenedRun, TrainError> {
        let config = read_config(path)?;
        let file = path.join(CHECKPOINT);
        if !file.exists() {
            let message = "is not there yet: the run was stopped before its first checkpoint".to_owned();
            return Err(TrainError::Checkpoint { path: file, message });
        }
        let last = Checkpoint::load(&file)?;
        // What stands beside it is worth having, and its loss no reason to refuse the run.
        let first = Checkpoint::load(&path.join(FIRST)).ok();
        let rows = done(read_rows(path)?, last.epoch);
        let counts = best_or_last(path);
        let checkpoint = if counts == file { last } else { Checkpoint::load(&counts)? };
        Ok(OpenedRun { config, checkpoint, first, rows, record: read_record(path) })
    }
}

/// The file with the state that counts, for whoever wants a run's weights alone.
pub fn state_file(path: &Path) -> Result<PathBuf, TrainError> {
    read_config(path)?;
    Ok(best_or_last(path))
}

fn best_or_last(path: &Path) -> PathBuf {
    let best = path.join(BEST);
    if best.exists() { best } else { path.join(CHECKPOINT) }
}

pub(super) fn read_config(path: &Path) -> Result<String, TrainError> {
    let file = path.join(CONFIG);
    match fs::read_to_string(&file) {
        Ok(config) => Ok(config),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("is no run folder: it has no {CONFIG}. Give the folder that `train` named");
            Err(failed(path, message))
        }
        Err(e) => Err(unreadable(&file)(e)),
    }
}

pub(super) fn read_rows(folder: &Path) -> Result<Vec<EpochRow>, TrainError> {
    let path = folder.join(METRICS);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(&path)(e)),
    };
    // A line that is no row is one that a person left there: the warning about missing epochs speaks of it.
    Ok(text.split(|&byte| byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// The rows of the epochs done, each once and in order.
pub(super) fn done(rows: Vec<EpochRow>, epoch: usize) -> Vec<EpochRow> {
    let rows = rows.into_iter().filter(|row| (1..=epoch).contains(&row.epoch));
    rows.map(|row| (row.epoch, row)).collect::<BTreeMap<_, _>>().into_values().collect()
}

/// `run.json` of a run folder; `None` if it is missing or damaged.
pub fn read_record(path: &Path) -> Option<RunRecord> {
    fs::read(path.join(RECORD)).ok().and_then(|text| serde_json::from_slice(&text).ok())
}

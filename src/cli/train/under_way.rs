//! A run under way: epoch after epoch, and what of it is on the disk at every moment.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use super::outcome::Outcome;
use super::progress::Progress;
use super::{STOP, report};
use crate::cli::config::Config;
use crate::cli::error::CliError;
use crate::cli::source::Source;
use crate::cli::terminal;
use crate::cli::trained::Trained;
use crate::exec::Device;
use crate::train::run::{EpochRow, RunFolder, RunRecord, timestamp};
use crate::train::{Checkpoint, TrainError, Trainer};

/// Its settings, its folder and what it says of itself.
pub(super) struct Run {
    pub config: Config,
    pub folder: RunFolder,
    pub record: RunRecord,
    /// What every checkpoint says of the run.
    pub notes: BTreeMap<String, String>,
    pub quiet: bool,
}

impl Run {
    pub(super) fn note_state(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        // The weights may be those of an earlier epoch than the last one.
        let rows = self.folder.rows().last().map_or(0, |row| row.epoch);
        self.record.epochs = rows.max(trainer.epoch());
        self.record.digest = crate::train::digest(&trainer.checkpoint().tensors);
        self.folder.write_record(&self.record)
    }

    pub(super) fn save_checkpoint(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        let checkpoint = self.noted(trainer);
        self.folder.write_checkpoint(&checkpoint)
    }

    pub(super) fn noted(&self, trainer: &Trainer) -> Checkpoint {
        let mut checkpoint = trainer.checkpoint().clone();
        checkpoint.notes = self.notes.clone();
        checkpoint
    }

    pub(super) fn end(&mut self, status: &str, trainer: &Trainer) -> Result<(), TrainError> {
        self.record.status = status.to_owned();
        self.record.finished = Some(timestamp(SystemTime::now()));
        self.note_state(trainer)
    }

    /// The command that goes on from here.
    fn resume_command(&self) -> String {
        format!("rationale train --resume {}", terminal::quoted(self.folder.path()))
    }

    /// Trains until the last epoch, Ctrl-C or an error; whatever happens, the last good state is on the disk.
    pub(super) fn train(&mut self, trainer: &mut Trainer, validate: bool) -> Result<(), CliError> {
        let epochs = self.config.train.epochs;
        let mut enough = self.keep_best(trainer)?;
        let mut progress = Progress::new(trainer.epoch(), epochs, self.quiet || enough);
        while trainer.epoch() < epochs && !enough {
            let outcome = self.epoch(trainer, validate, &mut progress).and_then(|()| self.keep_best(trainer));
            enough = match outcome {
                Ok(enough) => enough,
                Err(error) => {
                    progress.end();
                    return Err(self.give_up(error, trainer));
                }
            };
            if STOP.load(Ordering::SeqCst) && trainer.epoch() < epochs && !enough {
                progress.end();
                self.end("stopped", trainer)?;
                terminal::note(&format!("stopped after epoch {} of {epochs}. Go on with:", trainer.epoch()));
                terminal::note(&format!("  {}", self.resume_command()));
                return Err(CliError::Stopped);
            }
        }
        progress.end();
        Ok(self.take_best(trainer)?)
    }

    fn epoch(
        &mut self,
        trainer: &mut Trainer,
        validate: bool,
        progress: &mut Progress,
    ) -> Result<(), TrainError> {
        let began = Instant::now();
        let report = trainer.train_epoch_watched(|share| progress.within(share))?;
        let val = match validate {
            true => Some(trainer.evaluate("val")?),
            false => None,
        };
        let val_loss = val.as_ref().and_then(|val| val.loss.first().copied());
        let val = val.and_then(|val| val.confusion.into_iter().next());
        let first = |values: &[f64]| values.first().copied().unwrap_or(f64::NAN);
        let row = EpochRow {
            epoch: report.epoch,
            label_loss: first(&report.label_loss),
            alignment_loss: report.alignment_loss.as_deref().map(first),
            multiplier: report.multiplier.as_deref().map(first),
            train_accuracy: first(&report.train_accuracy),
            val_accuracy: val.as_ref().map(|confusion| confusion.accuracy()),
            val_balanced_accuracy: val.as_ref().map(|confusion| confusion.balanced_accuracy()),
            val_loss,
            seconds: began.elapsed().as_secs_f64(),
            ..Default::default()
        };
        progress.epoch(&row);
        let checkpoint = self.noted(trainer);
        if row.epoch == 1 {
            let mut first = checkpoint.clone();
            let network = trainer.network();
            let of_model: Vec<_> = network.parameters().into_iter().chain(network.running()).collect();
            first.tensors.retain(|name, _| of_model.iter().any(|tensor| tensor.name == *name));
            self.folder.write_first(&first)?;
        }
        self.folder.write_epoch(row, &checkpoint)
    }

    /// Says what happened and how to go on.
    fn give_up(&mut self, error: TrainError, trainer: &Trainer) -> CliError {
        let diverged = matches!(error, TrainError::Diverged { .. });
        terminal::error(&error.to_string());
        let smaller = match &error {
            TrainError::Diverged { remedy: "--alignment-lr", .. } => {
                format!(" --alignment-lr {}", self.config.train.alignment_lr / 10.0)
            }
            TrainError::Diverged { .. } => format!(" --label-lr {}", self.config.train.label_lr / 10.0),
            _ => String::new(),
        };
        terminal::note("What was done so far is safe. Go on with:");
        terminal::note(&format!("  {}{smaller}", self.resume_command()));
        // On a full disk the record cannot be written either; the error above has said why.
        let _ = self.end(if diverged { "diverged" } else { "failed" }, trainer);
        CliError::Said
    }

    /// Leaves the page of the run as it stands. The run itself is safe without it.
    pub(super) fn report(&self, device: &Device, source: Source) {
        let written =
            Trained::read(self.folder.path()).and_then(|trained| report::write(&trained, device, source));
        match written {
            Ok(path) => terminal::field("report", &path.display().to_string()),
            Err(error) => terminal::warning(&format!(
                "there is no report of this run: {error}; `rationale report {}` writes it",
                terminal::quoted(self.folder.path())
            )),
        }
    }

    /// Tests the final state and writes what it came to.
    pub(super) fn judge(
        &mut self,
        trainer: &mut Trainer,
        device: &Device,
        source: &Source,
    ) -> Result<Outcome, CliError> {
        let outcome = Outcome::measure(trainer, device, source, self)?;
        self.folder.write_test(outcome.test.accuracy, outcome.test.balanced_accuracy)?;
        self.record.result = serde_json::to_value(&outcome).ok();
        self.end("finished", trainer)?;
        Ok(outcome)
    }
}

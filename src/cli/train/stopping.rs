//! Early stopping in a run: the best state on the disk, and taken at the end.

use super::under_way::Run;
use crate::cli::error::CliError;
use crate::cli::source::Source;
use crate::cli::terminal;
use crate::data::triangles::TriangleSet;
use crate::train::run::EpochRow;
use crate::train::{Standing, TrainConfig, TrainError, Trainer, Watched, standing};

/// Refuses early stopping without anything to watch.
pub fn check(config: &TrainConfig, path: &str, source: &Source) -> Result<(), CliError> {
    if config.early_stopping == 0 || source.val.is_some() {
        return Ok(());
    }
    let remedy = match TriangleSet::built_in(path) {
        Some(_) => "built-in sets have no validation pictures to watch; use 0, or pictures of your own",
        None => {
            "there are no validation pictures to watch; add a val/ part, or split one off with --val-share 0.15"
        }
    };
    let (key, value) = ("early_stopping", config.early_stopping.to_string());
    Err(TrainError::Setting { key, value, remedy: remedy.to_owned() }.into())
}

impl Run {
    /// Where the run stands; `None` without early stopping.
    fn standing(&self) -> Option<Standing> {
        let TrainConfig { early_stopping: patience, early_stopping_by: watched, .. } = self.config.train;
        let value = |row: &EpochRow| match watched {
            Watched::Accuracy => row.val_balanced_accuracy,
            Watched::Loss => row.val_loss,
        };
        let epochs = self.folder.rows().iter().filter_map(|row| Some((row.epoch, value(row)?)));
        (patience > 0).then(|| standing(epochs, watched, patience)).flatten()
    }

    /// Writes the state if it is the best so far, else makes sure that the best is there. Says whether the run stops.
    pub(super) fn keep_best(&mut self, trainer: &Trainer) -> Result<bool, TrainError> {
        let Some(Standing { best, stop, .. }) = self.standing() else { return Ok(false) };
        if best == trainer.epoch() {
            let checkpoint = self.noted(trainer);
            self.folder.write_best(&checkpoint)?;
        } else {
            self.folder.check_best(best)?;
        }
        Ok(stop)
    }

    /// Goes back to the best state, and says so.
    pub(super) fn take_best(&mut self, trainer: &mut Trainer) -> Result<(), TrainError> {
        let Some(Standing { best, value, stop }) = self.standing() else { return Ok(()) };
        let done = trainer.epoch();
        let checkpoint = self.folder.read_best(best)?;
        trainer.restore(&checkpoint)?;
        self.record.best_epoch = Some(best);
        let watched = match self.config.train.early_stopping_by {
            Watched::Accuracy => "balanced accuracy",
            Watched::Loss => "loss",
        };
        let why = match stop {
            true => format!(
                "stopped early after epoch {done}: no better {watched} on the validation pictures for {}",
                terminal::plural(self.config.train.early_stopping, "epoch")
            ),
            false => format!("all {} done", terminal::plural(done, "epoch")),
        };
        terminal::note(&format!("{why}; the weights are those of epoch {best} ({watched} {value:.3})"));
        Ok(())
    }
}

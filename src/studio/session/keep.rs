//! What stays when the window is closed: masks in a folder, runs, exported models.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::{Message, Session};
use crate::data::readers::Part;
use crate::export::Model;
use crate::model::{MapShape, Network};
use crate::studio::canvas::Canvas;
use crate::studio::error::StudioError;
use crate::studio::mask_tree::{self, MaskTree};
use crate::studio::training::Arm;
use crate::train::run::{EpochRow, RunFolder, RunRecord, default_folder, tame, timestamp};
use crate::train::{Checkpoint, TrainError, digest, write_atomically};

/// A file format for other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// ONNX, opset 17.
    Onnx,
    /// PyTorch's names and layouts.
    Safetensors,
}

impl ExportFormat {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Onnx => "ONNX",
            Self::Safetensors => "safetensors",
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Onnx => "model.onnx",
            Self::Safetensors => "model.safetensors",
        }
    }
}

/// The last part of the data's name, as a part of a path.
fn stem(name: &str) -> String {
    tame(name.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(name))
}

fn saved(run: &Path) -> String {
    format!("saved {0}; `rationale predict {0} PICTURES` uses it", run.display())
}

impl Session {
    /// Where the masks of data without a place of their own would go.
    pub fn suggested_folder(&self) -> PathBuf {
        self.home.join("runs").join(format!("{}-painted", stem(&self.album.name)))
    }

    /// The user does not want to say now where masks go; the next stroke asks again.
    pub fn ask_later(&mut self) {
        self.wants_folder = false;
    }

    /// Masks of an earlier session in the suggested folder are worth a word.
    pub(super) fn offer_earlier_masks(&mut self) {
        let folder = self.suggested_folder();
        if self.album.folder().is_none() && folder.join("masks").is_dir() {
            let text = format!(
                "{} has masks of an earlier session: open that folder to go on with them",
                folder.display()
            );
            self.messages.push(Message { text, error: false });
        }
    }

    /// Writes the pictures as an image folder with the masks painted so far, and keeps further masks there.
    pub fn keep_masks_in(&mut self, root: &Path) {
        let kept = self.try_keep_masks_in(root);
        if self.report(kept).is_some() {
            self.wants_folder = false;
            self.say(format!(
                "masks are kept in {}; `rationale train {0}` and `rationale studio {0}` read them",
                root.display()
            ));
        }
    }

    fn try_keep_masks_in(&mut self, root: &Path) -> Result<(), StudioError> {
        let taken = std::fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_some());
        if taken {
            let message =
                "is not empty; name another folder, or open this one to go on with what is in it".to_owned();
            return Err(StudioError::File { path: root.to_owned(), message });
        }
        let train = self.album.train.clone();
        let names = mask_tree::names_in_folder(&train, "train");
        let tree = MaskTree { root: root.to_owned(), black: false };
        let (judged, in_folder) = (Arc::clone(&self.judged), names.clone());
        self.saver.run(move || {
            mask_tree::write_pictures(&tree.root, &train, &in_folder)?;
            // With both parts there, no reader takes painted pictures out of train.
            for (first, part) in ["val", "test"].into_iter().enumerate() {
                let numbers: Vec<usize> = (first..judged.held_out.len()).step_by(2).collect();
                let half = judged.held_out.subset(&numbers)?;
                mask_tree::write_pictures(&tree.root, &half, &mask_tree::names_in_folder(&half, part))?;
            }
            for index in train.explained_pictures() {
                let size = (train.width as u32, train.height as u32);
                let canvas = Canvas::of(size, train.mask(index).to_vec());
                mask_tree::save(&tree.path(&in_folder[index]), &canvas, false)?;
            }
            Ok(None)
        })?;
        self.album.move_to(root.to_owned(), names);
        Ok(())
    }

    /// Has the model with explanations saved as a run folder, on the thread that writes files; a message says when it is there.
    pub fn save_run(&mut self) {
        let saved = self.try_save_run();
        self.report(saved);
    }

    /// Has the model with explanations written for other programs, into the run folder of its state; a message says when.
    pub fn export(&mut self, format: ExportFormat) {
        let exported = self.try_export(format);
        self.report(exported);
    }

    fn latest(&self) -> Result<(u64, Arc<Checkpoint>), StudioError> {
        let state = self.results.state(Arm::Explained);
        let (steps, checkpoint) = state.ok_or_else(|| {
            StudioError::Open("there is no trained model yet: start training, then save".to_owned())
        })?;
        Ok((steps, Arc::clone(checkpoint)))
    }

    fn input(&self) -> MapShape {
        let data = &self.album.train;
        MapShape { height: data.height, width: data.width, channels: data.channels }
    }

    /// The run folder of the latest state, in the saver's hands if it is not there yet, and that state.
    fn try_save_run(&mut self) -> Result<(PathBuf, Arc<Checkpoint>), StudioError> {
        let (steps, state) = self.latest()?;
        let there = |path: &Path| self.saver.pending() > 0 || path.exists();
        if let Some((_, path)) = self.saved_run.as_ref().filter(|(at, path)| *at == steps && there(path)) {
            let path = path.clone();
            let known = path.clone();
            self.saver
                .run(move || RunFolder::read(&known).map(|_| Some(saved(&known))).map_err(Into::into))?;
            return Ok((path, state));
        }
        let now = SystemTime::now();
        let path = self.home.join(default_folder(&format!("{}-studio", stem(&self.album.name)), now));
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        let MapShape { height, width, channels } = self.input();
        let classes = self.album.train.classes.clone();
        let notes = BTreeMap::from([
            ("program".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("device".to_owned(), self.engine.device()),
            ("seeds".to_owned(), json(serde_json::to_string(&self.recipe.seeds))),
            ("classes".to_owned(), json(serde_json::to_string(&classes))),
            ("input".to_owned(), json(serde_json::to_string(&[height, width, channels]))),
        ]);
        let record = RunRecord {
            program: concat!("rationale ", env!("CARGO_PKG_VERSION"), " studio").to_owned(),
            status: "stopped".to_owned(),
            device_choice: "auto".to_owned(),
            device: self.engine.device(),
            device_reason: "chosen by the window".to_owned(),
            classes,
            seeds: Some(self.recipe.seeds),
            started: timestamp(now),
            finished: Some(timestamp(now)),
            epochs: state.epoch,
            ..RunRecord::default()
        };
        let (config, row) = ((self.config)(&self.album.name), self.row(steps, state.epoch));
        let (place, checkpoint) = (path.clone(), Arc::clone(&state));
        self.saver.run(move || {
            let mut folder = RunFolder::create(&place)?;
            folder.write_config(&config)?;
            folder.write_record(&RunRecord { digest: digest(&checkpoint.tensors), ..record })?;
            let checkpoint = Checkpoint { notes, ..checkpoint.as_ref().clone() };
            match row {
                None => folder.write_checkpoint(&checkpoint)?,
                Some(row) => folder.write_epoch(row, &checkpoint)?,
            }
            Ok(Some(saved(&place)))
        })?;
        self.saved_run = Some((steps, path.clone()));
        Ok((path, state))
    }

    /// The row of the metrics for the state that is saved, which may be older than the latest figures; none within the first
    /// epoch.
    fn row(&self, steps: u64, epoch: usize) -> Option<EpochRow> {
        let curves = self.results.curves(Arm::Explained);
        let last = |points: &[[f64; 2]]| {
            points.iter().rev().find(|point| point[0] <= steps as f64).map(|point| point[1])
        };
        let label_loss = last(curves.label_loss.points()).filter(|_| epoch > 0)?;
        let verdict = self.results.verdict(Arm::Explained).filter(|verdict| verdict.steps == steps);
        let accuracy = verdict.map(|verdict| verdict.accuracy);
        Some(EpochRow {
            epoch,
            label_loss,
            alignment_loss: last(curves.alignment_loss.points()),
            val_accuracy: accuracy.filter(|_| self.judged_part == Part::Val),
            test_accuracy: accuracy.filter(|_| self.judged_part == Part::Test),
            ..EpochRow::default()
        })
    }

    fn try_export(&mut self, format: ExportFormat) -> Result<(), StudioError> {
        let (folder, checkpoint) = self.try_save_run()?;
        let steps = self.results.state(Arm::Explained).map_or(0, |(steps, _)| steps);
        let classes = self.album.train.classes.clone();
        let (config, input) = (self.recipe.model.clone(), self.input());
        self.saver.run(move || {
            let network = Network::new(&config, input, classes.len(), 1).map_err(TrainError::from)?;
            let model = Model { network: &network, tensors: &checkpoint.tensors };
            let metadata = [
                ("classes", serde_json::to_string(&classes).unwrap_or_default()),
                ("steps", steps.to_string()),
                ("program", concat!("rationale ", env!("CARGO_PKG_VERSION"), " studio").to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value));
            let bytes = match format {
                ExportFormat::Onnx => model.onnx(&metadata)?,
                ExportFormat::Safetensors => model.safetensors(&metadata)?,
            };
            let path = folder.join(format.file());
            write_atomically(&path, &bytes)?;
            Ok(Some(format!("wrote {}", path.display())))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_a_folder() {
        assert_eq!(stem("triangles:ES"), "triangles-ES");
        assert_eq!(stem("/data/my birds/"), "my-birds");
    }
}

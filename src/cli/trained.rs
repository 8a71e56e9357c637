//! A run that is to be used: its settings, its weights, and what its pictures look like.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::config::{Config, DataSection};
use super::error::CliError;
use super::settings::DeviceFlag;
use super::terminal;
use super::values::Size;
use crate::data::triangles::TriangleSet;
use crate::exec::Device;
use crate::model::MapShape;
use crate::plan::Variants;
use crate::train::run::{CONFIG, EpochRow, OpenedRun, RunFolder, RunRecord};
use crate::train::{Checkpoint, Predictor};

/// A run's folder, read.
pub struct Trained {
    pub path: PathBuf,
    /// The text of its config; `config` may be given other pictures.
    pub settings: String,
    pub config: Config,
    pub checkpoint: Checkpoint,
    pub first: Option<Checkpoint>,
    pub rows: Vec<EpochRow>,
    pub record: Option<RunRecord>,
}

impl Trained {
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let OpenedRun { config: settings, checkpoint, first, rows, record } = RunFolder::read(path)?;
        let config = Config::parse(&settings, &path.join(CONFIG))?;
        Ok(Self { path: path.to_owned(), settings, config, checkpoint, first, rows, record })
    }

    /// The device that was asked for, else the one that the run asked for.
    pub fn device(&self, flag: &DeviceFlag) -> Result<Device, CliError> {
        let run = self.record.as_ref().map(|record| record.device_choice.clone());
        let choice = flag.device.clone().or(run).unwrap_or_default();
        let device = super::devices::open(&choice.parse().unwrap_or_default())?;
        terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
        Ok(device)
    }

    /// Kernel variants that the run used.
    pub fn variants(&self) -> Variants {
        let text = self.checkpoint.notes.get("variants");
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// Puts other pictures in the place of the run's, if any are named, in the size that the model wants.
    pub fn take_data(&mut self, data: Option<&OsString>) -> Result<(), CliError> {
        let input = self.input()?;
        if let Some(data) = data {
            replace_data(&mut self.config, data)?;
        }
        let own = self.config.data.path.as_deref().unwrap_or_default();
        if TriangleSet::built_in(own).is_none() {
            self.config.data.size = Some(Size(input.height, input.width));
            self.config.data.channels = Some(input.channels);
        }
        Ok(())
    }

    /// Class names in the order of the labels.
    pub fn classes(&self) -> Result<Vec<String>, CliError> {
        let noted = || serde_json::from_str(self.checkpoint.notes.get("classes")?).ok();
        let recorded = self.record.as_ref().map(|record| record.classes.clone());
        recorded.filter(|classes| !classes.is_empty()).or_else(noted).ok_or_else(|| self.lacks("its classes"))
    }

    /// Height, width and channels of the pictures that it was trained on.
    pub fn input(&self) -> Result<MapShape, CliError> {
        let noted = || serde_json::from_str(self.checkpoint.notes.get("input")?).ok();
        let [height, width, channels] = noted().ok_or_else(|| self.lacks("the size of its pictures"))?;
        Ok(MapShape { height, width, channels })
    }

    fn lacks(&self, what: &str) -> CliError {
        CliError::Config(format!(
            "{} does not say {what}: a version before this one wrote it; go on with it for an epoch \
             (`rationale train --resume {0} --epochs N`), then it does",
            terminal::quoted(&self.path)
        ))
    }

    /// The model on a device.
    pub fn predictor(&self, device: &Device, batch: usize) -> Result<Predictor, CliError> {
        self.predictor_of(&self.checkpoint, device, batch)
    }

    /// The same with other weights.
    pub fn predictor_of(
        &self,
        checkpoint: &Checkpoint,
        device: &Device,
        batch: usize,
    ) -> Result<Predictor, CliError> {
        let (input, classes) = (self.input()?, self.classes()?.len());
        let model = self.config.model();
        Ok(Predictor::new(device, &model, input, classes, checkpoint, &self.variants(), batch)?)
    }
}

/// Other pictures, read as those of the run were; a built-in set has its own settings.
pub(super) fn replace_data(config: &mut Config, data: &OsString) -> Result<(), CliError> {
    let Some(path) = data.to_str() else {
        let path = Path::new(data).display();
        return Err(CliError::Config(format!("the name of the data, {path}, is not Unicode; rename it")));
    };
    if TriangleSet::built_in(path).is_some() {
        config.data = DataSection::default();
    }
    config.data.path = Some(path.to_owned());
    // These may be laid out in another way.
    config.data.format = None;
    Ok(())
}

//! The trainer behind the border: safe Rust, pictures as bytes.

use std::ffi::c_int;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::RationaleProgress;
use crate::error::{CapiError, Status};
use crate::settings::Settings;
use rationale::data::{Dataset, Groups, Pixels};
use rationale::exec::Device;
use rationale::export::Model;
use rationale::gpu::Choice;
use rationale::model::{MapShape, Network};
use rationale::plan::Variants;
use rationale::train::{
    self, Checkpoint, Predictor, TrainConfig, most_probable, probabilities, write_atomically,
};

/// A model, its pictures and its device.
pub struct Trainer {
    device: Device,
    settings: Settings,
    data: Dataset,
    trainer: Option<train::Trainer>,
    /// The pictures have changed since it was made: the next epoch begins with a new one.
    changed: bool,
    /// Figures of the last epoch.
    last: RationaleProgress,
    /// Made anew by the prediction that follows a step.
    predictor: Option<Predictor>,
    state: Option<Checkpoint>,
    /// Kernel variants in use, kept so that a change of a mask does not change them.
    variants: Variants,
}

fn done() -> Result<c_int, CapiError> {
    Ok(Status::Ok as c_int)
}

fn fits(what: &'static str, found: usize, expected: usize) -> Result<(), CapiError> {
    if found == expected { Ok(()) } else { Err(CapiError::Length { what, found, expected }) }
}

impl Trainer {
    pub fn new(
        device: &str,
        [height, width, channels]: [usize; 3],
        classes: usize,
        settings: &str,
    ) -> Result<Self, CapiError> {
        let settings = Settings::parse(settings)?;
        // The same checks as for a whole data set, before any device is opened.
        let shape = MapShape { height, width, channels };
        Network::new(&settings.model, shape, classes, 1).map_err(train::TrainError::from)?;
        settings.train.check_mapping(settings.model.mapping)?;
        let data = Dataset {
            height,
            width,
            channels,
            classes: (0..classes).map(|class| class.to_string()).collect(),
            pixels: Pixels::Byte(Vec::new()),
            labels: Vec::new(),
            masks: Vec::new(),
            explained: Vec::new(),
            names: Vec::new(),
            groups: Groups::default(),
        };
        data.validate().map_err(train::TrainError::from)?;
        let choice: Choice = device.parse().unwrap_or_default();
        let device = Device::open(&choice)?;
        Ok(Self {
            device,
            settings,
            data,
            trainer: None,
            changed: false,
            last: RationaleProgress::NONE,
            predictor: None,
            state: None,
            variants: Variants::new(),
        })
    }

    fn shape(&self) -> MapShape {
        MapShape { height: self.data.height, width: self.data.width, channels: self.data.channels }
    }

    pub fn add(&mut self, pixels: &[u8], label: u32, mask: Option<&[u8]>) -> Result<c_int, CapiError> {
        let area = self.data.height * self.data.width;
        fits("pixels", pixels.len(), self.data.picture_len())?;
        if let Some(mask) = mask {
            fits("mask", mask.len(), area)?;
        }
        let classes = self.data.classes.len();
        if label as usize >= classes {
            return Err(CapiError::Range { what: "label", found: label as usize, len: classes });
        }
        let number = c_int::try_from(self.data.len()).map_err(|_| CapiError::Full)?;
        let none = vec![0; area];
        if let Pixels::Byte(all) = &mut self.data.pixels {
            all.extend_from_slice(pixels);
        }
        self.data.masks.extend_from_slice(mask.unwrap_or(&none));
        self.data.explained.push(mask.is_some());
        self.data.labels.push(label);
        self.data.names.push(number.to_string());
        self.changed = true;
        Ok(number)
    }

    pub fn set_mask(&mut self, picture: usize, mask: Option<&[u8]>) -> Result<c_int, CapiError> {
        let area = self.data.height * self.data.width;
        if picture >= self.data.len() {
            return Err(CapiError::Range { what: "picture", found: picture, len: self.data.len() });
        }
        if let Some(mask) = mask {
            fits("mask", mask.len(), area)?;
        }
        let none = vec![0; area];
        self.data.masks[picture * area..(picture + 1) * area].copy_from_slice(mask.unwrap_or(&none));
        self.data.explained[picture] = mask.is_some();
        self.changed = true;
        done()
    }

    /// The trainer of the epoch at hand; between two epochs that of the pictures and the weights as they are now.
    fn ready(&mut self) -> Result<&mut train::Trainer, CapiError> {
        let keep = |trainer: &train::Trainer| !self.changed || trainer.batches().0 > 0;
        let trainer = match self.trainer.take().filter(keep) {
            Some(trainer) => trainer,
            None => {
                let pictures = self.data.len();
                if pictures < 2 {
                    return Err(CapiError::NoPictures(pictures));
                }
                let batch = self.settings.train.batch.min(pictures);
                let config = TrainConfig { batch, ..self.settings.train.clone() };
                let seeds = [self.settings.seeds()];
                let mut trainer = train::Trainer::new(
                    &self.device,
                    &self.settings.model,
                    &config,
                    &self.data,
                    &seeds,
                    &self.variants,
                )?;
                if let Some(state) = &self.state {
                    trainer.restore(state)?;
                }
                self.variants = trainer.variants().clone();
                self.changed = false;
                trainer
            }
        };
        Ok(self.trainer.insert(trainer))
    }

    pub fn step(&mut self, budget: Duration) -> Result<RationaleProgress, CapiError> {
        let begun = Instant::now();
        loop {
            let trainer = self.ready()?;
            let report = trainer.train_for(budget.saturating_sub(begun.elapsed()))?;
            let ((batch, batches), batch_time) = (trainer.batches(), trainer.batch_time());
            if let Some(report) = &report {
                self.state = Some(trainer.checkpoint().clone());
                self.predictor = None;
                self.last = RationaleProgress {
                    epoch: report.epoch as u64,
                    label_loss: first(&report.label_loss),
                    alignment_loss: report.alignment_loss.as_deref().map_or(f64::NAN, first),
                    train_accuracy: first(&report.train_accuracy),
                    ..RationaleProgress::NONE
                };
            }
            if report.is_none() || begun.elapsed() + batch_time > budget {
                let (batch, batches) = (batch as u64, batches as u64);
                return Ok(RationaleProgress { batch, batches, ..self.last });
            }
        }
    }

    fn predictor(&mut self) -> Result<&mut Predictor, CapiError> {
        let predictor = match self.predictor.take() {
            Some(predictor) => predictor,
            None => {
                let state = self.state.as_ref().ok_or(CapiError::Untrained)?;
                let (model, classes) = (&self.settings.model, self.data.classes.len());
                Predictor::new(&self.device, model, self.shape(), classes, state, &self.variants, 1)?
            }
        };
        Ok(self.predictor.insert(predictor))
    }

    fn values(&self, pixels: &[u8]) -> Result<Vec<f32>, CapiError> {
        fits("pixels", pixels.len(), self.data.picture_len())?;
        Ok(pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect())
    }

    pub fn predict(&mut self, pixels: &[u8], out: &mut [f32]) -> Result<c_int, CapiError> {
        let values = self.values(pixels)?;
        fits("probabilities", out.len(), self.data.classes.len())?;
        let probabilities = probabilities(&self.predictor()?.logits(&values)?);
        for (out, &probability) in out.iter_mut().zip(&probabilities) {
            *out = probability as f32;
        }
        Ok(most_probable(&probabilities).unwrap_or(0) as c_int)
    }

    pub fn overlay(&mut self, pixels: &[u8], out: &mut [f32]) -> Result<c_int, CapiError> {
        let values = self.values(pixels)?;
        fits("overlay", out.len(), self.data.height * self.data.width)?;
        let channels = self.data.channels;
        let gradient = self.predictor()?.input_gradient(&values)?;
        for (pixel, parts) in out.iter_mut().zip(gradient.chunks(channels)) {
            *pixel = parts.iter().fold(0.0, |most, part| part.abs().max(most));
        }
        let most = out.iter().copied().fold(0.0, f32::max);
        if most > 0.0 {
            out.iter_mut().for_each(|pixel| *pixel /= most);
        }
        done()
    }

    pub fn save(&mut self, path: &Path) -> Result<c_int, CapiError> {
        self.state.as_ref().ok_or(CapiError::Untrained)?.save(path)?;
        done()
    }

    pub fn load(&mut self, path: &Path) -> Result<c_int, CapiError> {
        let state = Checkpoint::load(path)?;
        let (model, classes) = (&self.settings.model, self.data.classes.len());
        // Weights that do not fit are refused here, and not by the next step.
        let predictor =
            Predictor::new(&self.device, model, self.shape(), classes, &state, &self.variants, 1)?;
        self.predictor = Some(predictor);
        self.trainer = None;
        self.last = RationaleProgress { epoch: state.epoch as u64, ..RationaleProgress::NONE };
        self.state = Some(state);
        done()
    }

    pub fn export_onnx(&mut self, path: &Path) -> Result<c_int, CapiError> {
        let state = self.state.as_ref().ok_or(CapiError::Untrained)?;
        let network = Network::new(&self.settings.model, self.shape(), self.data.classes.len(), 1)
            .map_err(train::TrainError::from)?;
        let bytes = Model { network: &network, tensors: &state.tensors }.onnx(&[])?;
        write_atomically(path, &bytes)?;
        done()
    }
}

fn first(values: &[f64]) -> f64 {
    values.first().copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests;

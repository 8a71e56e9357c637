//! DATA and the flags that set a run, shared by every command that trains or plans.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::config::{Config, ModelSection};
use super::error::CliError;
use super::pictures::PictureFlags;
use super::values::{ClassWeights, Rename, Seed};
use crate::data::triangles::TriangleSet;
use crate::exec::Device;
use crate::gpu::DeviceError;
use crate::import::Initial;
use crate::model::{Mapping, Preset};
use crate::plan::Part;
use crate::study::Setting;
use crate::train::{Augmentation, DataFill, MaskSource, Method, Schedule, TrainConfig, Watched};

#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// Pictures: a folder with one sub-folder per class, a list (CSV, JSONL, COCO, labelme, CUB, Pet, MNIST), or a built-in
    /// set: triangles:E, ES, EI, E4, D, DS, BB, BS
    #[arg(value_name = "DATA")]
    pub data: Option<OsString>,
    /// A config file (`rationale init` writes one); flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How to train [default: two-stage]
    #[arg(long, value_enum, help_heading = "Training")]
    pub method: Option<Method>,
    /// The mapping layer, which explanations train [default: diagonal; none for label-only]
    #[arg(long, value_enum, help_heading = "Training")]
    pub mapping: Option<Mapping>,
    /// The network, whatever layers a config file gives [default: reference]
    #[arg(long, value_enum, help_heading = "Training")]
    pub network: Option<Preset>,
    /// How often every training picture is seen [default: 40]
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub epochs: Option<usize>,
    /// Pictures in a batch [default: 50]
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub batch: Option<usize>,
    /// Learning rate of stage 1, which learns from labels [default: 0.001]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, help_heading = "Training")]
    pub label_lr: Option<f64>,
    /// Learning rate of stage 2, which learns from explanations [default: 0.01]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true, help_heading = "Training")]
    pub alignment_lr: Option<f64>,
    /// How the rate of stage 1 moves, step by step: constant, cosine or linear down to 0, or step=EPOCHS:FACTOR such as
    /// step=10:0.5 [default: constant]
    #[arg(long, value_name = "SCHEDULE", help_heading = "Training")]
    pub label_schedule: Option<Schedule>,
    /// How the rate of stage 2 moves [default: constant]
    #[arg(long, value_name = "SCHEDULE", help_heading = "Training")]
    pub alignment_schedule: Option<Schedule>,
    /// Epochs over which both rates rise to their full size first, such as 2 or 0.5 [default: 0]
    #[arg(long, value_name = "EPOCHS", allow_negative_numbers = true, help_heading = "Training")]
    pub warmup: Option<f64>,
    /// Weight of the second loss of `joint`, of the penalty of `grad-reg` [default: 1]
    #[arg(long, value_name = "WEIGHT", allow_negative_numbers = true, help_heading = "Training")]
    pub lambda: Option<f64>,
    /// The alignment loss that `constrained` has m reach [default: 0.1]
    #[arg(long, value_name = "LOSS", allow_negative_numbers = true, help_heading = "Training")]
    pub constraint: Option<f64>,
    /// What stands outside of the mask in a masked picture [default: grey]
    #[arg(long, value_enum, help_heading = "Training")]
    pub fill: Option<DataFill>,
    /// Whose mask explains a picture [default: own]
    #[arg(long, value_enum, help_heading = "Training")]
    pub masks: Option<MaskSource>,
    /// Stop after so many epochs without improvement on the validation pictures, and take the best weights, such as 5
    #[arg(long, value_name = "EPOCHS", allow_negative_numbers = true, help_heading = "Training")]
    pub early_stopping: Option<usize>,
    /// What counts as an improvement [default: accuracy]
    #[arg(long, value_enum, help_heading = "Training")]
    pub early_stopping_by: Option<Watched>,
    /// How much each class counts in the loss of stage 1: balanced (all the same, however many pictures), none, or a
    /// list in the order of the class names, such as 1,2.5 [default: none]
    #[arg(long, value_name = "WEIGHTS", help_heading = "Training")]
    pub class_weights: Option<ClassWeights>,
    /// Turn training pictures and their masks anew in every epoch: any of flip (or flip=vertical, flip=both), shift=PIXELS,
    /// rotate=DEGREES, crop=LEAST SHARE, brightness=SHARE, as in flip,shift=2,rotate=10,crop=0.8 [default: none]
    #[arg(long, value_name = "LIST", help_heading = "Training")]
    pub augment: Option<Augmentation>,
    #[command(flatten)]
    pub init: InitFlags,
    /// The seed that the three below are derived from [default: 0]
    #[arg(long, value_name = "N", help_heading = "Seeds")]
    pub seed: Option<Seed>,
    /// Seed of generated pictures and of the split
    #[arg(long, value_name = "N", help_heading = "Seeds")]
    pub data_seed: Option<Seed>,
    /// Seed of the initial weights
    #[arg(long, value_name = "N", help_heading = "Seeds")]
    pub init_seed: Option<Seed>,
    /// Seed of the order of the pictures
    #[arg(long, value_name = "N", help_heading = "Seeds")]
    pub order_seed: Option<Seed>,
    #[command(flatten)]
    pub pictures: PictureFlags,
}

/// Where initial weights come from, and which of them stay.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Initial weights")]
pub struct InitFlags {
    /// Begin with the weights of a run, a checkpoint or a safetensors file of a PyTorch state dict [default: random ones]
    #[arg(long = "init-from", value_name = "RUN|FILE")]
    pub from: Option<PathBuf>,
    /// The parts that take weights from there [default: features]
    #[arg(long = "init-parts", value_name = "PARTS", value_enum, value_delimiter = ',')]
    pub parts: Vec<Part>,
    /// Layers or tensors of the file with the network's names for them, such as conv1=features.0,bn1=features.1
    #[arg(long = "init-names", value_name = "THEIRS=OURS", value_delimiter = ',')]
    pub names: Vec<Rename>,
    /// Parts that no stage updates, such as an f from elsewhere [default: none]
    #[arg(long, value_name = "PARTS", value_enum, value_delimiter = ',')]
    pub freeze: Vec<Part>,
}

impl InitFlags {
    fn apply(&self, init: &mut Initial, train: &mut TrainConfig) -> Result<(), CliError> {
        if let Some(from) = &self.from {
            (init.from, init.digest) = (Some(from.clone()), None);
        }
        if init.from.is_none() && !(self.parts.is_empty() && self.names.is_empty()) {
            return Err(CliError::Usage(
                "--init-parts and --init-names speak of a file that is not named: add --init-from".to_owned(),
            ));
        }
        if !self.parts.is_empty() {
            init.parts = self.parts.iter().copied().collect();
        }
        if !self.names.is_empty() {
            init.names = self.names.iter().map(|name| (name.theirs.clone(), name.ours.clone())).collect();
            if init.names.len() < self.names.len() {
                return Err(CliError::Usage(
                    "--init-names gives one name of the file to two layers".to_owned(),
                ));
            }
        }
        if !self.freeze.is_empty() {
            train.freeze = self.freeze.iter().copied().collect();
        }
        Ok(())
    }

    fn given(&self) -> impl Iterator<Item = &'static str> + use<> {
        [
            (self.from.is_some(), "--init-from"),
            (!self.parts.is_empty(), "--init-parts"),
            (!self.names.is_empty(), "--init-names"),
            (!self.freeze.is_empty(), "--freeze"),
        ]
        .into_iter()
        .filter_map(|(given, flag)| given.then_some(flag))
    }
}

impl Settings {
    /// The config file, or the defaults, with the flags on top. The defaults of a built-in set are those of its study, so
    /// that `train triangles:DS --mapping gate` is a row of the study's table.
    pub fn config(&self) -> Result<Config, CliError> {
        let data = self.data.as_deref().and_then(|data| data.to_str()).unwrap_or_default();
        let mut config = match (&self.config, TriangleSet::built_in(data)) {
            (Some(path), _) => Config::read(path)?,
            (None, Some(Ok(_))) => Config::of_setting(&Setting::named(data)?, self.mapping),
            (None, _) => Config::default(),
        };
        self.apply(&mut config)?;
        Ok(config)
    }

    /// Writes the flags over a config.
    pub fn apply(&self, config: &mut Config) -> Result<(), CliError> {
        fn set<T: Copy>(place: &mut T, flag: Option<T>) {
            if let Some(value) = flag {
                *place = value;
            }
        }
        let Config { data, model, init, train, seeds } = config;
        if let Some(path) = &self.data {
            let path = path.to_str().ok_or_else(|| {
                let path = path.to_string_lossy();
                CliError::Config(format!(
                    "the name of the data, {path}, is not Unicode, so no config can hold it; rename it"
                ))
            })?;
            data.path = Some(path.to_owned());
        }
        self.pictures.apply(data);
        if self.network.is_some() {
            *model = ModelSection { preset: self.network, features: None, classifier: None, ..model.clone() };
        }
        model.mapping = self.mapping.or(model.mapping);
        set(&mut train.method, self.method);
        set(&mut train.epochs, self.epochs);
        set(&mut train.batch, self.batch);
        set(&mut train.label_lr, self.label_lr);
        set(&mut train.alignment_lr, self.alignment_lr);
        set(&mut train.label_schedule, self.label_schedule);
        set(&mut train.alignment_schedule, self.alignment_schedule);
        set(&mut train.label_warmup, self.warmup);
        set(&mut train.alignment_warmup, self.warmup);
        set(&mut train.lambda, self.lambda);
        set(&mut train.constraint, self.constraint);
        set(&mut train.fill, self.fill);
        set(&mut train.masks, self.masks);
        set(&mut train.augment, self.augment);
        set(&mut train.early_stopping, self.early_stopping);
        set(&mut train.early_stopping_by, self.early_stopping_by);
        if let Some(ClassWeights { balanced, weights }) = &self.class_weights {
            train.balance_classes = *balanced;
            train.class_weights.clone_from(weights);
        }
        self.init.apply(init, train)?;
        if let Some(seed) = self.seed {
            // A new seed derives new ones; those that a file had derived from another do not outlive it.
            *seeds = super::config::SeedSection { seed, ..Default::default() };
        }
        seeds.data = self.data_seed.or(seeds.data);
        seeds.init = self.init_seed.or(seeds.init);
        seeds.order = self.order_seed.or(seeds.order);
        Ok(())
    }

    /// The flags given that a run cannot change halfway.
    pub fn fixed_flags(&self) -> Vec<&'static str> {
        [
            (self.config.is_some(), "--config"),
            (self.method.is_some(), "--method"),
            (self.mapping.is_some(), "--mapping"),
            (self.network.is_some(), "--network"),
            (self.batch.is_some(), "--batch"),
            (self.lambda.is_some(), "--lambda"),
            (self.constraint.is_some(), "--constraint"),
            (self.fill.is_some(), "--fill"),
            (self.masks.is_some(), "--masks"),
            (self.augment.is_some(), "--augment"),
            (self.label_schedule.is_some(), "--label-schedule"),
            (self.alignment_schedule.is_some(), "--alignment-schedule"),
            (self.warmup.is_some(), "--warmup"),
            (self.early_stopping.is_some(), "--early-stopping"),
            (self.early_stopping_by.is_some(), "--early-stopping-by"),
            (self.class_weights.is_some(), "--class-weights"),
            (self.seed.is_some(), "--seed"),
            (self.data_seed.is_some(), "--data-seed"),
            (self.init_seed.is_some(), "--init-seed"),
            (self.order_seed.is_some(), "--order-seed"),
        ]
        .into_iter()
        .filter_map(|(given, flag)| given.then_some(flag))
        .chain(self.init.given())
        .chain(self.pictures.given())
        .collect()
    }
}

/// The device to run on.
#[derive(Args, Clone, Debug, Default)]
pub struct DeviceFlag {
    /// auto, cpu, a number from `rationale devices`, or a part of an adapter's name
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
}

impl DeviceFlag {
    /// What was said, or `auto`.
    pub fn name(&self) -> &str {
        self.device.as_deref().unwrap_or("auto")
    }

    /// Opens it.
    pub fn open(&self) -> Result<Device, DeviceError> {
        super::devices::open(&self.name().parse().unwrap_or_default())
    }
}

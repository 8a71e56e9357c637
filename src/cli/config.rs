//! The config file: every setting of a run, in TOML.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::CliError;
use super::nearest::nearest;
use super::values::{Seed, Size};
use crate::data::{AlphaRule, Format, MaskPolarity, MaskThreshold, ReadOptions, Shares, UnknownPixels};
use crate::hash::Fnv;
use crate::import::Initial;
use crate::model::{Layer, Mapping, ModelConfig, Preset};
use crate::random::Seeds;
use crate::study::Setting;
use crate::train::TrainConfig;

mod explained;

/// A whole config file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub data: DataSection,
    pub model: ModelSection,
    pub init: Initial,
    pub train: TrainConfig,
    pub seeds: SeedSection,
}

/// `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataSection {
    pub path: Option<String>,
    pub format: Option<Format>,
    pub size: Option<Size>,
    pub channels: Option<usize>,
    pub mask_polarity: MaskPolarity,
    pub mask_threshold: MaskThreshold,
    pub unknown_pixels: UnknownPixels,
    pub alpha: AlphaRule,
    pub coco_label: String,
    pub line_radius: f64,
    pub allow_outside: bool,
    pub skip_unreadable: bool,
    pub val_share: f64,
    pub test_share: f64,
}

impl Default for DataSection {
    fn default() -> Self {
        let ReadOptions { shares, coco_label, line_radius, .. } = ReadOptions::default();
        Self {
            path: None,
            format: None,
            size: None,
            channels: None,
            mask_polarity: MaskPolarity::default(),
            mask_threshold: MaskThreshold::default(),
            unknown_pixels: UnknownPixels::default(),
            alpha: AlphaRule::default(),
            coco_label,
            line_radius,
            allow_outside: false,
            skip_unreadable: false,
            val_share: shares.val,
            test_share: shares.test,
        }
    }
}

/// `[model]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSection {
    /// Left open, the reference network.
    #[serde(default)]
    pub preset: Option<Preset>,
    /// In the place of the preset's.
    #[serde(default)]
    pub features: Option<Vec<Layer>>,
    /// Left open, the method decides.
    #[serde(default)]
    pub mapping: Option<Mapping>,
    /// In the place of the preset's.
    #[serde(default)]
    pub classifier: Option<Vec<Layer>>,
}

impl Default for ModelSection {
    /// What stands in a new file. A key that is missing there is left open.
    fn default() -> Self {
        Self { preset: Some(Preset::default()), features: None, mapping: None, classifier: None }
    }
}

impl ModelSection {
    /// The layers of a network that has no name.
    fn of(model: ModelConfig) -> Self {
        let ModelConfig { features, classifier, .. } = model;
        Self { preset: None, features: Some(features), mapping: None, classifier: Some(classifier) }
    }
}

/// `[seeds]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeedSection {
    pub seed: Seed,
    pub data: Option<Seed>,
    pub init: Option<Seed>,
    pub order: Option<Seed>,
}

impl Config {
    /// Reads a config file.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(path).map_err(|e| CliError::File {
            path: path.to_owned(),
            message: format!("cannot be read ({e}); `rationale init` writes a config to start from"),
        })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a config; `path` is for the message.
    pub fn parse(text: &str, path: &Path) -> Result<Self, CliError> {
        toml::from_str(text).map_err(|error| CliError::Config(explain(text, path, &error)))
    }

    /// Network and settings of a study's setting. With a gate the network may be another one.
    pub fn of_setting(setting: &Setting, mapping: Option<Mapping>) -> Self {
        let model = ModelSection::of(setting.model(mapping.unwrap_or(Mapping::Diagonal)));
        let gate = mapping == Some(Mapping::Gate);
        let train = if gate { setting.base.clone().for_gate() } else { setting.base.clone() };
        Self { model, train, ..Self::default() }
    }

    /// The config as text, every key with its explanation.
    pub fn render(&self) -> String {
        explained::render(self)
    }

    /// f, m and c. A method without use for a mapping layer gets none unless it is asked for.
    pub fn model(&self) -> ModelConfig {
        let section = self.model.clone();
        let mapping = section.mapping.unwrap_or(self.train.method.default_mapping());
        let preset = ModelConfig::preset(section.preset.unwrap_or_default(), mapping);
        ModelConfig {
            features: section.features.unwrap_or(preset.features),
            mapping,
            classifier: section.classifier.unwrap_or(preset.classifier),
        }
    }

    /// The three seeds.
    pub fn seeds(&self) -> Seeds {
        let derived = Seeds::from_seed(self.seeds.seed.0);
        let or = |own: Option<Seed>, derived| own.map_or(derived, |seed| seed.0);
        Seeds {
            data: or(self.seeds.data, derived.data),
            init: or(self.seeds.init, derived.init),
            order: or(self.seeds.order, derived.order),
        }
    }

    /// How to read the pictures.
    pub fn read_options(&self) -> ReadOptions {
        let data = &self.data;
        // Shares as people write them: 1 − 0.15 − 0.15 is 0.7.
        let train = ((1.0 - data.val_share - data.test_share) * 1e9).round() / 1e9;
        ReadOptions {
            format: data.format,
            size: data.size.map(|Size(height, width)| (height, width)),
            channels: data.channels,
            mask_polarity: data.mask_polarity,
            mask_threshold: data.mask_threshold,
            unknown_pixels: data.unknown_pixels,
            alpha: data.alpha,
            coco_label: data.coco_label.clone(),
            line_radius: data.line_radius,
            allow_outside: data.allow_outside,
            skip_unreadable: data.skip_unreadable,
            shares: Shares { train, val: data.val_share, test: data.test_share },
            seed: self.seeds().data,
        }
    }

    /// Puts the mapping itself in the place of `auto` for an f(x) of this height and width. A gate that was not asked for
    /// by name also gets the settings of the studies, where nobody gave others. Says what was chosen.
    pub fn settle_mapping(&mut self, height: usize, width: usize) -> Option<String> {
        let mapping = self.model().mapping;
        let settled = mapping.settled(height, width);
        if settled == mapping {
            return None;
        }
        self.model.mapping = Some(settled);
        let mut chosen = format!("{settled}, as f(x) has {height}×{width} positions");
        let (train, default) = (&mut self.train, TrainConfig::default());
        if settled == Mapping::Gate
            && train.alignment_lr == default.alignment_lr
            && train.alignment_epochs_first == default.alignment_epochs_first
        {
            *train = std::mem::take(train).for_gate();
            let (lr, first) = (train.alignment_lr, train.alignment_epochs_first);
            chosen.push_str(&format!(
                "; with alignment_lr {lr} and {first} epochs of stage 2 first, as in the studies"
            ));
        }
        Some(chosen)
    }

    /// Settles everything that was left open, so that the file of a run says what ran.
    pub fn resolve(&mut self) {
        // The layers themselves rather than the preset's name, which a later version may give to others.
        let model = self.model();
        self.model = ModelSection { mapping: Some(model.mapping), ..ModelSection::of(model) };
        let seeds = self.seeds();
        self.seeds.data = Some(Seed(seeds.data));
        self.seeds.init = Some(Seed(seeds.init));
        self.seeds.order = Some(Seed(seeds.order));
    }

    /// Differs when a setting differs that the weights after some epoch depend on.
    pub fn digest(&self) -> String {
        let mut config = self.clone();
        config.resolve();
        let schedules = [config.train.label_schedule, config.train.alignment_schedule];
        if !schedules.iter().any(|schedule| schedule.depends_on_epochs()) {
            config.train.epochs = 0;
        }
        config.data.path = None;
        // Its weights count, whose digest stands beside it.
        config.init.from = None;
        Fnv::of(config.render().as_bytes()).to_string()
    }
}

/// A parser's error as one sentence: file, line, section, and the known word that was probably meant.
fn explain(text: &str, path: &Path, error: &toml::de::Error) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    // The start of the file is where a parser points that does not know better.
    let line = if before.is_empty() {
        String::new()
    } else {
        format!(", line {}", before.lines().count().max(1) + usize::from(before.ends_with('\n')))
    };
    let section = before.lines().rev().map(str::trim).find(|line| line.starts_with('['));
    let place = format!("{}{line}", path.display());
    let mut words = message.split('`').skip(1).step_by(2);
    let (what, word) = match (message.starts_with("unknown field"), message.starts_with("unknown variant")) {
        (true, _) => ("key", words.next()),
        (_, true) => ("value", words.next()),
        _ => ("", None),
    };
    let Some(word) = word else {
        return format!("{place}: {message}");
    };
    let known: Vec<&str> = words.collect();
    let list = || known.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let hint = match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", list()),
    };
    let within = match section {
        Some(section) if what == "key" => format!(" in {section}"),
        _ => String::new(),
    };
    format!("{place}: there is no {what} `{word}`{within}; {hint}")
}

#[cfg(test)]
mod tests;

//! The pictures of `compare` and `tune`: a built-in setting, or a user's folder with the settings of a config file.

use std::path::PathBuf;

use clap::Args;

use super::hinted;
use crate::cli::config::Config;
use crate::cli::error::CliError;
use crate::cli::pictures::PictureFlags;
use crate::cli::settings::Settings;
use crate::cli::source::{self, Source};
use crate::cli::terminal;
use crate::cli::values::Seed;
use crate::data::Splits;
use crate::model::{Mapping, ModelConfig};
use crate::study::digits::Digits;
use crate::study::pictures::Library;
use crate::study::{Layers, Pictures, Setting, StudyError};
use crate::train::Method;

#[derive(Args, Clone, Debug)]
pub struct DataFlags {
    /// Pictures, as for `rationale train`, or a built-in setting: E, ES, EI, E4, D, DS, BB, BS, digits
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Network and label-only settings for pictures of your own; `rationale init` writes such a file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pictures: PictureFlags,
    /// Clean digits, where DATA is `digits`: a folder with train/<digit>/ and test/<digit>/, or with the four IDX files
    #[arg(long, value_name = "DIR")]
    digits: Option<PathBuf>,
}

impl DataFlags {
    /// The setting, its pictures for every seed, and the folder, where it is one.
    pub fn read(&self, seeds: &[u64]) -> Result<(Setting, Library, Option<PathBuf>), CliError> {
        let mut library = Library::default();
        let text = self.data.to_string_lossy();
        // A name that is no folder is a setting, or a slip of one.
        let named = Setting::named(&text);
        if let Ok(setting) = &named
            && (!self.data.exists() || text.starts_with("triangles:"))
        {
            if matches!(setting.pictures, Pictures::Digits | Pictures::DigitsClean)
                && let Some(folder) = &self.digits
            {
                library.digits = Some(Digits::read(folder)?);
            }
            return Ok((setting.clone(), library, self.digits.clone()));
        }
        if let Err(error) = named
            && !self.data.exists()
        {
            return Err(hinted(error));
        }
        let setting = self.folder(seeds, &mut library)?;
        Ok((setting, library, Some(std::path::absolute(&self.data).unwrap_or_else(|_| self.data.clone()))))
    }

    /// Reads the folder once per seed: what has no split of its own is split anew by each.
    fn folder(&self, seeds: &[u64], library: &mut Library) -> Result<Setting, CliError> {
        let settings = Settings {
            data: Some(self.data.clone().into_os_string()),
            config: self.config.clone(),
            pictures: self.pictures.clone(),
            ..Settings::default()
        };
        let mut config: Config = settings.config()?;
        if config.train.early_stopping > 0 {
            return Err(CliError::Config(format!(
                "early_stopping is {}: here every model trains for all its epochs, so that they can be compared; use 0",
                config.train.early_stopping
            )));
        }
        if let Some(from) = &config.init.from {
            return Err(CliError::Config(format!(
                "[init] from is {}: here every model begins with random weights; leave [init] out",
                from.display()
            )));
        }
        let mut warnings: Vec<String> = Vec::new();
        for &seed in seeds {
            config.seeds = crate::cli::config::SeedSection { seed: Seed(seed), ..Default::default() };
            let mut source = source::load(&config, false)?;
            // Every method is to have the same pictures, and not every one has a stage 2.
            source.fit(Method::LabelOnly)?;
            if seeds.first() == Some(&seed) {
                source.describe(&self.data.to_string_lossy());
            }
            for warning in &source.warnings {
                if !warnings.contains(warning) {
                    terminal::warning(warning);
                    warnings.push(warning.clone());
                }
            }
            let Source { train, val, test, .. } = source;
            if train.explained_count() == 0 {
                return Err(CliError::Study(StudyError::Option {
                    option: "DATA",
                    value: self.data.display().to_string(),
                    remedy: format!(
                        "none of its {} training pictures has a mask, so there are no explanations to compare with; add masks (`rationale train --help` says where)",
                        train.len()
                    ),
                }));
            }
            library.folders.insert(seed, Splits { train, val, test, warnings: Vec::new() });
        }
        let mut model = config.model();
        model.mapping = Mapping::None;
        let plain = model == ModelConfig::reference(Mapping::None);
        Ok(Setting {
            name: source::name(&self.data.to_string_lossy()),
            title: self.data.display().to_string(),
            pictures: Pictures::Folder,
            // The gate wants a map with room before the last convolution; a network of one's own stays as it is.
            layers: if plain { Layers::Reference } else { Layers::Own(model) },
            base: config.train,
        })
    }
}

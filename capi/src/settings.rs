//! Settings as a C program gives them.

use serde::Deserialize;

use crate::error::CapiError;
use rationale::model::ModelConfig;
use rationale::random::Seeds;
use rationale::train::TrainConfig;

/// The tables of a config that say what is trained and how.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub model: ModelConfig,
    pub train: TrainConfig,
    pub seed: u64,
}

impl Settings {
    pub fn parse(text: &str) -> Result<Self, CapiError> {
        toml::from_str(text).map_err(|e| CapiError::Settings(e.to_string().trim_end().to_owned()))
    }

    pub fn seeds(&self) -> Seeds {
        Seeds::from_seed(self.seed)
    }
}

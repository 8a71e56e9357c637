//! Settings: a data set, the network that suits it, and the hyperparameters that label-only was tuned to on it.

use serde::{Deserialize, Serialize};

use super::StudyError;
use crate::data::triangles::{PatchRule, TriangleSet};
use crate::model::{Mapping, ModelConfig, OptimizerConfig};
use crate::train::TrainConfig;

/// Where the pictures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pictures {
    /// Centred, balanced triangles.
    E,
    /// E with a shortcut.
    ES,
    /// 9:1 imbalanced triangles.
    EI,
    /// Four classes.
    E4,
    /// Anywhere, for pooled networks.
    D,
    /// D with a shortcut.
    DS,
    /// Anywhere, hardly any noise.
    BB,
    /// BB with a shortcut.
    BS,
    /// Handwritten digits with a decoy.
    Digits,
    /// The same digits without one.
    DigitsClean,
    /// A user's folder.
    Folder,
}

impl Pictures {
    /// The triangles of that name.
    pub fn triangles(self) -> Option<TriangleSet> {
        Some(match self {
            Self::E => TriangleSet::E,
            Self::ES => TriangleSet::ES,
            Self::EI => TriangleSet::EI,
            Self::E4 => TriangleSet::E4,
            Self::D => TriangleSet::D,
            Self::DS => TriangleSet::DS,
            Self::BB => TriangleSet::BB,
            Self::BS => TriangleSet::BS,
            Self::Digits | Self::DigitsClean | Self::Folder => return None,
        })
    }
}

/// The layers around the mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layers {
    /// The reference network, m before the linear classifier; a gate moves m before the last convolution.
    Reference,
    /// m before the last convolution, flat or with global average pooling.
    Anywhere {
        /// Whether the network ends in global average pooling.
        pooled: bool,
    },
    /// As the user has them.
    Own(ModelConfig),
}

/// A data set with its network and its label-only hyperparameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Short name, part of file names.
    pub name: String,
    /// One line for a heading.
    pub title: String,
    /// The pictures.
    pub pictures: Pictures,
    /// The network.
    pub layers: Layers,
    /// eta1, L2, epochs, batch; methods add their own.
    pub base: TrainConfig,
}

const BUILT_IN: [(Pictures, &str, &str); 10] = [
    (Pictures::E, "E", "triangles in the centre, balanced"),
    (Pictures::EI, "EI", "triangles in the centre, 9:1 imbalanced in training"),
    (Pictures::ES, "ES", "triangles in the centre, a patch gives every training label away"),
    (Pictures::E4, "E4", "triangles in the centre, four classes"),
    (Pictures::D, "D", "triangles anywhere, pooled network"),
    (
        Pictures::DS,
        "DS",
        "triangles anywhere, pooled network, a patch gives 95 % of the training labels away",
    ),
    (Pictures::BB, "BB", "triangles anywhere, flat network, little noise"),
    (
        Pictures::BS,
        "BS",
        "triangles anywhere, flat network, little noise, a patch gives every training label away",
    ),
    (Pictures::Digits, "digits", "handwritten digits, a decoy's grey gives every training label away"),
    (Pictures::DigitsClean, "digits-clean", "handwritten digits without decoys"),
];

impl Setting {
    /// A built-in setting.
    pub fn of(pictures: Pictures) -> Self {
        let (_, name, title) =
            BUILT_IN.into_iter().find(|(known, ..)| *known == pictures).unwrap_or((pictures, "folder", ""));
        let layers = match pictures {
            Pictures::D | Pictures::DS => Layers::Anywhere { pooled: true },
            Pictures::BB | Pictures::BS => Layers::Anywhere { pooled: false },
            _ => Layers::Reference,
        };
        let (label_lr, l2, epochs) = match pictures {
            Pictures::D | Pictures::DS => (3e-3, 1e-3, 50),
            Pictures::BB | Pictures::BS => (3e-3, 1e-2, 50),
            _ => (1e-3, 1e-2, 40),
        };
        let label_optimizer = OptimizerConfig::adam(l2);
        let base = TrainConfig { label_lr, label_optimizer, epochs, ..TrainConfig::default() };
        Self { name: name.to_owned(), title: title.to_owned(), pictures, layers, base }
    }

    /// Reads `ES`, `triangles:ES` or `digits`; upper and lower case alike.
    pub fn named(text: &str) -> Result<Self, StudyError> {
        let name = text.strip_prefix("triangles:").unwrap_or(text);
        match BUILT_IN.into_iter().find(|(_, known, _)| known.eq_ignore_ascii_case(name)) {
            Some((pictures, ..)) => Ok(Self::of(pictures)),
            None => Err(StudyError::Unknown {
                what: "setting",
                name: text.to_owned(),
                known: BUILT_IN.into_iter().map(|(_, known, _)| known.to_owned()).collect(),
            }),
        }
    }

    /// Whether test pictures come with the patch of either class as well.
    pub fn has_patch(&self) -> bool {
        self.pictures.triangles().is_some_and(|set| set.definition().train_patch != PatchRule::None)
    }

    /// The training pictures of a triangle set.
    pub fn train_pictures(&self) -> Option<usize> {
        self.pictures.triangles().map(|set| set.definition().train_counts.iter().sum())
    }

    /// The network with this mapping.
    pub fn model(&self, mapping: Mapping) -> ModelConfig {
        match &self.layers {
            Layers::Reference if mapping == Mapping::Gate => ModelConfig::anywhere(false, mapping),
            Layers::Reference => ModelConfig::reference(mapping),
            Layers::Anywhere { pooled } => ModelConfig::anywhere(*pooled, mapping),
            Layers::Own(model) => ModelConfig { mapping, ..model.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_found_by_name() {
        assert_eq!(Setting::named("triangles:ds").unwrap().name, "DS");
        let error = Setting::named("EX").unwrap_err().to_string();
        assert!(error.contains("EX") && error.contains("ES, E4"), "{error}");
        for (pictures, name, _) in BUILT_IN {
            assert_eq!(Setting::named(name).unwrap(), Setting::of(pictures));
        }
    }

    #[test]
    fn the_reference_setting_is_the_default_of_the_trainer() {
        assert_eq!(Setting::of(Pictures::E).base, TrainConfig::default());
        assert_eq!(Setting::of(Pictures::ES).model(Mapping::Diagonal), ModelConfig::default());
    }
}

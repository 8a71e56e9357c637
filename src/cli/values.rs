//! Values of flags: what may be written after them, and how it is read.

use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::{AlphaRule, Format, MaskPolarity, UnknownPixels};
use crate::model::{Mapping, Preset};
use crate::plan::Part;
use crate::train::{DataFill, MaskSource, Method, Watched};

/// Gives an enum of another room its names on the command line; those of the config.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal: $help:literal),+ $(,)? }) => {
        impl ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &[$($type::$variant),+]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                Some(match self {
                    $($type::$variant => PossibleValue::new($name).help($help)),+
                })
            }
        }
    };
}

names!(Method {
    TwoStage = "two-stage": "labels and explanations in turn",
    LabelOnly = "label-only": "labels alone; explanations are not used",
    Joint = "joint": "both losses in one step",
    NoMapping = "no-mapping": "two stages without m; stage 2 updates f (an ablation)",
    TwoStageGradReg = "two-stage-grad-reg": "two-stage, with the penalty of grad-reg in stage 1",
    GradReg = "grad-reg": "a penalty on the input gradient outside of the mask (Ross et al. 2017)",
    MaskedCopies = "masked-copies": "labels, on the pictures and on their masked copies",
    Constrained = "constrained": "labels, under a bound on the alignment loss",
});

names!(Mapping {
    Diagonal = "diagonal": "one weight per feature",
    Dense = "dense": "a matrix over all features",
    Conv1x1 = "conv1x1": "a matrix over the channels, the same at every position",
    Gate = "gate": "opens and closes by each picture's own feature map",
    None = "none": "no mapping layer",
    Auto = "auto": "what the studies found best for this f: the gate on maps of 6×6 or more, else diagonal",
});

names!(Preset {
    Tiny = "tiny": "two convolutions, for a quick look",
    Reference = "reference": "three convolutions, the network of the studies",
    Small = "small": "three wider convolutions with group normalisation and dropout",
    Resnet = "resnet": "residual blocks with group normalisation, for pictures of up to 224x224",
});

names!(Part {
    Features = "features": "f, the feature extractor",
    Mapping = "mapping": "m, the mapping layer",
    Classifier = "classifier": "c, the classifier",
});

names!(DataFill {
    Grey = "grey": "mid grey",
    Black = "black": "black",
    White = "white": "white",
    Mean = "mean": "the mean of each channel over the training pictures",
});

names!(MaskSource {
    Own = "own": "the picture's own",
    Other = "other": "another picture's, as a control",
    Ones = "ones": "a mask that keeps everything, as a control",
});

names!(Watched {
    Accuracy = "accuracy": "a higher balanced accuracy",
    Loss = "loss": "a lower cross-entropy",
});

names!(MaskPolarity {
    White = "white": "white is relevant",
    Black = "black": "black is relevant",
});

names!(Format {
    Folder = "folder": "one folder per class, with or without train, val and test above them",
    Csv = "csv": "a table: image,label[,split,group,mask,x,y,w,h]",
    Jsonl = "jsonl": "the same, one JSON object per line",
    Cub = "cub": "CUB-200-2011",
    Pet = "pet": "Oxford-IIIT Pet, with trimaps",
    Idx = "idx": "the files of MNIST, plain or gzip",
    Coco = "coco": "COCO annotations: polygons, runs, boxes",
    Labelme = "labelme": "labelme annotations, one JSON file per picture",
});

names!(UnknownPixels {
    Keep = "keep": "relevant",
    Drop = "drop": "irrelevant",
});

names!(AlphaRule {
    Mask = "mask": "opaque is relevant; opaque all over is no explanation",
    Ignore = "ignore": "nothing",
});

/// Height and width: `64` or `48x64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize, pub usize);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (height, width) = text.split_once(['x', '×']).unwrap_or((text, text));
        match (height.trim().parse(), width.trim().parse()) {
            (Ok(height), Ok(width)) => Ok(Self(height, width)),
            _ => Err("a size is one number for square pictures, such as 64, or HEIGHTxWIDTH, such as 48x64"
                .to_owned()),
        }
    }
}

/// A name in a file and the network's: `conv1=features.0`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rename {
    pub theirs: String,
    pub ours: String,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=').map(|(theirs, ours)| (theirs.trim(), ours.trim())) {
            Some((theirs, ours)) if !theirs.is_empty() && !ours.is_empty() => {
                Ok(Self { theirs: theirs.to_owned(), ours: ours.to_owned() })
            }
            _ => Err("a pair of names is THEIRS=OURS, such as conv1=features.0".to_owned()),
        }
    }
}

/// `balanced`, `none`, or one weight per class.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeights {
    pub balanced: bool,
    pub weights: Vec<f64>,
}

impl FromStr for ClassWeights {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let weights = match text {
            "balanced" | "none" => Vec::new(),
            list => list.split(',').map(|weight| weight.trim().parse()).collect::<Result<_, _>>().map_err(|_| {
                "class weights are `balanced`, `none`, or one number per class with commas between, such as 1,2.5"
                    .to_owned()
            })?,
        };
        Ok(Self { balanced: text == "balanced", weights })
    }
}

/// A number of bytes: `512MiB`, `2GB`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => Some(1),
            "k" | "kb" => Some(1000),
            "m" | "mb" => Some(1_000_000),
            "g" | "gb" => Some(1_000_000_000),
            "kib" => Some(1 << 10),
            "mib" => Some(1 << 20),
            "gib" => Some(1 << 30),
            _ => None,
        };
        let bytes =
            number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
        bytes
            .map(Self)
            .ok_or_else(|| "a size is a whole number of bytes, KiB, MiB or GiB, such as 512MiB".to_owned())
    }
}

/// TOML's integers have 63 bits; a seed has 64. A string takes the rest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

/// A number or a string, as text.
fn text_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        other => other.to_string(),
    })
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == self.1 {
            serializer.serialize_u64(self.0 as u64)
        } else {
            serializer.serialize_str(&format!("{}x{}", self.0, self.1))
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_of(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.trim()
            .parse()
            .map(Self)
            .map_err(|_| format!("`{text}` is no seed: a seed is a whole number from 0 to {}", u64::MAX))
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match i64::try_from(self.0) {
            Ok(small) => serializer.serialize_i64(small),
            Err(_) => serializer.serialize_str(&self.0.to_string()),
        }
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_of(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Flags and config share one vocabulary.
    fn same_names<T: ValueEnum + Serialize>() {
        for value in T::value_variants() {
            let flag = value.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(toml::Value::try_from(value).unwrap().as_str(), Some(flag.as_str()));
        }
    }

    #[test]
    fn flags_and_config_use_the_same_names() {
        same_names::<Method>();
        same_names::<Mapping>();
        same_names::<DataFill>();
        same_names::<MaskSource>();
        same_names::<Watched>();
        same_names::<MaskPolarity>();
        same_names::<Format>();
        same_names::<UnknownPixels>();
        same_names::<AlphaRule>();
    }

    #[test]
    fn sizes_of_memory_have_units() {
        for (text, bytes) in [("512MiB", 512 << 20), ("2GB", 2_000_000_000), ("64 kib", 64 << 10), ("7", 7)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)));
        }
        for text in ["", "MiB", "-1", "1.5GiB", "3 apples", "99999999999GiB"] {
            assert!(text.parse::<Bytes>().unwrap_err().contains("512MiB"), "{text}");
        }
    }

    #[test]
    fn class_weights_are_a_word_or_a_list() {
        let read = |text: &str| text.parse::<ClassWeights>().map(|w| (w.balanced, w.weights));
        assert_eq!(read("balanced"), Ok((true, vec![])));
        assert_eq!(read("none"), Ok((false, vec![])));
        assert_eq!(read("1, 2.5"), Ok((false, vec![1.0, 2.5])));
        assert!(read("1,heavy").unwrap_err().contains("1,2.5"));
    }

    #[test]
    fn sizes_and_seeds_are_read_whole() {
        assert_eq!("64".parse(), Ok(Size(64, 64)));
        assert_eq!("48x64".parse(), Ok(Size(48, 64)));
        assert!("big".parse::<Size>().is_err() && "-3".parse::<Size>().is_err());
        assert_eq!("18446744073709551615".parse(), Ok(Seed(u64::MAX)));
        assert!("-1".parse::<Seed>().is_err());
    }
}

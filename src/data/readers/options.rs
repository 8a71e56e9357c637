//! How to read pictures, labels and masks.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::data::{DataError, Shares};

/// How the files of a data set are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One folder per class, with or without train, val and test above them.
    Folder,
    /// A table `image,label[,split,group,mask,x,y,w,h]`.
    Csv,
    /// The same, one JSON object per line.
    Jsonl,
    /// CUB-200-2011.
    Cub,
    /// Oxford-IIIT Pet, with trimaps.
    Pet,
    /// The files of MNIST.
    Idx,
    /// COCO annotations.
    Coco,
    /// labelme annotations.
    Labelme,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 8] = [
        Format::Folder,
        Format::Csv,
        Format::Jsonl,
        Format::Cub,
        Format::Pet,
        Format::Idx,
        Format::Coco,
        Format::Labelme,
    ];

    /// The word for `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Cub => "cub",
            Self::Pet => "pet",
            Self::Idx => "idx",
            Self::Coco => "coco",
            Self::Labelme => "labelme",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the bright pixels of a mask file, or the inside of shapes and boxes, mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskPolarity {
    /// White is relevant.
    #[default]
    White,
    /// Black is relevant: values are turned while reading.
    Black,
}

/// Which values of a mask file are bright.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskThreshold {
    /// Those above this value; the mask becomes one of 0 and 255.
    Above(u8),
    /// None in particular: the mask keeps its greys.
    Soft,
}

impl Default for MaskThreshold {
    fn default() -> Self {
        Self::Above(127)
    }
}

impl fmt::Display for MaskThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Above(value) => write!(f, "{value}"),
            Self::Soft => f.write_str("soft"),
        }
    }
}

impl FromStr for MaskThreshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text.trim(), text.trim().parse()) {
            ("soft", _) => Ok(Self::Soft),
            (_, Ok(value)) if value < 255 => Ok(Self::Above(value)),
            _ => Err(format!(
                "`{text}` is no threshold: a number from 0 to 254, above which a mask is white, or `soft` to keep its greys"
            )),
        }
    }
}

impl Serialize for MaskThreshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Above(value) => serializer.serialize_u8(*value),
            Self::Soft => serializer.serialize_str("soft"),
        }
    }
}

impl<'de> Deserialize<'de> for MaskThreshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u8),
            Word(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Number(value) => value.to_string(),
            Written::Word(word) => word,
        }
        .parse()
        .map_err(serde::de::Error::custom)
    }
}

/// What becomes of the pixels that nobody classified, value 3 of a trimap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownPixels {
    /// They count as relevant.
    #[default]
    Keep,
    /// They count as irrelevant.
    Drop,
}

/// What a picture's alpha channel means where the picture has no other explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlphaRule {
    /// Opaque is relevant. A picture that is opaque all over has no explanation.
    #[default]
    Mask,
    /// Nothing.
    Ignore,
}

/// How to read a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadOptions {
    /// How the files are laid out; without it, what fits.
    pub format: Option<Format>,
    /// Height and width to resize every picture to; without it all must have one size.
    pub size: Option<(usize, usize)>,
    /// 1 (grey) or 3 (colour); without it grey if every picture is grey, else colour.
    pub channels: Option<usize>,
    /// What the bright pixels of a mask file mean.
    pub mask_polarity: MaskPolarity,
    /// Which values of a mask file are bright.
    pub mask_threshold: MaskThreshold,
    /// Unclassified pixels of a trimap.
    pub unknown_pixels: UnknownPixels,
    /// What alpha means.
    pub alpha: AlphaRule,
    /// Which COCO category labels a picture: `largest`, `single`, or the name of a category against all else.
    pub coco_label: String,
    /// Half the width of labelme's lines, and the radius of its points, in pixels.
    pub line_radius: f64,
    /// Lists may name files outside of the data's folder.
    pub allow_outside: bool,
    /// Go on without files that do not decode, with a warning.
    pub skip_unreadable: bool,
    /// How to split what has no folder of its own; a `val` share of 0 asks for no validation set.
    pub shares: Shares,
    /// The data seed, for the split.
    pub seed: u64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            format: None,
            size: None,
            channels: None,
            mask_polarity: MaskPolarity::default(),
            mask_threshold: MaskThreshold::default(),
            unknown_pixels: UnknownPixels::default(),
            alpha: AlphaRule::default(),
            coco_label: "largest".to_owned(),
            line_radius: 5.0,
            allow_outside: false,
            skip_unreadable: false,
            shares: Shares::default(),
            seed: 0,
        }
    }
}

impl ReadOptions {
    /// Refuses options that no data can satisfy.
    pub fn check(&self) -> Result<(), DataError> {
        self.shares.check()?;
        if let Some((height, width)) = self.size
            && !((1..=8192).contains(&height) && (1..=8192).contains(&width))
        {
            let value = format!("{height}x{width}");
            return Err(DataError::Option { option: "--size", value, allowed: "from 1x1 to 8192x8192" });
        }
        if !(self.line_radius >= 0.0 && self.line_radius <= 1000.0) {
            let value = self.line_radius.to_string();
            return Err(DataError::Option {
                option: "--line-radius",
                value,
                allowed: "from 0 to 1000 pixels",
            });
        }
        match self.channels {
            None | Some(1 | 3) => Ok(()),
            Some(other) => {
                let (option, value) = ("the number of channels", other.to_string());
                Err(DataError::Option { option, value, allowed: "1 (grey) or 3 (colour)" })
            }
        }
    }
}

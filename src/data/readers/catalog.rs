//! A data set as its files describe it, before any picture is decoded.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::regions::Regions;
use crate::data::{DataError, Extent};

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Trains the model.
    Train,
    /// For choices.
    Val,
    /// For the final figures.
    Test,
}

impl Part {
    /// All parts, in the order of their numbers.
    pub const ALL: [Part; 3] = [Part::Train, Part::Val, Part::Test];

    /// The part that a word such as `training` means.
    pub fn named(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Val),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        })
    }
}

/// Where a picture's pixels are.
#[derive(Clone, Debug)]
pub(crate) enum Picture {
    /// An image file.
    File(PathBuf),
    /// Grey bytes that have been read already, from `at` on, row-major.
    Grey { file: PathBuf, values: Arc<Vec<u8>>, at: usize, size: Extent },
}

impl Picture {
    /// The file, for messages.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Grey { file: path, .. } => path,
        }
    }
}

/// What says which pixels are the reason.
#[derive(Clone, Debug)]
pub(crate) enum Explanation {
    /// Nothing but, perhaps, the picture's own alpha channel.
    None,
    /// An image file, bright = relevant.
    Mask(PathBuf),
    /// An image file: 1 foreground, 2 background, 3 unclassified.
    Trimap(PathBuf),
    /// Shapes, runs or boxes.
    Regions(Arc<Regions>),
}

impl Explanation {
    /// The file that holds it.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::None => None,
            Self::Mask(path) | Self::Trimap(path) => Some(path),
            Self::Regions(regions) => Some(&regions.file),
        }
    }
}

/// A picture, its class and its explanation.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) picture: Picture,
    pub(crate) explanation: Explanation,
    /// Path relative to the root, with `/` on every system.
    pub(crate) name: String,
    /// `None` for an explained training picture that nobody has labelled.
    pub(crate) class: Option<Arc<str>>,
    /// Either every item of a catalog has a part or none has.
    pub(crate) part: Option<Part>,
    pub(crate) group: Option<Arc<str>>,
    /// Where the picture is named, such as `labels.csv, line 7`.
    pub(crate) place: Option<String>,
}

impl Item {
    pub(crate) fn new(picture: Picture, name: String, class: &Arc<str>) -> Self {
        let (explanation, class) = (Explanation::None, Some(class.clone()));
        Self { picture, explanation, name, class, part: None, group: None, place: None }
    }
}

/// What a reader found odd.
#[derive(Clone, Debug)]
pub(crate) struct Oddity {
    pub(crate) fault: Fault,
    /// The file, with a detail behind it where that helps.
    pub(crate) file: String,
}

/// All that a reader found. Readers go on past what is wrong, so that the linter can tell all of it.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) root: PathBuf,
    pub(crate) items: Vec<Item>,
    /// What training must not begin with.
    pub(crate) errors: Vec<DataError>,
    pub(crate) oddities: Vec<Oddity>,
    /// What else a user should know of how the data were read, in sentences.
    pub(crate) notes: Vec<String>,
}

impl Catalog {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), ..Self::default() }
    }

    pub(crate) fn odd(&mut self, fault: Fault, file: impl Into<String>) {
        self.oddities.push(Oddity { fault, file: file.into() });
    }

    /// Whether the data come with parts of their own.
    pub(crate) fn is_split(&self) -> bool {
        self.items.iter().any(|item| item.part.is_some())
    }

    /// The parts there are; without a split, all is train.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let has = |part: &Part| self.items.iter().any(|item| item.part.unwrap_or(Part::Train) == *part);
        Part::ALL.into_iter().filter(has).collect()
    }

    /// The items of a part, in order.
    pub(crate) fn of(&self, part: Part) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.part.unwrap_or(Part::Train) == part)
    }

    /// The classes of a part in natural order.
    pub(crate) fn classes(&self, part: Part) -> Vec<Arc<str>> {
        let mut classes: Vec<Arc<str>> = self.of(part).filter_map(|item| item.class.clone()).collect();
        classes.sort_by(|a, b| natord::compare(a, b).then_with(|| a.cmp(b)));
        classes.dedup();
        classes
    }
}

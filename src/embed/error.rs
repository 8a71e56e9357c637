//! What can go wrong between a host and the trainer. After an error of a call the trainer is as it was before it.

use super::Missing;
use crate::exec::ExecError;
use crate::export::ExportError;
use crate::model::{Mapping, ModelError};
use crate::plan::PlanError;
use crate::train::TrainError;

/// Why a call could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// The host's device has less than the trainer needs.
    #[error("the device lacks {}; request it from the adapter when the device is made (see embed::requirements)", list(.0))]
    Unsupported(Vec<Missing>),
    /// A call that needs buffers and kernels came before they were there.
    #[error(
        "the trainer is not prepared: {done} of {of} pieces are made; call prepare until it says that it is done"
    )]
    NotPrepared {
        /// Pieces made.
        done: usize,
        /// Pieces in all.
        of: usize,
    },
    /// A picture beyond the capacity.
    #[error("there is no picture {index}: the capacity is {capacity}, so the last one is {}; set a larger capacity", capacity - 1)]
    Index {
        /// The number asked for.
        index: usize,
        /// Pictures that the trainer was made for.
        capacity: usize,
    },
    /// A class that does not exist.
    #[error("picture {index}: label {label} is out of range; there are {classes} classes, 0 to {}", classes - 1)]
    Label {
        /// The picture.
        index: usize,
        /// The label.
        label: u32,
        /// K.
        classes: usize,
    },
    /// Bytes in host memory of another length than the picture's.
    #[error(
        "{what} has {found} bytes, expected {expected} ({width} wide, {height} high, {channels} per pixel)"
    )]
    Bytes {
        /// Such as `mask of picture 3`.
        what: String,
        /// Bytes given.
        found: usize,
        /// Bytes expected.
        expected: usize,
        /// Width of a picture.
        width: usize,
        /// Height of a picture.
        height: usize,
        /// Bytes of a pixel.
        channels: usize,
    },
    /// A texture of another size than the picture.
    #[error(
        "{what}: the texture is {} wide and {} high, the trainer's pictures are {} wide and {} high; draw it at that size, and with one layer and one sample",
        found.0, found.1, expected.0, expected.1
    )]
    TextureSize {
        /// Such as `mask of picture 3`.
        what: String,
        /// Width and height of the texture.
        found: (u32, u32),
        /// Width and height of a picture.
        expected: (u32, u32),
    },
    /// A texture of a format that is not read or drawn.
    #[error("{what}: the texture's format is {found:?}; use {allowed}")]
    TextureFormat {
        /// Such as `picture 3`.
        what: String,
        /// Its format.
        found: wgpu::TextureFormat,
        /// The formats that work.
        allowed: &'static str,
    },
    /// A texture without a usage.
    #[error(
        "{what}: the texture was made with {found:?}, without {missing:?}; add that usage where it is created"
    )]
    TextureUsage {
        /// Such as `overlay`.
        what: String,
        /// Its usages.
        found: wgpu::TextureUsages,
        /// What it needs beyond these.
        missing: wgpu::TextureUsages,
    },
    /// Training without anything to learn from.
    #[error(
        "none of the {capacity} pictures has both pixels and a label ({pictures} have pixels, {labels} a label); call set_picture and set_label first"
    )]
    NoData {
        /// Pictures that the trainer was made for.
        capacity: usize,
        /// Those with pixels.
        pictures: usize,
        /// Those with a label.
        labels: usize,
    },
    /// A picture without pixels.
    #[error("picture {index} has no pixels yet; call set_picture first")]
    NoPicture {
        /// The picture.
        index: usize,
    },
    /// A mask texture that was never given.
    #[error("picture {index} has no mask texture; call watch_mask first")]
    NoMaskTexture {
        /// The picture.
        index: usize,
    },
    /// A picture whose mask is not there.
    #[error("{what} has no mask; call set_mask first")]
    NoMask {
        /// Such as `picture 3`.
        what: String,
    },
    /// A mapping layer that has no map of positions to show.
    #[error(
        "mapping `{mapping}` has no weight per position to draw; use `diagonal` or `gate`, or another overlay"
    )]
    NoMap {
        /// The mapping layer.
        mapping: Mapping,
    },
    /// A snapshot of another model.
    #[error("the snapshot does not fit: {0}")]
    Snapshot(String),
    /// Settings that do not work inside a host, or not with each other.
    #[error("{key} is {value}: {remedy}")]
    Setting {
        /// The field of [`super::Setup`] or of its training settings.
        key: &'static str,
        /// Its value.
        value: String,
        /// What to change.
        remedy: String,
    },
    /// From the trainer's settings.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// From the device: lost, out of memory, or a call refused.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// From the export of a snapshot.
    #[error(transparent)]
    Export(#[from] ExportError),
}

impl EmbedError {
    /// Whether the device is gone, so that a new one and a [`super::Snapshot`] are what helps.
    pub fn is_device_lost(&self) -> bool {
        matches!(
            self,
            EmbedError::Exec(ExecError::DeviceLost { .. })
                | EmbedError::Train(TrainError::Exec(ExecError::DeviceLost { .. }))
        )
    }
}

impl From<ModelError> for EmbedError {
    fn from(error: ModelError) -> Self {
        EmbedError::Train(error.into())
    }
}

impl From<PlanError> for EmbedError {
    fn from(error: PlanError) -> Self {
        EmbedError::Train(error.into())
    }
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

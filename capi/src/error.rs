//! What went wrong, as a status and a sentence.

use std::cell::RefCell;
use std::ffi::{CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a call came to. Numbers of pictures and classes are 0 or more.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Ok = 0,
    /// An argument is wrong: a null pointer, a length that does not fit, a label out of range.
    Argument = -1,
    /// The settings, or the pictures as a whole, cannot be trained on.
    Settings = -2,
    /// A file cannot be read or written.
    File = -3,
    /// The device failed, or training diverged; the last good state is kept.
    Training = -4,
    /// A defect of this library.
    Internal = -5,
}

/// Why a call was not done.
#[derive(Debug, thiserror::Error)]
pub enum CapiError {
    /// A pointer that must not be null.
    #[error("`{0}` is null")]
    Null(&'static str),
    /// A text in another coding.
    #[error("`{0}` is not UTF-8")]
    NotUtf8(&'static str),
    /// A buffer of another size.
    #[error("`{what}` has {found} values; this trainer needs {expected}")]
    Length {
        /// The argument.
        what: &'static str,
        /// Its length.
        found: usize,
        /// What it should be.
        expected: usize,
    },
    /// A number past its range.
    #[error("{what} {found} is out of range: there are {len}, counted from 0")]
    Range {
        /// The argument.
        what: &'static str,
        /// Its value.
        found: usize,
        /// How many there are.
        len: usize,
    },
    /// More pictures than a number of C can count.
    #[error("there is no room for another picture")]
    Full,
    /// A step before there is something to learn from.
    #[error("there are {0} pictures; add some, with two classes at least, before the first step")]
    NoPictures(usize),
    /// A prediction before there are weights.
    #[error("no epoch is done yet; call rationale_step until `progress` counts one, or rationale_load")]
    Untrained,
    /// Settings that are no TOML, or have a key that does not exist.
    #[error("the settings cannot be read: {0}")]
    Settings(String),
    /// The device cannot be had.
    #[error(transparent)]
    Device(#[from] rationale::gpu::DeviceError),
    /// Everything from the trainer.
    #[error(transparent)]
    Train(#[from] rationale::train::TrainError),
    /// Everything from the export.
    #[error(transparent)]
    Export(#[from] rationale::export::ExportError),
}

impl CapiError {
    fn status(&self) -> Status {
        use rationale::train::TrainError;
        match self {
            Self::Null(_) | Self::NotUtf8(_) | Self::Length { .. } | Self::Range { .. } | Self::Full => {
                Status::Argument
            }
            Self::NoPictures(_) | Self::Untrained | Self::Settings(_) | Self::Export(_) => Status::Settings,
            Self::Train(TrainError::File { .. } | TrainError::Checkpoint { .. }) => Status::File,
            Self::Train(TrainError::Exec(_) | TrainError::Diverged { .. }) | Self::Device(_) => {
                Status::Training
            }
            Self::Train(_) => Status::Settings,
        }
    }
}

thread_local! {
    static LAST: RefCell<CString> = RefCell::default();
}

pub fn last() -> *const c_char {
    LAST.with(|last| last.borrow().as_ptr())
}

fn keep(message: String) {
    // A zero inside would cut the sentence short.
    let message = CString::new(message.replace('\0', "")).unwrap_or_default();
    LAST.with(|last| last.replace(message));
}

/// Runs a call, keeps what it has to say, and lets no panic out.
pub fn guarded(call: impl FnOnce() -> Result<c_int, CapiError>) -> c_int {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => {
            keep(error.to_string());
            error.status() as c_int
        }
        Err(_) => {
            keep("a defect of this library; free the trainer, and please report what was called".to_owned());
            Status::Internal as c_int
        }
    }
}

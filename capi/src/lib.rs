//! The trainer for C: pictures and masks from memory, training in slices of time, predictions and overlays to memory.
//!
//! `include/rationale.h` is written from this file by cbindgen, and a test holds it against it. Every function may be called with
//! whatever a C program can hold, null pointers too: it then does nothing and says why. No panic crosses the border.
//!
//! A trainer must not be used by two threads at once; it may move from one to another only on the CPU device.

// The border itself: raw pointers in, raw pointers out. What they must be stands at each function.
#![allow(unsafe_code)]

mod error;
mod settings;
mod trainer;

use std::ffi::{CStr, c_char, c_int};
use std::time::Duration;

pub use error::Status;
use error::{CapiError, guarded};
use trainer::Trainer;

/// One model, its pictures and its device.
pub struct RationaleTrainer {
    inner: Trainer,
}

/// Where training is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RationaleProgress {
    /// Epochs done.
    pub epoch: u64,
    /// Batches of the epoch at hand that are done; 0 between two epochs.
    pub batch: u64,
    /// All batches of the epoch at hand, over all of its passes, or of the next one.
    pub batches: u64,
    /// Mean cross-entropy of the last epoch that is done; a NaN before the first.
    pub label_loss: f64,
    /// Its alignment loss; a NaN where no picture has a mask.
    pub alignment_loss: f64,
    /// Share of the training pictures that were predicted right in it.
    pub train_accuracy: f64,
}

impl RationaleProgress {
    /// Before the first epoch is done.
    const NONE: Self = Self {
        epoch: 0,
        batch: 0,
        batches: 0,
        label_loss: f64::NAN,
        alignment_loss: f64::NAN,
        train_accuracy: f64::NAN,
    };
}

/// # Safety
/// `data` is null or points to `len` bytes.
unsafe fn bytes<'a>(data: *const u8, len: usize, what: &'static str) -> Result<&'a [u8], CapiError> {
    if data.is_null() {
        return Err(CapiError::Null(what));
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// # Safety
/// `text` is null or ends with a zero byte.
unsafe fn text<'a>(text: *const c_char, what: &'static str) -> Result<&'a str, CapiError> {
    if text.is_null() {
        return Err(CapiError::Null(what));
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(text) }.to_str().map_err(|_| CapiError::NotUtf8(what))
}

/// # Safety
/// `trainer` is null or came from `rationale_new` and was not freed.
unsafe fn open<'a>(trainer: *mut RationaleTrainer) -> Result<&'a mut Trainer, CapiError> {
    // SAFETY: as the caller promises.
    unsafe { trainer.as_mut() }.map(|trainer| &mut trainer.inner).ok_or(CapiError::Null("trainer"))
}

/// Makes a trainer for pictures of `height` × `width` × `channels` (1 or 3) and `classes` classes.
///
/// `device` is "auto", "cpu", an adapter's number or a part of its name; null is "auto". `settings` is TOML with the tables `[model]`
/// and `[train]` of a config (`rationale init` explains every key) and `seed`; null takes the defaults.
///
/// Returns null where that cannot be; `rationale_last_error` says why.
///
/// # Safety
/// `device` and `settings` are null or end with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_new(
    device: *const c_char,
    height: usize,
    width: usize,
    channels: usize,
    classes: usize,
    settings: *const c_char,
) -> *mut RationaleTrainer {
    let mut made = std::ptr::null_mut();
    guarded(|| {
        // SAFETY: as the caller promises.
        let device = if device.is_null() { "auto" } else { unsafe { text(device, "device") }? };
        // SAFETY: as the caller promises.
        let settings = if settings.is_null() { "" } else { unsafe { text(settings, "settings") }? };
        let inner = Trainer::new(device, [height, width, channels], classes, settings)?;
        made = Box::into_raw(Box::new(RationaleTrainer { inner }));
        Ok(Status::Ok as c_int)
    });
    made
}

/// Frees a trainer and all that it holds on its device. Null is allowed.
///
/// # Safety
/// `trainer` is null or came from `rationale_new` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_free(trainer: *mut RationaleTrainer) {
    if !trainer.is_null() {
        // SAFETY: it came from `Box::into_raw` and nobody else frees it, as the caller promises.
        let trainer = unsafe { Box::from_raw(trainer) };
        guarded(move || {
            drop(trainer);
            Ok(Status::Ok as c_int)
        });
    }
}

/// Adds a training picture: `height · width · channels` bytes, row by row, the channels of a pixel side by side.
/// `mask` has `height · width` bytes, 255 = relevant and 0 = not, or is null where nothing explains the picture.
///
/// Returns the picture's number, or a negative status.
///
/// # Safety
/// `pixels` points to `pixels_len` bytes; `mask` is null or points to `mask_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_add_picture(
    trainer: *mut RationaleTrainer,
    pixels: *const u8,
    pixels_len: usize,
    label: u32,
    mask: *const u8,
    mask_len: usize,
) -> c_int {
    guarded(|| {
        // SAFETY: as the caller promises.
        let (trainer, pixels) = unsafe { (open(trainer)?, bytes(pixels, pixels_len, "pixels")?) };
        // SAFETY: as the caller promises.
        let mask = if mask.is_null() { None } else { Some(unsafe { bytes(mask, mask_len, "mask") }?) };
        trainer.add(pixels, label, mask)
    })
}

/// Changes what explains a picture; null takes its mask away. Training goes on with the weights that it has; an epoch at hand
/// is trained to its end on what there was when it began. So is it with a picture that is added.
///
/// # Safety
/// `mask` is null or points to `mask_len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_set_mask(
    trainer: *mut RationaleTrainer,
    picture: usize,
    mask: *const u8,
    mask_len: usize,
) -> c_int {
    guarded(|| {
        // SAFETY: as the caller promises.
        let trainer = unsafe { open(trainer) }?;
        // SAFETY: as the caller promises.
        let mask = if mask.is_null() { None } else { Some(unsafe { bytes(mask, mask_len, "mask") }?) };
        trainer.set_mask(picture, mask)
    })
}

/// Trains for about `budget_ms` milliseconds: at least one batch, and no further one for which the time that is left seems too short.
/// An epoch may take many calls; slices of any length give the bits of whole epochs. What no budget foresees: the first call, and
/// that which begins an epoch on changed pictures or masks, prepare the device; that which ends an epoch reads the weights from it.
///
/// Predictions, overlays, `rationale_save` and `rationale_export_onnx` show the last epoch that is done.
///
/// `progress` takes where training is; it may be null.
///
/// # Safety
/// `progress` is null or points to a `RationaleProgress`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_step(
    trainer: *mut RationaleTrainer,
    budget_ms: u32,
    progress: *mut RationaleProgress,
) -> c_int {
    guarded(|| {
        // SAFETY: as the caller promises.
        let trainer = unsafe { open(trainer) }?;
        let now = trainer.step(Duration::from_millis(u64::from(budget_ms)))?;
        // SAFETY: as the caller promises.
        if let Some(progress) = unsafe { progress.as_mut() } {
            *progress = now;
        }
        Ok(Status::Ok as c_int)
    })
}

/// The probability of each class for one picture. Returns the most probable class, or a negative status.
///
/// # Safety
/// `pixels` points to `pixels_len` bytes, `probabilities` to as many floats as there are classes (`classes` says how many).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_predict(
    trainer: *mut RationaleTrainer,
    pixels: *const u8,
    pixels_len: usize,
    probabilities: *mut f32,
    classes: usize,
) -> c_int {
    guarded(|| {
        // SAFETY: as the caller promises.
        let (trainer, pixels) = unsafe { (open(trainer)?, bytes(pixels, pixels_len, "pixels")?) };
        if probabilities.is_null() {
            return Err(CapiError::Null("probabilities"));
        }
        // SAFETY: as the caller promises.
        trainer.predict(pixels, unsafe { std::slice::from_raw_parts_mut(probabilities, classes) })
    })
}

/// How strongly each pixel of a picture moves the log-probability of its predicted class: |gradient|, the largest over the
/// channels, scaled so that the strongest pixel is 1; `height · width` floats into `overlay`.
///
/// # Safety
/// `pixels` points to `pixels_len` bytes, `overlay` to `overlay_len` floats.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_overlay(
    trainer: *mut RationaleTrainer,
    pixels: *const u8,
    pixels_len: usize,
    overlay: *mut f32,
    overlay_len: usize,
) -> c_int {
    guarded(|| {
        // SAFETY: as the caller promises.
        let (trainer, pixels) = unsafe { (open(trainer)?, bytes(pixels, pixels_len, "pixels")?) };
        if overlay.is_null() {
            return Err(CapiError::Null("overlay"));
        }
        // SAFETY: as the caller promises.
        trainer.overlay(pixels, unsafe { std::slice::from_raw_parts_mut(overlay, overlay_len) })
    })
}

/// Writes weights, optimiser state and the number of epochs to a file, whole or not at all: as they were at the end of the last
/// epoch that is done. What was trained since is not in it; who loads the file trains that part again, to the same bits.
///
/// # Safety
/// `path` ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_save(trainer: *mut RationaleTrainer, path: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    guarded(|| unsafe { open(trainer) }?.save(unsafe { text(path, "path") }?.as_ref()))
}

/// Takes the state of a file that `rationale_save` wrote for the same model and settings. Pictures stay what they are; an epoch
/// at hand is dropped.
///
/// # Safety
/// `path` ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_load(trainer: *mut RationaleTrainer, path: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    guarded(|| unsafe { open(trainer) }?.load(unsafe { text(path, "path") }?.as_ref()))
}

/// Writes the model as ONNX (opset 17, the scaling of the pictures inside).
///
/// # Safety
/// `path` ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rationale_export_onnx(trainer: *mut RationaleTrainer, path: *const c_char) -> c_int {
    // SAFETY: as the caller promises.
    guarded(|| unsafe { open(trainer) }?.export_onnx(unsafe { text(path, "path") }?.as_ref()))
}

/// What the last call on this thread that failed had to say, in UTF-8; empty before the first. It stays valid until the next call
/// that fails on this thread.
#[unsafe(no_mangle)]
pub extern "C" fn rationale_last_error() -> *const c_char {
    error::last()
}

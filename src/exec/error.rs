//! What can go wrong while a plan is loaded or run.

use crate::cpu::ArgError;
use crate::plan::PlanError;

/// Why a session could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ExecError {
    /// The plan does not fit this device.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A tensor that the session does not know.
    #[error("the session has no tensor `{name}` of type {wanted}; load a plan that uses it first")]
    UnknownTensor {
        /// The name asked for.
        name: String,
        /// The element type asked for.
        wanted: &'static str,
    },
    /// A tensor of another length.
    #[error("tensor `{name}` has {expected} elements, got {found}")]
    Length {
        /// The tensor.
        name: String,
        /// Its length.
        expected: usize,
        /// The length that was given.
        found: usize,
    },
    /// Two plans of a session disagree about a persistent tensor.
    #[error("tensor `{name}` has {expected} elements in this session, but plan `{plan}` wants {found}")]
    Disagreement {
        /// The tensor.
        name: String,
        /// The plan loaded last.
        plan: String,
        /// Elements in the session.
        expected: usize,
        /// Elements in the plan.
        found: usize,
    },
    /// The table of kernels and the plan do not fit each other.
    #[error("kernel `{kernel}`: {source}")]
    Twin {
        /// The kernel.
        kernel: String,
        /// What was asked for.
        source: ArgError,
    },
    /// A kernel that is not in the table.
    #[error("kernel `{0}` is not in the table of kernels")]
    UnknownKernel(String),
    /// The device ran out of memory.
    #[error("{device} ran out of memory while {doing}; use a smaller batch, fewer replicas or --device cpu")]
    OutOfMemory {
        /// The device.
        device: String,
        /// What was being done.
        doing: String,
    },
    /// The device is gone: unplugged, reset by the driver's watchdog, or destroyed.
    #[error(
        "{device} was lost while {doing} ({reason}); nothing on it can be read any more: open a device again and go on from the last checkpoint"
    )]
    DeviceLost {
        /// The device.
        device: String,
        /// What was being done.
        doing: String,
        /// The driver's words.
        reason: String,
    },
    /// The device or its driver refused a call.
    #[error("{device} failed while {doing}: {message}")]
    Device {
        /// The device.
        device: String,
        /// What was being done.
        doing: String,
        /// The driver's or wgpu's words.
        message: String,
    },
    /// A session on a GPU of the web, where no call may wait for the device.
    #[error(
        "{device}: no session here, as a page cannot wait for its GPU; train with `embed::Trainer`, or on the CPU device"
    )]
    NoWait {
        /// The device.
        device: String,
    },
    /// No memory on the host.
    #[error("no memory for tensor `{name}` ({bytes} bytes); use a smaller batch or fewer replicas")]
    HostMemory {
        /// The tensor.
        name: String,
        /// Its size.
        bytes: u64,
    },
}

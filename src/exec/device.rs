//! The device that runs the plans, opened once and shared by its sessions.

use std::rc::Rc;

use super::{CpuSession, GpuSession, Options, Session};
use crate::gpu::{self, AdapterReport, Choice, Chosen, DeviceError, Gpu, GpuOptions};
use crate::plan::Limits;

/// A chosen and opened device, and why it was chosen.
#[derive(Clone, Debug)]
pub enum Device {
    /// The CPU twins.
    Cpu {
        /// Why.
        reason: String,
    },
    /// A wgpu device of our own.
    Gpu {
        /// The device.
        gpu: Rc<Gpu>,
        /// Its adapter.
        report: Box<AdapterReport>,
        /// Why.
        reason: String,
    },
}

impl Device {
    /// Chooses and opens.
    pub fn open(choice: &Choice) -> Result<Self, DeviceError> {
        Self::open_with(choice, GpuOptions::default())
    }

    /// Chooses and opens with options.
    pub fn open_with(choice: &Choice, options: GpuOptions) -> Result<Self, DeviceError> {
        Ok(match gpu::choose(choice)? {
            Chosen::Cpu(reason) => Device::Cpu { reason },
            Chosen::Gpu(adapter, report, reason) => {
                Device::Gpu { gpu: Rc::new(Gpu::open(&adapter, &report, options)?), report, reason }
            }
        })
    }

    /// An empty session on the device.
    pub fn session(&self) -> Box<dyn Session> {
        match self {
            Device::Cpu { .. } => Box::new(CpuSession::<f32>::new()),
            Device::Gpu { gpu, .. } => Box::new(GpuSession::new(Rc::clone(gpu), Options::default())),
        }
    }

    /// The limits that a plan must fit.
    pub fn limits(&self) -> Limits {
        match self {
            Device::Cpu { .. } => Limits::NONE,
            Device::Gpu { gpu, .. } => gpu.limits(),
        }
    }

    /// Adapter, backend and driver, or the CPU and its threads.
    pub fn title(&self) -> String {
        match self {
            Device::Cpu { .. } => CpuSession::<f32>::new().device(),
            Device::Gpu { gpu, .. } => gpu.title().to_owned(),
        }
    }

    /// Why this one.
    pub fn reason(&self) -> &str {
        match self {
            Device::Cpu { reason } | Device::Gpu { reason, .. } => reason,
        }
    }
}

//! Devices: which there are, which one is chosen and why; buffers, pipelines and errors on the chosen one.

mod adapters;
mod device;
mod edited;
mod pipelines;
mod ready;

pub use adapters::{AdapterReport, Choice, Chosen, DeviceError, adapters, choose};
pub use device::{Gpu, GpuOptions};
pub use edited::{EditedShaders, ShaderFileError};
pub use pipelines::Pipeline;
pub(crate) use ready::ready;

//! Runs plans: on a GPU ([`GpuSession`]) or with the CPU twins ([`CpuSession`]), behind one interface.

mod costs;
mod cpu;
mod device;
mod error;
mod gpu;
mod pace;

pub(crate) use costs::Costs;
pub use cpu::CpuSession;
#[cfg(test)]
pub(crate) use cpu::TwinOf;
pub use device::Device;
pub use error::ExecError;
pub(crate) use gpu::{Fault, Store, caught, lost};
pub use gpu::{GpuSession, Options};

use crate::plan::{Command, Plan, Tensor};

/// A plan that a session has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded(pub(crate) usize);

/// How long something took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time {
    /// From the call to its return, the way to the device included.
    pub wall: f64,
    /// By the device's own timestamps, where it has any.
    pub device: Option<f64>,
}

/// Called with a command, one tensor that it wrote, and that tensor's values (indices as floats); `false` ends
/// the observation.
pub type Observer<'a> = dyn FnMut(&Command, &Tensor, &[f32]) -> bool + 'a;

/// Tensors by name, and plans over them.
///
/// Persistent tensors (see [`crate::plan::Role::is_persistent`]) are shared by all plans of a session, start as
/// zeros, and keep their values between runs.
pub trait Session {
    /// Allocates and prepares all that the plan needs; nothing is allocated or compiled after this.
    fn load(&mut self, plan: &Plan) -> Result<Loaded, ExecError>;

    /// Runs a loaded plan `times` times. On a GPU this queues work and returns before it is done.
    fn run(&mut self, plan: Loaded, times: usize) -> Result<(), ExecError>;

    /// Runs a loaded plan once, command by command, and shows every tensor after the command that wrote it.
    /// Returns whether the observer let it run to the end. Slow: for diagnosis and tests.
    fn observe(&mut self, plan: Loaded, observer: &mut Observer) -> Result<bool, ExecError>;

    /// Runs one command of a loaded plan `times` times in a row and says how long that took: for benches. On a GPU all
    /// of it is one submission, so `times` must be chosen such that no watchdog bites.
    fn time(&mut self, plan: Loaded, command: usize, times: usize) -> Result<Time, ExecError>;

    /// Waits until everything queued is done, and reports what went wrong on the way.
    fn wait(&mut self) -> Result<(), ExecError>;

    /// Overwrites a persistent float tensor.
    fn write(&mut self, name: &str, values: &[f32]) -> Result<(), ExecError>;

    /// Overwrites a persistent index tensor.
    fn write_index(&mut self, name: &str, values: &[u32]) -> Result<(), ExecError>;

    /// Reads a persistent float tensor, after all that is queued.
    fn read(&mut self, name: &str) -> Result<Vec<f32>, ExecError>;

    /// Reads a persistent index tensor, after all that is queued.
    fn read_index(&mut self, name: &str) -> Result<Vec<u32>, ExecError>;

    /// Reads a [`crate::plan::Role::Output`] of a plan's latest run.
    fn read_output(&mut self, plan: Loaded, name: &str) -> Result<Vec<f32>, ExecError>;

    /// The device, for people: adapter, driver and backend.
    fn device(&self) -> String;
}

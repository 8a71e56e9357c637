//! Error scopes of our own around every piece of work, so that no error reaches a host's handler.

use crate::gpu::ready;

/// What the device or its driver refused.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There was no memory for it.
    Memory(String),
    /// Anything else, in wgpu's or the driver's words.
    Refused(String),
}

impl Fault {
    pub(crate) fn message(&self) -> &str {
        match self {
            Fault::Memory(message) | Fault::Refused(message) => message,
        }
    }
}

/// Runs `work` inside error scopes. On native targets their answers are there at once; on the web, where they are not, a fault
/// shows in the results that never come.
pub(crate) fn caught<T>(device: &wgpu::Device, work: impl FnOnce() -> T) -> (T, Option<Fault>) {
    let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
    let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let result = work();
    // Popped in reverse.
    let validation = ready(validation.pop()).flatten();
    let internal = ready(internal.pop()).flatten();
    let memory = ready(memory.pop()).flatten();
    // Memory first: what was not allocated fails validation afterwards.
    let fault = match (memory, validation.or(internal)) {
        (Some(error), _) => Some(Fault::Memory(error.to_string())),
        (None, Some(error)) => Some(Fault::Refused(error.to_string())),
        (None, None) => None,
    };
    (result, fault)
}

/// Whether the device is gone. A host's device-lost handler is the host's, and wgpu is silent about work for a lost device; so
/// this asks for a buffer that no device can make, which a living one refuses and a lost one does not even look at.
pub(crate) fn lost(device: &wgpu::Device) -> bool {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let _ = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("is the device alive?"),
        size: 4,
        usage: wgpu::BufferUsages::empty(),
        mapped_at_creation: false,
    });
    matches!(ready(scope.pop()), Some(None))
}

//! What the rungs share.

use rationale::exec::Device;
use rationale::gpu::{Choice, GpuOptions};

/// The GPU adapter of the tests: `RATIONALE_TEST_DEVICE`, else the first Vulkan adapter. `None` only if the
/// variable `RATIONALE_TEST_WITHOUT_GPU` waives it; a missing adapter fails the run otherwise.
pub fn gpu() -> Option<Device> {
    gpu_with(GpuOptions::default())
}

pub fn gpu_with(options: GpuOptions) -> Option<Device> {
    if std::env::var_os("RATIONALE_TEST_WITHOUT_GPU").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED: RATIONALE_TEST_WITHOUT_GPU=1, no GPU kernel is tested");
        return None;
    }
    let wanted = std::env::var("RATIONALE_TEST_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let choice: Choice = wanted.parse().unwrap();
    match Device::open_with(&choice, options) {
        Ok(device) => Some(device),
        Err(error) => panic!(
            "{error}\nThe tests need a GPU adapter; `make test` installs a software one, and \
             RATIONALE_TEST_WITHOUT_GPU=1 waives it"
        ),
    }
}

pub fn cpu() -> Device {
    Device::open(&Choice::Cpu).unwrap()
}

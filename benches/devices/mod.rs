//! The devices that are benched.

use rationale::exec::Device;

/// The CPU device and the adapter that `RATIONALE_BENCH_DEVICE` names.
pub fn devices() -> Vec<Device> {
    let wanted = std::env::var("RATIONALE_BENCH_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let mut devices = Vec::new();
    for name in ["cpu", &wanted] {
        match name.parse().map(|choice| Device::open(&choice)) {
            Ok(Ok(device)) => devices.push(device),
            Ok(Err(error)) => eprintln!("skipped: {error}"),
            Err(never) => match never {},
        }
    }
    devices
}

/// The device's name alone.
pub fn short(device: &Device) -> String {
    device.title().split([',', '(']).next().unwrap_or_default().trim().to_owned()
}

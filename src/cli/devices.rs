//! `rationale devices`: every adapter, and which one a choice means.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::error::CliError;
use super::settings::DeviceFlag;
use super::terminal;
use crate::exec::{CpuSession, Device, Session};
use crate::gpu::{self, Choice, Chosen, DeviceError, GpuOptions};
use crate::plan::show_bytes;

/// List the devices, their limits and features, and which one would be used and why
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  rationale devices\n  rationale devices --device llvmpipe --json")]
pub struct DevicesArgs {
    #[command(flatten)]
    device: DeviceFlag,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Opens what a choice means. `RATIONALE_SHADERS=DIR` runs the shaders of that folder in place of those compiled in, and
/// says so once.
pub fn open(choice: &Choice) -> Result<Device, DeviceError> {
    open_with(choice, GpuOptions::default())
}

/// The same with options.
pub fn open_with(choice: &Choice, options: GpuOptions) -> Result<Device, DeviceError> {
    let shaders = std::env::var_os("RATIONALE_SHADERS").filter(|folder| !folder.is_empty());
    let wanted = shaders.is_some();
    let device = Device::open_with(choice, GpuOptions { shaders: shaders.map(PathBuf::from), ..options })?;
    match &device {
        Device::Gpu { gpu, .. } if wanted => {
            let edited = gpu.edited().names();
            let names = if edited.is_empty() {
                "their texts are those compiled in".to_owned()
            } else {
                edited.join(", ")
            };
            let count = terminal::plural(edited.len(), "shader");
            terminal::warning(&format!("RATIONALE_SHADERS replaces {count}: {names}"));
        }
        Device::Cpu { .. } if wanted => {
            terminal::warning("RATIONALE_SHADERS has no effect: the CPU device runs no shaders");
        }
        _ => {}
    }
    Ok(device)
}

pub fn run(args: &DevicesArgs) -> Result<(), CliError> {
    let adapters = gpu::adapters();
    let cpu = CpuSession::<f32>::new().device();
    let wanted = args.device.name();
    let (number, title, reason) = match gpu::choose(&wanted.parse().unwrap_or_default())? {
        Chosen::Cpu(reason) => (None, cpu.clone(), reason),
        Chosen::Gpu(_, report, reason) => (Some(report.number), report.title(), reason),
    };
    if args.json {
        let value = json!({
            "adapters": adapters,
            "cpu": cpu,
            "choice": { "device": wanted, "number": number, "title": title, "reason": reason },
        });
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        return Ok(terminal::print(&format!("{text}\n"))?);
    }
    let mut text = String::new();
    for adapter in &adapters {
        let features = match adapter.features.as_slice() {
            [] => "none of subgroups, f16, timestamps".to_owned(),
            features => features.join(", "),
        };
        let mut lines = vec![
            ("driver", adapter.driver.clone()),
            (
                "limits",
                format!(
                    "buffer {}, binding {}, workgroup memory {}, {} invocations, {} storage buffers",
                    show_bytes(adapter.max_buffer_bytes),
                    show_bytes(adapter.max_storage_binding_bytes),
                    show_bytes(u64::from(adapter.max_workgroup_bytes)),
                    adapter.max_invocations,
                    adapter.max_storage_buffers
                ),
            ),
            ("features", features),
        ];
        if !adapter.missing.is_empty() {
            lines.push(("unfit", adapter.missing.join("; ")));
        }
        text.push_str(&format!("{:<4} {}, {}\n", adapter.number, adapter.title(), adapter.kind));
        lines.iter().for_each(|(name, value)| text.push_str(&format!("     {name:<9} {value}\n")));
    }
    text.push_str(&format!("cpu  {cpu}\n\n--device {wanted} is {title}: {reason}\n"));
    terminal::print(&text)?;
    Ok(())
}

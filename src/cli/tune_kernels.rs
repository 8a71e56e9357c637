//! `rationale tune-kernels`: which variants of the kernels are fastest on a device, for the shapes of a run.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::error::CliError;
use super::settings::{DeviceFlag, Settings};
use super::{source, terminal};
use crate::exec::Device;
use crate::plan::Variants;
use crate::train::{TrainError, plans};
use crate::tuning::{self, Found, Remembered, Tuned, tune};

const EXAMPLES: &str = "\
Examples:
  rationale tune-kernels
  rationale tune-kernels pictures --size 64 --batch 100
  rationale train pictures --size 64 --batch 100 --tuned-kernels

A tuned run differs from an untuned one by rounding. It records its kernels and
resumes with them, whatever is tuned later. RATIONALE_TUNING names another file
than the one in the user's cache folder.";

/// Time the kernel variants on a device for the shapes of a run, and remember the fastest
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TuneKernelsArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    device: DeviceFlag,
    /// Stop after so many seconds; kernels not reached keep their default
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    seconds: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &TuneKernelsArgs) -> Result<(), CliError> {
    let mut config = args.settings.config()?;
    if config.data.path.is_none() {
        config.data.path = Some("triangles:ES".to_owned());
    }
    let device = Device::open(&args.device.name().parse().unwrap_or_default())?;
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    if matches!(device, Device::Cpu { .. }) {
        return Err(CliError::Usage(
            "the CPU device has one variant of each kernel, there is nothing to tune; name an adapter, as in \
             --device 0 (`rationale devices` lists them)"
                .to_owned(),
        ));
    }
    let source = source::load(&config, true)?;
    config.train.check(source.train.len(), source.train.classes.len())?;
    let model = config.model();
    let budget = Duration::from_secs(args.seconds);
    let tuning = tune(&device, budget, |variants| -> Result<_, TrainError> {
        plans(&model, &config.train, &source.train, 1, variants)
    })?;
    let path = tuning::path(&device);
    if let Some(path) = &path {
        Remembered::new(&device).write(path, &tuning)?;
    }
    let place = path.map(|path| path.display().to_string());
    if args.json {
        let rows: Vec<_> = tuning.tuned.iter().map(row).collect();
        let value = json!({
            "device": device.title(),
            "file": place,
            "seconds": tuning.seconds,
            "left_out": tuning.left_out,
            "tuned": rows,
        });
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        return Ok(terminal::print(&format!("{text}\n"))?);
    }
    let mut text: String = tuning.tuned.iter().map(line).collect();
    if tuning.left_out > 0 {
        text.push_str(&format!(
            "\n{} left out: {} s did not suffice; again, or with more --seconds, goes on with warm kernels\n",
            terminal::plural(tuning.left_out, "shape"),
            args.seconds
        ));
    }
    text.push_str(&match place {
        Some(place) => format!("\nremembered in {place}; `rationale train --tuned-kernels` takes these\n"),
        None => "\nnot remembered: there is no cache folder; name a file in RATIONALE_TUNING\n".to_owned(),
    });
    terminal::print(&text)?;
    Ok(())
}

fn row(tuned: &Tuned) -> serde_json::Value {
    let times: serde_json::Map<_, _> =
        tuned.times.iter().map(|(name, seconds)| ((*name).to_owned(), json!(seconds))).collect();
    json!({
        "choice": tuned.key,
        "label": tuned.label,
        "flops": tuned.flops,
        "seconds": times,
        "chosen": tuned.chosen,
    })
}

/// One choice: what was taken, why, and each candidate's milliseconds, the default first.
fn line(tuned: &Tuned) -> String {
    let default = tuned.times.first();
    let of = |name: &str| tuned.times.iter().find(|(n, _)| *n == name).map_or(f64::NAN, |(_, s)| *s);
    let why = match default {
        Some((name, _)) if *name == tuned.chosen => "the default".to_owned(),
        Some((name, seconds)) => format!("{:.2} times as fast as {name}", seconds / of(tuned.chosen)),
        None => String::new(),
    };
    let shape = tuned.key.split_once('@').map_or("", |(_, shape)| shape);
    let times: Vec<String> =
        tuned.times.iter().map(|(name, seconds)| format!("{name} {:.3}", seconds * 1e3)).collect();
    format!("{} {shape}\n    {}: {why}; ms: {}\n", tuned.label, tuned.chosen, times.join(", "))
}

/// The choices remembered for a device. A file that does not count is told of.
pub fn remembered(device: &Device) -> Variants {
    let Some(path) = tuning::path(device) else { return Variants::new() };
    match Remembered::new(device).read(&path) {
        Found::Choices(choices) => choices,
        Found::Nothing => {
            terminal::warning(&format!(
                "nothing is tuned for {}: the default kernels are taken; `rationale tune-kernels` tunes them",
                device.title()
            ));
            Variants::new()
        }
        Found::Ignored(reason) => {
            terminal::warning(&format!(
                "the tuning file {} is ignored: {reason}; the default kernels are taken, `rationale tune-kernels` \
                 replaces it",
                path.display()
            ));
            Variants::new()
        }
    }
}

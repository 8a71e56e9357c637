//! Benches that teach: this device's own ceilings, every variant of every kernel held against them, a step's parts,
//! and how its cost grows. Nothing here prints; [`crate::cli`] does.
//!
//! A timing counts only if the result is right: each variant is held against its f64 twin and its bound first.

mod ceiling;
pub mod docs;
mod dump;
mod growth;
mod kernel;
#[cfg(feature = "report")]
mod plot;
mod shapes;
mod step;
mod table;
mod timer;

use serde::Serialize;

pub use ceiling::{Ceilings, Proof, ceilings, prove_timer};
pub use dump::{DumpError, dump};
pub use growth::{Growth, Point, growth};
pub use kernel::{Against, BoundBy, Row, bench_kernels, kernel_plans};
#[cfg(feature = "report")]
pub use plot::{growth_plot, roofline};
pub use shapes::{Shape, shapes};
pub use step::{Breakdown, Share, Step, StepPlan, breakdown, fill, peer_step, reference_step, step};
pub use table::{PAGES, kernel_table, markdown, page, show_seconds};
pub use timer::{Clock, Effort, Spread, Timer};

use crate::exec::{Device, ExecError};
use crate::model::ModelError;
use crate::plan::PlanError;
use crate::time::SystemTime;

/// Why a bench ended.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A plan that cannot be built.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A network that does not fit its input.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// The clock does not see a difference that is there.
    #[error(
        "the timer is not to be trusted: a pass took {light:.3} ms and one of {work} times the work {heavy:.3} ms (off by \
         more than {allowed:.0} %); close other programs and run this again"
    )]
    Timer {
        /// Work of the heavy pass over that of the light one.
        work: usize,
        /// Milliseconds of the light pass.
        light: f64,
        /// Milliseconds of the heavy pass.
        heavy: f64,
        /// How far off it may be, in percent.
        allowed: f64,
    },
    /// A step whose loss is no number.
    #[error("{step}: the loss is {loss} after the timed steps; a timing of nonsense is thrown away")]
    Nonsense {
        /// The step.
        step: String,
        /// Its loss.
        loss: f32,
    },
}

/// Where and when a report was made.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// Adapter, backend and driver, or the CPU and its threads.
    pub device: String,
    /// A stem for files: the adapter's name in small letters.
    pub slug: String,
    /// Backend, such as `vulkan`; `cpu` for the twins.
    pub backend: String,
    /// Driver and version.
    pub driver: String,
    /// Logical cores of the host.
    pub cores: usize,
    /// UTC date.
    pub date: String,
    /// Commit of the program, or `unknown`.
    pub commit: String,
}

/// All that a bench found; parts that were not asked for are absent or empty.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where and when.
    pub place: Place,
    /// Seconds that opening the device took.
    pub opening: f64,
    /// The clock, and what a launch costs.
    pub timer: Timer,
    /// Copy bandwidth and multiply-add rate.
    pub ceilings: Option<Ceilings>,
    /// That the timer sees what is there.
    pub proof: Option<Proof>,
    /// Every variant of every kernel at every shape.
    pub kernels: Vec<Row>,
    /// Whole steps.
    pub steps: Vec<Step>,
    /// Steps by their commands.
    pub breakdowns: Vec<Breakdown>,
    /// How the peer step's cost grows.
    pub growth: Option<Growth>,
}

impl Place {
    /// The place that a device is, at this moment.
    pub fn of(device: &Device, commit: &str) -> Self {
        let (name, backend, driver) = match device {
            Device::Cpu { .. } => ("cpu".to_owned(), "cpu".to_owned(), String::new()),
            Device::Gpu { report, .. } => {
                (report.name.clone(), report.backend.clone(), report.driver.clone())
            }
        };
        Self {
            device: device.title(),
            slug: slug(&name),
            backend,
            driver,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            date: today(),
            commit: commit.to_owned(),
        }
    }
}

/// Letters, digits and single hyphens; what stands in parentheses is left out.
fn slug(name: &str) -> String {
    let name = name.split('(').next().unwrap_or_default();
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}

/// The UTC date, as `2026-01-31`.
fn today() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    civil(since.as_secs() / 86_400)
}

/// The date so many days after 1970-01-01. Years are counted from March, so that the leap day ends them.
fn civil(days: u64) -> String {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{date:02}", era * 400 + year + carry)
}

/// The most memory that this process has held so far, in bytes, where the system says it.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_days() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(11_016), "2000-02-29");
        assert_eq!(civil(20_819), "2027-01-01");
    }

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug("llvmpipe (LLVM 15.0.6, 256 bits)"), "llvmpipe");
        assert_eq!(slug("NVIDIA H200"), "nvidia-h200");
    }
}

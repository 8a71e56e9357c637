//! `rationale bench`: what this device can do at most, and how near the kernels and the steps come.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::settings::DeviceFlag;
use super::{devices, terminal};
use crate::bench::{self, Effort, Place, Report, Row, Timer, show_seconds};
use crate::exec::Device;
use crate::gpu::GpuOptions;
use crate::plan::Variants;

const EXAMPLES: &str = "\
Examples:
  rationale bench
  rationale bench --device llvmpipe --kernel conv2d_forward --shape 'peer conv2'
  rationale bench --only peer --json
  rationale bench --out benches/results --docs docs/kernels
  rationale bench --dump shaders-dump --kernel linear
  RATIONALE_SHADERS=my/shaders rationale bench --kernel linear_forward";

/// Measure this device's ceilings, and every kernel and whole steps beside them
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BenchArgs {
    #[command(flatten)]
    device: DeviceFlag,
    /// Only kernels whose names contain this
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Only shapes whose names contain this
    #[arg(long, value_name = "NAME")]
    shape: Option<String>,
    /// Only these parts [default: all; kernels where --kernel or --shape is given]
    #[arg(long, value_name = "PART", value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// A third of the samples
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write ADAPTER.json, ADAPTER.md, ADAPTER-roofline.svg and ADAPTER-growth.svg into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Refresh this device's tables in the pages of this folder
    #[arg(long, value_name = "DIR")]
    docs: Option<PathBuf>,
    /// Write every variant's final WGSL and SPIR-V into this folder, and bench nothing
    #[arg(long, value_name = "DIR")]
    dump: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The peer step as a whole: first run, later runs, peak memory
    Peer,
    /// Every variant of every kernel
    Kernels,
    /// The peer step and both stages of the reference setting, by their commands
    Steps,
    /// The peer step over batch, channels and replicas
    Growth,
    /// Thirty models of the reference setting in one plan, beside one
    Replicas,
}

pub fn run(args: &BenchArgs) -> Result<(), CliError> {
    let start = Instant::now();
    let options = GpuOptions { timestamps: true, ..GpuOptions::default() };
    let device = devices::open_with(&args.device.name().parse().unwrap_or_default(), options)?;
    let opening = start.elapsed().as_secs_f64();
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    if let Some(folder) = &args.dump {
        let paths = bench::dump(&device, folder, args.kernel.as_deref())?;
        let files = terminal::plural(paths.len(), "file");
        return Ok(terminal::print(&format!("{files} in {}\n", folder.display()))?);
    }
    let filtered = args.kernel.is_some() || args.shape.is_some();
    let wanted = |part: Part| match args.only.as_slice() {
        [] => part == Part::Kernels || !filtered,
        only => only.contains(&part),
    };
    let filter = (args.kernel.as_deref(), args.shape.as_deref());
    if wanted(Part::Kernels) && bench::kernel_plans(filter.0, filter.1, device.limits().target)?.is_empty() {
        return Err(CliError::Usage(
            "no kernel has a shape of that name; `rationale bench --only kernels` shows them all".to_owned(),
        ));
    }
    let report = measure(&device, args, opening, wanted)?;
    if let Some(folder) = &args.out {
        write(folder, &report)?;
    }
    if let Some(folder) = &args.docs {
        let block = report.place.slug.clone();
        let tables = |stem: &str| bench::page(&report, stem).map(|table| (block.clone(), table));
        for path in bench::docs::refresh(folder, tables)? {
            terminal::field("refreshed", &path.display().to_string());
        }
    }
    let text = if args.json { json(&report) } else { bench::markdown(&report) };
    terminal::print(&format!("{}\n", text.trim_end()))?;
    let wrong = report.kernels.iter().filter(|row| row.fault.is_some()).count();
    if wrong > 0 {
        terminal::error(&format!("{wrong} results are wrong; they were not timed"));
        return Err(CliError::Said);
    }
    Ok(())
}

fn measure(
    device: &Device,
    args: &BenchArgs,
    opening: f64,
    wanted: impl Fn(Part) -> bool,
) -> Result<Report, CliError> {
    let variants = Variants::new().on(device.limits().target);
    // Before all else, so that first run and peak memory are the step's own.
    let mut steps = Vec::new();
    if wanted(Part::Peer) {
        terminal::field("timing", "the peer step");
        steps.push(bench::step(device, &bench::peer_step(64, 1, 1, &variants)?, samples(args), 5.0)?);
    }
    let effort = Effort { samples: samples(args), ..Effort::default() };
    let timer = Timer::new(device, effort)?;
    let mut report = Report {
        place: Place::of(device, &commit()),
        opening,
        timer,
        ceilings: None,
        proof: None,
        kernels: Vec::new(),
        steps,
        breakdowns: Vec::new(),
        growth: None,
    };
    if wanted(Part::Kernels) || wanted(Part::Steps) {
        let proof = bench::prove_timer(device, &timer)?;
        terminal::field(
            "timer",
            &format!("{}: {} times the work took {:.2} times as long", timer.clock, proof.work, proof.found),
        );
        report.proof = Some(proof);
        let ceilings = bench::ceilings(device, &timer)?;
        terminal::field(
            "ceilings",
            &format!("copy {:.1} GB/s, multiply-add {:.1} GFLOP/s", ceilings.copy / 1e9, ceilings.fma / 1e9),
        );
        report.ceilings = Some(ceilings);
    }
    if let (true, Some(ceilings)) = (wanted(Part::Kernels), &report.ceilings) {
        let filter = (args.kernel.as_deref(), args.shape.as_deref());
        report.kernels = bench::bench_kernels(device, &timer, ceilings, filter, note)?;
    }
    if wanted(Part::Steps) {
        for step in [
            bench::peer_step(64, 1, 1, &variants)?,
            bench::reference_step(false, 1, &variants)?,
            bench::reference_step(true, 1, &variants)?,
        ] {
            terminal::field("breakdown", &step.name);
            report.breakdowns.push(bench::breakdown(device, &timer, &step)?);
        }
    }
    if wanted(Part::Replicas) {
        for replicas in [1, 30] {
            for second in [false, true] {
                let step = bench::reference_step(second, replicas, &variants)?;
                if let Err(error) = step.plan.check(&device.limits()) {
                    terminal::warning(&format!("{}: left out: {error}", step.name));
                    continue;
                }
                terminal::field("timing", &step.name);
                report.steps.push(bench::step(device, &step, samples(args), 4.0)?);
            }
        }
    }
    if wanted(Part::Growth) {
        report.growth = Some(bench::growth(device, |point| {
            let time = show_seconds(point.seconds.median);
            terminal::field("growth", &format!("{} {}: {time}", point.axis, point.value));
        })?);
    }
    Ok(report)
}

fn samples(args: &BenchArgs) -> usize {
    if args.quick { 5 } else { 15 }
}

/// Progress on standard error.
fn note(row: &Row) {
    let outcome = match (&row.fault, &row.seconds) {
        (Some(fault), _) => format!("wrong: {fault}"),
        (None, Some(seconds)) => {
            let share =
                row.of_ceiling.map_or(String::new(), |s| format!(", {:.1} % of the ceiling", 100.0 * s));
            format!("{}{share}", show_seconds(seconds.median))
        }
        (None, None) => "not timed".to_owned(),
    };
    terminal::note(&format!("{} ({}), {}: {outcome}", row.kernel, row.variant, row.shape));
}

/// The commit that the program was built from, where whoever built it said so, else that of the repository around.
fn commit() -> String {
    if let Some(commit) = option_env!("RATIONALE_COMMIT") {
        return commit.to_owned();
    }
    let output = std::process::Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    if text.trim().is_empty() { "unknown".to_owned() } else { text.trim().to_owned() }
}

fn json(report: &Report) -> String {
    serde_json::to_string_pretty(report).unwrap_or_default()
}

/// Results by adapter.
fn write(folder: &Path, report: &Report) -> Result<(), CliError> {
    let file = |name: String, text: &str| {
        let path = folder.join(name);
        let failed = |e: std::io::Error| CliError::File { path: path.clone(), message: e.to_string() };
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text)).map_err(failed)
    };
    let slug = &report.place.slug;
    file(format!("{slug}.json"), &format!("{}\n", json(report)))?;
    let mut page = bench::markdown(report);
    if let Some(ceilings) = report.ceilings.as_ref().filter(|_| !report.kernels.is_empty()) {
        let svg = bench::roofline(&report.place.device, ceilings, &report.kernels)?;
        file(format!("{slug}-roofline.svg"), &svg)?;
        page.push_str(&format!("\n![Roofline]({slug}-roofline.svg)\n"));
    }
    if let Some(growth) = &report.growth {
        let svg = bench::growth_plot(&report.place.device, growth)?;
        file(format!("{slug}-growth.svg"), &svg)?;
        page.push_str(&format!("\n![Growth of the cost]({slug}-growth.svg)\n"));
    }
    file(format!("{slug}.md"), &page)
}

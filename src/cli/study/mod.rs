//! `rationale study`: one question, many models, tables.

pub mod compare;
mod progress;
mod sources;
pub mod tune;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use clap::Args;

use super::error::CliError;
use super::nearest::nearest;
use super::settings::DeviceFlag;
use super::terminal;
use crate::exec::Device;
use crate::study::digits::Digits;
use crate::study::document::Document;
use crate::study::pictures::Library;
use crate::study::runner::{Running, run as run_cells};
use crate::study::summary::Row;
use crate::study::tuned::Tuned;
use crate::study::{
    Cell, Job, Manifest, Options, Study, StudyError, StudyFolder, program, seeds, summary, write,
};
use crate::train::run::{default_folder, timestamp};
use progress::Progress;

const EXAMPLES: &str = "\
Studies:
  balanced, imbalanced, spurious, multiclass   methods and controls on E, EI, ES, E4
  uniform       triangles anywhere: D, DS, BB, BS
  digits        decoy digits, ten classes (needs --data)
  agreement     thirty models on the same data
  ablation, sensitivity, convergence, samples, masks

Examples:
  rationale study spurious --seeds 11,12
  rationale study uniform --methods gate,grad-reg --out runs/uniform
  rationale study agreement --models 30
  rationale study spurious --out runs/my-study --tables-only

A study that was stopped goes on when it is started again with the same --out.";

/// Answer one question with many models under the same seeds: tables, plots, a page
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct StudyArgs {
    /// balanced, imbalanced, spurious, multiclass, uniform, digits, agreement, ablation, sensitivity, convergence,
    /// samples or masks
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    cells: CellFlags,
    /// Only these of the study's data sets, such as DS,BS
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    sets: Vec<String>,
    /// Models of an agreement study
    #[arg(long, value_name = "N", default_value_t = 30)]
    models: usize,
    /// Settings that `rationale tune` found
    #[arg(long, value_name = "FILE")]
    tuned: Option<PathBuf>,
    /// Clean digits: a folder with train/<digit>/ and test/<digit>/, or with the four IDX files
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Only write tables, plots and the page anew, from the cells that are there
    #[arg(long)]
    tables_only: bool,
}

/// What every command over many cells understands.
#[derive(Args, Clone, Debug)]
pub struct CellFlags {
    /// Seeds: final, validation, or numbers and ranges such as 11,12 or 201..220 [default: final ones]
    #[arg(long, value_name = "SEEDS")]
    pub seeds: Option<String>,
    /// Only these methods, by row (gate) or by method (two-stage); label-only is always there
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub methods: Vec<String>,
    /// Epochs of every model, instead of the setting's
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Test pictures of generated sets, for a first look [default: 3000]
    #[arg(long, value_name = "N")]
    pub test_pictures: Option<usize>,
    /// The folder; an earlier run in it goes on [default: runs/<name>-<time>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub device: DeviceFlag,
    /// Models at a time on the CPU [default: one per core]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// Print warnings and the result only
    #[arg(long, short)]
    pub quiet: bool,
}

/// Set by the first Ctrl-C.
pub(super) static STOP: AtomicBool = AtomicBool::new(false);

/// With the known name that was probably meant.
pub(super) fn hinted(error: StudyError) -> CliError {
    match &error {
        StudyError::Unknown { name, known, .. } => match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => CliError::Config(format!("{error}. Did you mean `{near}`?")),
            None => error.into(),
        },
        _ => error.into(),
    }
}

/// The command line as it can be run again, with the folder it used.
fn command(out: &Path) -> String {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if !words.iter().any(|word| word == "--out" || word.starts_with("--out=")) {
        words.extend(["--out".to_owned(), out.to_string_lossy().into_owned()]);
    }
    let words = words.iter().map(|word| terminal::quoted(Path::new(word)));
    format!("rationale {}", words.collect::<Vec<_>>().join(" "))
}

/// A command over many cells, up to the point where they run.
pub(super) struct Prepared {
    pub folder: StudyFolder,
    pub manifest: Manifest,
    pub device: Device,
    pub workers: usize,
}

/// Opens the device and the folder.
pub(super) fn prepare(flags: &CellFlags, stem: &str, mut manifest: Manifest) -> Result<Prepared, CliError> {
    let device = flags.device.open()?;
    let now = SystemTime::now();
    let out = match &flags.out {
        Some(path) => path.clone(),
        None => default_folder(stem, now),
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let workers = match &device {
        Device::Cpu { .. } => flags.workers.unwrap_or(cores).max(1),
        Device::Gpu { .. } => 1,
    };
    manifest.program = program();
    manifest.command = command(&out);
    manifest.device = match &device {
        Device::Cpu { .. } => format!(
            "{}, {}",
            device.title(),
            match workers {
                1 => "one model at a time".to_owned(),
                n => format!("{n} models at a time"),
            }
        ),
        Device::Gpu { .. } => device.title(),
    };
    manifest.started = timestamp(now);
    manifest.latest = timestamp(now);
    let folder = StudyFolder::open(&out, &mut manifest).map_err(hinted)?;
    Ok(Prepared { folder, manifest, device, workers })
}

/// Runs what is missing, with a bar; Ctrl-C ends it in good order.
pub(super) fn cells(
    prepared: &Prepared,
    jobs: &[Job],
    library: &Library,
    quiet: bool,
) -> Result<Vec<Cell>, CliError> {
    let Prepared { folder, manifest, device, workers } = prepared;
    let mut pending = Vec::new();
    for job in jobs {
        if !folder.cell(job)?.is_some_and(|cell| cell.is_settled()) {
            pending.push(job);
        }
    }
    terminal::field("device", &format!("{}: {}", manifest.device, device.reason()));
    terminal::field("folder", &folder.path().display().to_string());
    let done = jobs.len() - pending.len();
    let there = if done > 0 { format!(", {done} of them there already") } else { String::new() };
    terminal::field("models", &format!("{}{there}", terminal::count(jobs.len())));
    let mut progress = Progress::new(&pending, jobs.len(), *workers, quiet);
    if !pending.is_empty() {
        progress.estimate(device, library);
        // Twice: end at once. Whole cells alone are written, so nothing is lost either way but those under way.
        let _ = ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        });
    }
    let running = Running { device, workers: *workers, stop: &STOP };
    let outcome = run_cells(jobs, folder, library, running, &mut |event| progress.on(&event));
    progress.end();
    match outcome {
        Err(StudyError::Stopped { done, total }) => {
            terminal::note(&format!("stopped: {done} of {total} models are done and kept. Go on with:"));
            terminal::note(&format!("  {}", manifest.command));
            Err(CliError::Stopped)
        }
        other => Ok(other?),
    }
}

/// The result on standard output, and where the rest is.
pub(super) fn say(
    folder: &StudyFolder,
    document: &Document,
    rows: &[Row],
    flags: &CellFlags,
) -> Result<(), CliError> {
    if flags.json {
        terminal::print(&format!("{:#}\n", write::results(document, rows)))?;
    } else {
        terminal::print(&document.markdown())?;
    }
    terminal::field("page", &folder.path().join(write::PAGE).display().to_string());
    Ok(())
}

/// Tables, plots and page from the cells that are there.
fn again(study: Study, flags: &CellFlags) -> Result<(), CliError> {
    let Some(out) = &flags.out else {
        return Err(CliError::Usage("--tables-only wants the study's folder: name it with --out".to_owned()));
    };
    let (folder, mut manifest) = StudyFolder::reopen(out)?;
    if manifest.name != study.name() {
        return Err(CliError::Usage(format!(
            "{} holds {} {}, not study {}",
            out.display(),
            manifest.kind,
            manifest.name,
            study.name()
        )));
    }
    let options = Options {
        epochs: manifest.epochs,
        models: manifest.models,
        test_pictures: manifest.test_pictures,
        tuned: manifest.tuned.clone(),
        ..Default::default()
    };
    let cells = study.sorted(folder.all_cells()?, &options)?;
    manifest.seeds = cells.iter().map(|cell| cell.job.seed).collect();
    manifest.seeds.sort_unstable();
    manifest.seeds.dedup();
    finish(study, &folder, &manifest, &cells, flags)
}

/// Writes everything that follows from the cells, and says it.
fn finish(
    study: Study,
    folder: &StudyFolder,
    manifest: &Manifest,
    cells: &[Cell],
    flags: &CellFlags,
) -> Result<(), CliError> {
    let rows = summary::rows(cells).map_err(StudyError::from)?;
    let document = study.document(cells, manifest)?;
    write::write(folder, &document, cells, &rows)?;
    say(folder, &document, &rows, flags)
}

pub fn run(args: &StudyArgs) -> Result<(), CliError> {
    let study = Study::named(&args.name).map_err(hinted)?;
    let flags = &args.cells;
    if args.tables_only {
        return again(study, flags);
    }
    let options = Options {
        seeds: match &flags.seeds {
            Some(text) => seeds::parse(text)?,
            None => study.default_seeds()?,
        },
        methods: flags.methods.clone(),
        sets: args.sets.clone(),
        epochs: flags.epochs,
        models: args.models,
        test_pictures: flags.test_pictures,
        tuned: args.tuned.as_deref().map(Tuned::read).transpose()?,
    };
    // All that can be wrong with the names comes out before a device is opened.
    let jobs = study.jobs(&options).map_err(hinted)?;
    let manifest = Manifest {
        kind: "study".to_owned(),
        name: study.name().to_owned(),
        seeds: options.seeds.clone(),
        methods: options.methods.clone(),
        epochs: options.epochs,
        models: options.models,
        test_pictures: options.test_pictures,
        data: args.data.clone(),
        tuned: options.tuned.clone(),
        ..Default::default()
    };
    let mut library = Library::default();
    if let Some(data) = &args.data {
        library.digits = Some(Digits::read(data)?);
    } else if study == Study::Digits {
        return Err(CliError::Usage(
            "the digits are no part of the program: give a folder with train/<digit>/ and test/<digit>/, or one with the four IDX files, with --data"
                .to_owned(),
        ));
    }
    let prepared = prepare(flags, &format!("study-{}", study.name()), manifest)?;
    let cells = cells(&prepared, &jobs, &library, flags.quiet)?;
    finish(study, &prepared.folder, &prepared.manifest, &cells, flags)
}

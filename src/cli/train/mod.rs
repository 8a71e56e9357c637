//! `rationale train`: one run, from its data to its test result.

mod begin;
pub(super) mod outcome;
mod preview;
mod progress;
mod stopping;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use clap::Args;

use super::config::Config;
use super::error::CliError;
use super::settings::{DeviceFlag, Settings};
use super::source::{self, Source};
use super::trained::Trained;
use super::values::Bytes;
use super::{report, terminal, tune_kernels};
use crate::data::Dataset;
use crate::exec::Device;
use crate::model::{MapShape, Mapping, Network};
use crate::plan::Variants;
use crate::train::run::{EpochRow, RunFolder, RunRecord, timestamp};
use crate::train::{Streaming, TrainError, Trainer, check_fit};
use begin::Begun;
use outcome::Outcome;
use progress::Progress;

const EXAMPLES: &str = "\
Examples:
  rationale train triangles:ES
  rationale train pictures --size 64 --epochs 60
  rationale train pictures --method label-only --run runs/baseline
  rationale train --resume runs/baseline
  rationale train pictures --size 64 --augment flip,shift=2,rotate=10 --augment-preview seen.png

A folder of pictures is pictures/<class>/<image>, or pictures/train/<class>/<image>
beside val/ and test/. Masks (white = relevant) lie in pictures/masks under the
same path, or beside each picture as name_mask.png. A picture without a mask
takes part in learning from labels only.";

/// Train a classifier, with explanations or without, and test it
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TrainArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    device: DeviceFlag,
    /// The run folder [default: runs/<data>-<method>-<time>]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Go on with the run in this folder. --epochs and the learning rates may change, DATA may have moved
    #[arg(long, value_name = "RUN", conflicts_with = "run")]
    resume: Option<PathBuf>,
    /// Take the kernel variants that `rationale tune-kernels` found fastest on this device
    #[arg(long, conflicts_with = "resume")]
    tuned_kernels: bool,
    /// Draw eight training pictures in six augmented versions each, with their masks, into a PNG; trains nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "resume"])]
    augment_preview: Option<PathBuf>,
    /// Hold at most so much of each set of pictures on the device at a time, such as 512MiB; what is larger is streamed, bit
    /// for bit the same [default: all of it, as far as the device's buffers reach]
    #[arg(long, value_name = "SIZE")]
    memory_cap: Option<Bytes>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Print the device, warnings and the result only
    #[arg(long, short)]
    quiet: bool,
}

/// Set by the first Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// A run under way.
struct Run {
    config: Config,
    folder: RunFolder,
    record: RunRecord,
    /// What every checkpoint says of the run.
    notes: BTreeMap<String, String>,
    quiet: bool,
}

pub fn run(args: &TrainArgs) -> Result<(), CliError> {
    if let Some(file) = &args.augment_preview {
        return preview::run(args, file);
    }
    let Begun { mut config, mut folder, checkpoint, mut record, mut warnings } = begin::begin(args)?;
    let resumed = checkpoint.is_some();

    let device = super::devices::open(&choice(&record.device_choice))?;
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    let source = source::load(&config, false)?;
    warnings.extend(source.warnings.iter().cloned());
    if !args.quiet {
        source.describe(config.data.path.as_deref().unwrap_or_default());
    }
    if config.model().mapping == Mapping::Auto {
        let Dataset { height, width, channels, .. } = source.train;
        let input = MapShape { height, width, channels };
        let network = Network::new(&config.model(), input, source.train.classes.len(), 1);
        let features = network.map_err(TrainError::from)?.features();
        if let Some(chosen) = config.settle_mapping(features.height, features.width) {
            terminal::field("mapping", &format!("auto: {chosen}"));
        }
    }
    config.resolve();
    let seeds = config.seeds();
    let model = config.model();
    config.train.check(source.train.len(), source.train.classes.len())?;
    stopping::check(&config.train, config.data.path.as_deref().unwrap_or_default(), &source)?;
    let memory_cap = args.memory_cap.map(|Bytes(bytes)| bytes);
    let plans = check_fit(&model, &config.train, &source.train, 1, &device.limits(), memory_cap)?;

    let notes = checkpoint.as_ref().map(|checkpoint| checkpoint.notes.clone()).unwrap_or_default();
    let variants: Variants = match notes.get("variants").and_then(|text| serde_json::from_str(text).ok()) {
        Some(recorded) => recorded,
        None if args.tuned_kernels => tune_kernels::remembered(&device),
        None => Variants::new(),
    };
    let mut trainer =
        Trainer::within(&device, &model, &config.train, &source.train, &[seeds], &variants, memory_cap)?;
    if !args.quiet {
        let bytes = plans.iter().map(|plan| plan.layout().total_bytes()).max().unwrap_or(0);
        let weights: usize =
            trainer.network().parameters().iter().map(|p| p.dims.iter().product::<usize>()).sum();
        let train = &config.train;
        terminal::field(
            "training",
            &format!(
                "{}, mapping {}, {} of {} batches of {}; seed {}",
                train.method,
                model.mapping,
                terminal::plural(train.epochs, "epoch"),
                source.train.len().div_ceil(train.batch),
                train.batch,
                config.seeds.seed.0,
            ),
        );
        terminal::field(
            "model",
            &format!(
                "{} weights; fits: {} on the device",
                terminal::count(weights),
                crate::plan::show_bytes(bytes)
            ),
        );
        if let Some(Streaming { bytes, chunk_bytes, steps, chunks }) = trainer.streaming() {
            let [bytes, chunk_bytes] = [bytes, chunk_bytes].map(crate::plan::show_bytes);
            let why = if args.memory_cap.is_some() { "--memory-cap" } else { "one buffer of the device" };
            terminal::field(
                "streaming",
                &format!(
                    "the training pictures take {bytes}, more than {why} allows: {} of {} an epoch, {chunk_bytes} each",
                    terminal::plural(chunks, "chunk"),
                    if steps == 1 {
                        "1 batch".to_owned()
                    } else {
                        format!("{} batches", terminal::count(steps))
                    },
                ),
            );
        }
        let place = folder.path().display();
        terminal::field(
            "run",
            &match &checkpoint {
                Some(checkpoint) => format!("{place}, going on after epoch {}", checkpoint.epoch),
                None => place.to_string(),
            },
        );
    }
    for (name, data) in [("val", source.val.as_ref()), ("test", Some(&source.test))] {
        if let Some(data) = data {
            trainer.add_dataset(name, data)?;
        }
    }

    let fresh_notes = begin::notes(&config, &source, &device, trainer.variants());
    if let Some(checkpoint) = &checkpoint {
        warnings.extend(begin::compare_notes(&notes, &fresh_notes, &folder.checkpoint_path())?);
        trainer.restore(checkpoint).map_err(|error| begin::with_path(error, &folder.checkpoint_path()))?;
        record.resumed_after.push(checkpoint.epoch);
    }
    for warning in &warnings {
        terminal::warning(warning);
    }
    record.program = concat!("rationale ", env!("CARGO_PKG_VERSION")).to_owned();
    record.status = "running".to_owned();
    record.system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    record.device = device.title();
    record.device_reason = device.reason().to_owned();
    record.classes = source.train.classes.clone();
    record.seeds = Some(seeds);
    record.variants = trainer.variants().clone();
    // A run that is taken up again keeps what it was warned of before.
    record.warnings.extend(terminal::warnings());
    let mut seen = std::collections::HashSet::new();
    record.warnings.retain(|warning| seen.insert(warning.clone()));
    record.finished = None;
    record.result = None;
    folder.write_config(&config.render())?;
    let mut run = Run { config, folder, record, notes: fresh_notes, quiet: args.quiet };
    run.note_state(&trainer)?;
    if !resumed {
        run.save_checkpoint(&trainer)?;
    }

    // Twice: end at once. Without the handler Ctrl-C ends the program as ever, and nothing is lost either.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
    });
    if let Err(error) = run.train(&mut trainer, source.val.is_some()) {
        drop(trainer);
        // Nothing more is written where a write has failed.
        if run.record.epochs > 0 && run.record.status != "failed" {
            run.report(&device, source);
        }
        return Err(error);
    }
    if !args.quiet {
        terminal::note(&format!("testing on {}", terminal::plural(source.test.len(), "picture")));
    }
    let outcome = run.judge(&mut trainer, &device, &source)?;
    drop(trainer);
    run.report(&device, source);
    terminal::print(&if args.json { outcome.json() } else { outcome.text() })?;
    Ok(())
}

fn choice(device: &str) -> crate::gpu::Choice {
    // Every text is a choice: what is no number or keyword is a part of a name.
    device.parse().unwrap_or_default()
}

impl Run {
    fn note_state(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        // The weights may be those of an earlier epoch than the last one.
        let rows = self.folder.rows().last().map_or(0, |row| row.epoch);
        self.record.epochs = rows.max(trainer.epoch());
        self.record.digest = crate::train::digest(&trainer.checkpoint().tensors);
        self.folder.write_record(&self.record)
    }

    fn save_checkpoint(&mut self, trainer: &Trainer) -> Result<(), TrainError> {
        let checkpoint = self.noted(trainer);
        self.folder.write_checkpoint(&checkpoint)
    }

    fn noted(&self, trainer: &Trainer) -> crate::train::Checkpoint {
        let mut checkpoint = trainer.checkpoint().clone();
        checkpoint.notes = self.notes.clone();
        checkpoint
    }

    fn end(&mut self, status: &str, trainer: &Trainer) -> Result<(), TrainError> {
        self.record.status = status.to_owned();
        self.record.finished = Some(timestamp(SystemTime::now()));
        self.note_state(trainer)
    }

    /// The command that goes on from here.
    fn resume_command(&self) -> String {
        format!("rationale train --resume {}", terminal::quoted(self.folder.path()))
    }

    /// Trains until the last epoch, Ctrl-C or an error; whatever happens, the last good state is on the disk.
    fn train(&mut self, trainer: &mut Trainer, validate: bool) -> Result<(), CliError> {
        let epochs = self.config.train.epochs;
        let mut enough = self.keep_best(trainer)?;
        let mut progress = Progress::new(trainer.epoch(), epochs, self.quiet || enough);
        while trainer.epoch() < epochs && !enough {
            let outcome = self.epoch(trainer, validate, &mut progress).and_then(|()| self.keep_best(trainer));
            enough = match outcome {
                Ok(enough) => enough,
                Err(error) => {
                    progress.end();
                    return Err(self.give_up(error, trainer));
                }
            };
            if STOP.load(Ordering::SeqCst) && trainer.epoch() < epochs && !enough {
                progress.end();
                self.end("stopped", trainer)?;
                terminal::note(&format!("stopped after epoch {} of {epochs}. Go on with:", trainer.epoch()));
                terminal::note(&format!("  {}", self.resume_command()));
                return Err(CliError::Stopped);
            }
        }
        progress.end();
        Ok(self.take_best(trainer)?)
    }

    fn epoch(
        &mut self,
        trainer: &mut Trainer,
        validate: bool,
        progress: &mut Progress,
    ) -> Result<(), TrainError> {
        let began = Instant::now();
        let report = trainer.train_epoch_watched(|share| progress.within(share))?;
        let val = match validate {
            true => Some(trainer.evaluate("val")?),
            false => None,
        };
        let val_loss = val.as_ref().and_then(|val| val.loss.first().copied());
        let val = val.and_then(|val| val.confusion.into_iter().next());
        let first = |values: &[f64]| values.first().copied().unwrap_or(f64::NAN);
        let row = EpochRow {
            epoch: report.epoch,
            label_loss: first(&report.label_loss),
            alignment_loss: report.alignment_loss.as_deref().map(first),
            multiplier: report.multiplier.as_deref().map(first),
            train_accuracy: first(&report.train_accuracy),
            val_accuracy: val.as_ref().map(|confusion| confusion.accuracy()),
            val_balanced_accuracy: val.as_ref().map(|confusion| confusion.balanced_accuracy()),
            val_loss,
            seconds: began.elapsed().as_secs_f64(),
            ..Default::default()
        };
        progress.epoch(&row);
        let checkpoint = self.noted(trainer);
        if row.epoch == 1 {
            let mut first = checkpoint.clone();
            let network = trainer.network();
            let of_model: Vec<_> = network.parameters().into_iter().chain(network.running()).collect();
            first.tensors.retain(|name, _| of_model.iter().any(|tensor| tensor.name == *name));
            self.folder.write_first(&first)?;
        }
        self.folder.write_epoch(row, &checkpoint)
    }

    /// Says what happened and how to go on.
    fn give_up(&mut self, error: TrainError, trainer: &Trainer) -> CliError {
        let diverged = matches!(error, TrainError::Diverged { .. });
        terminal::error(&error.to_string());
        let smaller = match &error {
            TrainError::Diverged { remedy: "--alignment-lr", .. } => {
                format!(" --alignment-lr {}", self.config.train.alignment_lr / 10.0)
            }
            TrainError::Diverged { .. } => format!(" --label-lr {}", self.config.train.label_lr / 10.0),
            _ => String::new(),
        };
        terminal::note("What was done so far is safe. Go on with:");
        terminal::note(&format!("  {}{smaller}", self.resume_command()));
        // On a full disk the record cannot be written either; the error above has said why.
        let _ = self.end(if diverged { "diverged" } else { "failed" }, trainer);
        CliError::Said
    }

    /// Leaves the page of the run as it stands. The run itself is safe without it.
    fn report(&self, device: &Device, source: Source) {
        let written =
            Trained::read(self.folder.path()).and_then(|trained| report::write(&trained, device, source));
        match written {
            Ok(path) => terminal::field("report", &path.display().to_string()),
            Err(error) => terminal::warning(&format!(
                "there is no report of this run: {error}; `rationale report {}` writes it",
                terminal::quoted(self.folder.path())
            )),
        }
    }

    /// Tests the final state and writes what it came to.
    fn judge(
        &mut self,
        trainer: &mut Trainer,
        device: &Device,
        source: &Source,
    ) -> Result<Outcome, CliError> {
        let outcome = Outcome::measure(trainer, device, source, self)?;
        self.folder.write_test(outcome.test.accuracy, outcome.test.balanced_accuracy)?;
        self.record.result = serde_json::to_value(&outcome).ok();
        self.end("finished", trainer)?;
        Ok(outcome)
    }
}

//! `rationale train`: one run, from its data to its test result.

mod begin;
mod describe;
mod initial;
pub(super) mod outcome;
mod preview;
mod progress;
mod stopping;
mod under_way;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::error::CliError;
use super::settings::{DeviceFlag, Settings};
use super::source;
use super::values::Bytes;
use super::{report, terminal, tune_kernels};
use crate::data::Dataset;
use crate::model::{MapShape, Mapping, Network};
use crate::plan::Variants;
use crate::train::{TrainError, Trainer, check_fit};
use begin::Begun;
use under_way::Run;

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

pub fn run(args: &TrainArgs) -> Result<(), CliError> {
    if let Some(file) = &args.augment_preview {
        return preview::run(args, file);
    }
    let Begun { mut config, mut folder, checkpoint, mut record, mut warnings } = begin::begin(args)?;
    let resumed = checkpoint.is_some();

    let device = super::devices::open(&choice(&record.device_choice))?;
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    let mut source = source::load(&config, false)?;
    source.fit(config.train.method)?;
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
        describe::training(&config, &trainer, source.train.len(), bytes, args.memory_cap.is_some());
        let place = folder.path().display();
        terminal::field(
            "run",
            &match &checkpoint {
                Some(checkpoint) => format!("{place}, going on after epoch {}", checkpoint.epoch),
                None => place.to_string(),
            },
        );
    }
    if !resumed {
        initial::take(&mut config, &mut trainer, args.quiet)?;
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

//! The start of a run, new or taken up again: settings, folder, and whether both still belong together.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::TrainArgs;
use crate::cli::config::Config;
use crate::cli::error::CliError;
use crate::cli::source::{self, Source};
use crate::cli::terminal;
use crate::data::triangles::TriangleSet;
use crate::exec::Device;
use crate::plan::Variants;
use crate::train::run::{CONFIG, Resumed, RunFolder, RunRecord, default_folder, state_file, timestamp};
use crate::train::{Checkpoint, TrainError};

/// All that is known before any data is read.
pub struct Begun {
    pub config: Config,
    pub folder: RunFolder,
    pub checkpoint: Option<Checkpoint>,
    pub record: RunRecord,
    pub warnings: Vec<String>,
}

pub fn begin(args: &TrainArgs) -> Result<Begun, CliError> {
    let mut begun = match &args.resume {
        Some(path) => resume(args, path)?,
        None => anew(args)?,
    };
    begun.record.commands.push(terminal::command_line());
    let train = &begun.config.train;
    // The sizes come later; whatever is wrong without them is said before a long reading of pictures.
    train.check(usize::MAX, train.class_weights.len())?;
    Ok(begun)
}

fn anew(args: &TrainArgs) -> Result<Begun, CliError> {
    let mut config = args.settings.config()?;
    let Some(path) = config.data.path.clone() else {
        return Err(CliError::Usage(
            "no data: name a folder of pictures or a built-in set, as in `rationale train triangles:ES`"
                .to_owned(),
        ));
    };
    config.data.path = Some(lasting(path));
    // A run that begins takes the weights as they are.
    config.init.digest = None;
    if let Some(from) = config.init.from.take() {
        // A run may go on and have other weights tomorrow; which of its files counts is settled now.
        let file = if from.is_dir() { state_file(&from)? } else { from };
        config.init.from = Some(std::path::absolute(&file).unwrap_or(file));
    }
    let now = SystemTime::now();
    let name = source::name(config.data.path.as_deref().unwrap_or_default());
    let path = match &args.run {
        Some(path) => path.clone(),
        None => default_folder(&format!("{name}-{}", config.train.method), now),
    };
    let folder = RunFolder::create(&path)?;
    let record = RunRecord {
        device_choice: args.device.name().to_owned(),
        started: timestamp(now),
        ..Default::default()
    };
    Ok(Begun { config, folder, checkpoint: None, record, warnings: Vec::new() })
}

/// A path that still leads there from another working directory.
fn lasting(path: String) -> String {
    if TriangleSet::built_in(&path).is_some() {
        return path;
    }
    let absolute = std::path::absolute(&path).ok().and_then(|path| path.to_str().map(str::to_owned));
    absolute.unwrap_or(path)
}

fn resume(args: &TrainArgs, path: &Path) -> Result<Begun, CliError> {
    let fixed = args.settings.fixed_flags();
    if !fixed.is_empty() {
        return Err(CliError::Usage(format!(
            "{} cannot change in the middle of a run; start a new one without --resume",
            fixed.join(", ")
        )));
    }
    let Resumed { folder, config, checkpoint, record, warnings } = RunFolder::resume(path)?;
    let mut config = Config::parse(&config, &path.join(CONFIG))?;
    args.settings.apply(&mut config)?;
    config.data.path = config.data.path.map(lasting);
    if let Some(done) = checkpoint.as_ref().map(|checkpoint| checkpoint.epoch)
        && done > config.train.epochs
    {
        return Err(CliError::Config(format!(
            "{} has {done} epochs behind it, more than the {} asked for; use --epochs {done} or more",
            path.display(),
            config.train.epochs
        )));
    }
    let now = timestamp(SystemTime::now());
    let mut record = record.unwrap_or_else(|| RunRecord { started: now, ..Default::default() });
    if let Some(device) = &args.device.device {
        record.device_choice = device.clone();
    } else if record.device_choice.is_empty() {
        record.device_choice = "auto".to_owned();
    }
    Ok(Begun { config, folder, checkpoint, record, warnings })
}

/// What a checkpoint says of its run.
pub fn notes(
    config: &Config,
    source: &Source,
    device: &Device,
    variants: &Variants,
) -> BTreeMap<String, String> {
    let json = |value: Result<String, serde_json::Error>| value.unwrap_or_default();
    BTreeMap::from([
        ("program".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("device".to_owned(), device.title()),
        ("variants".to_owned(), json(serde_json::to_string(variants))),
        ("seeds".to_owned(), json(serde_json::to_string(&config.seeds()))),
        ("classes".to_owned(), json(serde_json::to_string(&source.train.classes))),
        (
            "input".to_owned(),
            json(serde_json::to_string(&[source.train.height, source.train.width, source.train.channels])),
        ),
        ("config_digest".to_owned(), config.digest()),
        ("data_digest".to_owned(), source.digest()),
    ])
}

/// Holds a checkpoint's notes against the run that goes on from it. Other data are refused; all else that makes the
/// bits differ from those of an unbroken run is a warning.
pub fn compare_notes(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    checkpoint: &Path,
) -> Result<Vec<String>, TrainError> {
    let differs = |key: &str| match (old.get(key), new.get(key)) {
        (Some(old), Some(new)) if old != new => Some((old, new)),
        _ => None,
    };
    if differs("data_digest").is_some() || differs("classes").is_some() {
        return Err(TrainError::Checkpoint {
            path: checkpoint.to_owned(),
            message: "the training pictures, labels or masks are not those that the run began with; put them back, or start a new run".to_owned(),
        });
    }
    let mut warnings = Vec::new();
    let unlike = "so the weights will differ from those of an unbroken run";
    if let Some((old, new)) = differs("device") {
        warnings.push(format!("the run began on {old} and goes on on {new}, {unlike}"));
    }
    let variants = |notes: &BTreeMap<String, String>| {
        notes.get("variants").and_then(|text| serde_json::from_str::<Variants>(text).ok()).unwrap_or_default()
    };
    if variants(old).lost_in(&variants(new)) {
        warnings.push(format!("some kernel variants that the run used are not there any more, {unlike}"));
    }
    if differs("config_digest").is_some() {
        warnings.push(format!("settings were changed since the checkpoint, {unlike}"));
    }
    if let Some((old, new)) = differs("program") {
        warnings.push(format!("the run began with version {old}, this is {new}: the weights may differ"));
    }
    Ok(warnings)
}

/// The trainer speaks of a checkpoint in memory; people want its file.
pub fn with_path(error: TrainError, file: &Path) -> TrainError {
    match error {
        TrainError::Checkpoint { message, .. } => TrainError::Checkpoint { path: file.to_owned(), message },
        other => other,
    }
}

//! `rationale tune`: the same number of trials for every method, judged by validation pictures.

use std::path::Path;

use clap::Args;

use super::sources::DataFlags;
use super::{CellFlags, cells, hinted, prepare};
use crate::cli::error::CliError;
use crate::cli::terminal;
use crate::study::arm::{self, Arm};
use crate::study::tune::{ARMS, Search};
use crate::study::tuned::Tuned;
use crate::study::{BASELINE, Manifest, StudyError, seeds, write};

const EXAMPLES: &str = "\
Examples:
  rationale tune ES --methods diagonal,grad-reg-1
  rationale tune pictures --size 64 --trials 12
  rationale study spurious --tuned runs/tune-ES-.../tuned.toml

Every method has the same number of trials, by default 24, on the validation seeds;
no test picture is drawn. A search that was stopped goes on with the same --out.";

/// Search the settings of each method under one budget, on validation pictures
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct TuneArgs {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    cells: CellFlags,
    /// Trials of every method; the first has the settings as they are
    #[arg(long, value_name = "N")]
    trials: Option<usize>,
    /// Add what was found to this file as well; choices for the same setting and method give way
    #[arg(long, value_name = "FILE")]
    into: Option<std::path::PathBuf>,
}

/// The file of what was found.
const TUNED: &str = "tuned.toml";

pub fn run(args: &TuneArgs) -> Result<(), CliError> {
    let flags = &args.cells;
    let committed = seeds::committed()?;
    let seeds = match &flags.seeds {
        Some(text) => seeds::parse(text)?,
        None => committed.validation,
    };
    let (setting, library, data) = args.data.read(&seeds)?;
    let mut names: Vec<String> = match flags.methods.as_slice() {
        [] => ARMS.map(str::to_owned).to_vec(),
        names => names.to_vec(),
    };
    // A method with a search behind it is compared to a baseline with the same search.
    if !names.iter().any(|name| name == BASELINE) {
        names.insert(0, BASELINE.to_owned());
    }
    let all: Result<Vec<Arm>, StudyError> =
        arm::names().iter().map(|name| Arm::named(name, &setting)).collect();
    let mut arms: Vec<Arm> = Vec::new();
    for name in &names {
        let known = all.as_ref().ok().into_iter().flatten().find(|arm| arm.name == *name);
        let arm = known.cloned().map_or_else(|| Arm::named(name, &setting), Ok).map_err(hinted)?;
        if arm.tuned_as != arm.name {
            let message = format!(
                "{name} is a control: it takes the settings of {}, so search for that one instead",
                arm.tuned_as
            );
            return Err(CliError::Config(message));
        }
        arms.push(arm);
    }
    if let Some(epochs) = flags.epochs {
        arms.iter_mut().for_each(|arm| arm.train.epochs = epochs);
    }
    let trials = args.trials.unwrap_or(committed.trials);
    if trials == 0 {
        return Err(CliError::Config("--trials is 0: a search needs at least one trial".to_owned()));
    }
    let search = Search { setting: setting.clone(), arms, trials, seeds: seeds.clone() };
    let manifest = Manifest {
        kind: "tune".to_owned(),
        name: setting.name.clone(),
        seeds,
        methods: names,
        epochs: flags.epochs,
        models: 1,
        data,
        ..Default::default()
    };
    let prepared = prepare(flags, &format!("tune-{}", setting.name), manifest)?;
    let cells = cells(&prepared, &search.jobs(), &library, flags.quiet)?;
    let found = search.judge(&cells)?;
    let document = found.document(&search, &prepared.manifest);
    let folder = &prepared.folder;
    write::write(folder, &document, &cells, &found.rows)?;
    folder.write("trials.jsonl", found.lines().as_bytes())?;
    save(&folder.path().join(TUNED), &found.tuned)?;
    if let Some(path) = &args.into {
        let mut all = if path.exists() { Tuned::read(path)? } else { Tuned::default() };
        all.merge(found.tuned.clone());
        save(path, &all)?;
    }
    super::say(&prepared.folder, &document, &found.rows, flags)?;
    let file = args.into.clone().unwrap_or_else(|| folder.path().join(TUNED));
    terminal::note(&format!(
        "found settings: {0}; use them with `rationale study NAME --tuned {0}`",
        terminal::quoted(&file)
    ));
    Ok(())
}

fn save(path: &Path, tuned: &Tuned) -> Result<(), CliError> {
    let text = toml::to_string(tuned)
        .map_err(|e| CliError::File { path: path.to_owned(), message: format!("cannot be written ({e})") })?;
    let head = "# Settings that `rationale tune` found on validation pictures; `rationale study --tuned` uses them.\n";
    Ok(crate::train::write_atomically(path, format!("{head}{text}").as_bytes())?)
}

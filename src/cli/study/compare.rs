//! `rationale compare`: a user's own pictures through every method.

use clap::Args;

use super::sources::DataFlags;
use super::{CellFlags, cells, hinted, prepare};
use crate::cli::error::CliError;
use crate::cli::terminal;
use crate::study::{Manifest, StudyError, compare, seeds, summary, write};

const EXAMPLES: &str = "\
Examples:
  rationale compare pictures --size 64
  rationale compare pictures --seeds 1..10 --methods gate,grad-reg
  rationale compare ES --seeds 11,12

Every method gets the same seeds: the same splits, initial weights and order. The
controls show whether it is the pictures' own explanations that help. A comparison
that was stopped goes on when it is started again with the same --out.";

/// Compare every method and both controls on your own pictures
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CompareArgs {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    cells: CellFlags,
}

/// Seeds where none are asked for: enough for an interval, few enough for a coffee.
const SEEDS: &str = "1..5";

pub fn run(args: &CompareArgs) -> Result<(), CliError> {
    let flags = &args.cells;
    let seeds = seeds::parse(flags.seeds.as_deref().unwrap_or(SEEDS))?;
    let (setting, library, data) = args.data.read(&seeds)?;
    let mut jobs = compare::jobs(&setting, &flags.methods, &seeds, flags.epochs).map_err(hinted)?;
    if let Some(pictures) = flags.test_pictures {
        jobs.iter_mut().for_each(|job| job.test_pictures = pictures);
    }
    let manifest = Manifest {
        kind: "compare".to_owned(),
        name: setting.name.clone(),
        seeds,
        methods: flags.methods.clone(),
        epochs: flags.epochs,
        models: 1,
        test_pictures: flags.test_pictures,
        data,
        ..Default::default()
    };
    let prepared = prepare(flags, &format!("compare-{}", setting.name), manifest)?;
    let cells = cells(&prepared, &jobs, &library, flags.quiet)?;
    let rows = summary::rows(&cells).map_err(StudyError::from)?;
    let document = compare::report(&setting, &cells, &prepared.manifest)?;
    write::write(&prepared.folder, &document, &cells, &rows)?;
    super::say(&prepared.folder, &document, &rows, flags)?;
    if !flags.json {
        for sentence in compare::verdict(&rows)? {
            terminal::print(&format!("\n{sentence}\n"))?;
        }
    }
    Ok(())
}

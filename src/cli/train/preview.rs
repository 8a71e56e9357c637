//! `rationale train --augment-preview FILE`: what augmentation does, before any training.

use std::path::Path;

use super::TrainArgs;
use crate::cli::error::CliError;
use crate::cli::{source, terminal};
use crate::report::{augmented_sheet, contact_sheet, write_png};
use crate::train::augmented;

/// Pictures on the sheet, explained ones first.
const PICTURES: usize = 8;
/// Versions of each.
const VERSIONS: usize = 6;

pub fn run(args: &TrainArgs, file: &Path) -> Result<(), CliError> {
    let config = args.settings.config()?;
    if config.train.augment.is_none() {
        return Err(CliError::Usage(
            "--augment-preview shows what --augment does, and no augmentation is set; add, for example, \
             --augment flip,shift=2,rotate=10"
                .to_owned(),
        ));
    }
    let device = args.device.open()?;
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    let train = source::load(&config, true)?.train;
    let mut chosen = train.explained_sample(PICTURES);
    let unexplained = (0..train.len()).filter(|&i| !train.explained[i]);
    let missing = PICTURES - chosen.len();
    chosen.extend(unexplained.take(missing));
    let data = train.subset(&chosen)?;
    let seen = augmented(&device, &config.train, &data, VERSIONS, config.seeds().order)?;
    write_png(file, &contact_sheet(&augmented_sheet(&data, &config.train.augment, &seen)))?;
    terminal::print(&format!("{}\n", file.display()))?;
    Ok(())
}

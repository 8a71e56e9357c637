//! Weights from elsewhere, at the start of a run.

use crate::cli::config::Config;
use crate::cli::error::CliError;
use crate::cli::terminal;
use crate::train::Trainer;

/// How many names a line lists.
const NAMED: usize = 4;

/// Puts the weights that `[init]` asks for in the place of random ones, says so, and notes their digest in the config.
pub fn take(config: &mut Config, trainer: &mut Trainer, quiet: bool) -> Result<(), CliError> {
    let (Some(path), Some(imported)) = (config.init.from.clone(), config.init.read(trainer.network())?)
    else {
        return Ok(());
    };
    let parts: Vec<&str> = config.init.parts.iter().map(|part| part.name()).collect();
    let has_weights = |part: &&str| imported.weights.keys().any(|name| name.split('.').next() == Some(part));
    if let Some(part) = parts.iter().find(|part| !has_weights(part)) {
        return Err(CliError::Config(format!(
            "the network has no weights in its {part}; leave that part out of --init-parts"
        )));
    }
    let mut said =
        format!("{} from {} ({} tensors)", parts.join(", "), path.display(), imported.weights.len());
    for (names, what) in [(&imported.zero_biases, "not there and 0"), (&imported.left, "not taken")] {
        if !names.is_empty() {
            let more = names.len().saturating_sub(NAMED);
            let shown = names[..names.len() - more].join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            said.push_str(&format!("; {what}: {shown}{more}"));
        }
    }
    if !quiet {
        terminal::field("weights", &said);
    }
    config.init.digest = Some(imported.digest.clone());
    Ok(trainer.restore(&imported.into_start(trainer.checkpoint(), 1))?)
}

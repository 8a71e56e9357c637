//! `rationale plan`: a stage printed as a table.

use clap::Args;

use super::error::CliError;
use super::settings::{DeviceFlag, Settings};
use super::{source, terminal};
use crate::train::{Alternation, check_fit};

const EXAMPLES: &str = "\
Examples:
  rationale plan
  rationale plan triangles:E4 --stage 2
  rationale plan pictures --size 64 --batch 100";

/// Print what a training step does: commands, tensors, grids, FLOPs, bytes and memory
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    device: DeviceFlag,
    /// Stage 1 (labels) or stage 2 (explanations) by itself
    #[arg(long, value_name = "STAGE", value_parser = clap::value_parser!(u8).range(1..=2))]
    stage: Option<u8>,
}

pub fn run(args: &PlanArgs) -> Result<(), CliError> {
    let mut config = args.settings.config()?;
    if config.data.path.is_none() {
        config.data.path = Some("triangles:ES".to_owned());
    }
    let method = config.train.method;
    if args.stage == Some(2) && !method.has_stage2() {
        return Err(CliError::Config(format!("{method} has no stage 2; use --method two-stage")));
    }
    let device = args.device.open()?;
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    let source = source::load(&config, true)?;
    config.train.check(source.train.len(), source.train.classes.len())?;
    if args.stage.is_some() && method.has_stage2() {
        // By epoch the two stages are plans of their own, of the same commands.
        config.train.alternation = Alternation::Epoch;
    }
    let plans = check_fit(&config.model(), &config.train, &source.train, 1, &device.limits(), None)?;
    let tables: Vec<String> = match args.stage {
        None => plans.iter().map(|plan| plan.table()).collect(),
        Some(stage) => plans.iter().skip(usize::from(stage) - 1).take(1).map(|plan| plan.table()).collect(),
    };
    terminal::print(&tables.join("\n"))?;
    Ok(())
}

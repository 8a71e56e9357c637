//! The program `rationale`. Results go to standard output, everything else to standard error.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bar;
mod bench;
mod check;
mod config;
mod demo;
mod devices;
mod doctor;
mod error;
mod evaluate;
mod exclusive_use;
mod export;
mod init;
mod nearest;
mod pictures;
mod plan;
mod predict;
mod report;
mod runs;
mod settings;
mod shell;
mod source;
mod studio;
mod study;
mod terminal;
mod train;
mod trained;
mod tune_kernels;
mod values;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tracing_subscriber::prelude::*;

use error::CliError;
#[cfg(feature = "studio")]
pub use studio::studio_door;

/// Behind `--help`, and so in the manual.
const MORE: &str = "\
Begin with: rationale demo, then rationale check and rationale train with pictures of your own.

Exit status:
  0    the job was done (check: no errors, warnings at most)
  1    it was not: one line on standard error says why, and the remedy
  2    the command line is wrong
  130  stopped by Ctrl-C; what was done is saved, and how to go on is said

Environment:
  NO_COLOR=1                no colours
  RATIONALE_LOG=LEVELS      log lines of the libraries below, such as wgpu_core=info
  RATIONALE_SHADERS=FOLDER  run edited shaders (rationale bench --dump writes them)
  RATIONALE_TUNING=FILE     where tune-kernels remembers what it chose";

/// Learns from explanations: trains image classifiers on pictures, class names, and masks that say which pixels are
/// the reason.
#[derive(Parser)]
#[command(name = "rationale", version, arg_required_else_help = true, max_term_width = 110)]
#[command(
    after_help = "Begin with: rationale demo, then rationale check and rationale train with pictures of your own."
)]
#[command(after_long_help = MORE)]
struct Arguments {
    /// Say what is done to devices, plans and memory; twice: also what wgpu says
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Train(Box<train::TrainArgs>),
    Predict(predict::PredictArgs),
    Evaluate(evaluate::EvaluateArgs),
    Report(report::ReportArgs),
    Export(export::ExportArgs),
    Runs(runs::RunsArgs),
    Compare(Box<study::compare::CompareArgs>),
    Study(Box<study::StudyArgs>),
    Tune(Box<study::tune::TuneArgs>),
    Check(Box<check::CheckArgs>),
    Studio(Box<studio::StudioArgs>),
    Init(init::InitArgs),
    Bench(bench::BenchArgs),
    Devices(devices::DevicesArgs),
    Doctor(doctor::DoctorArgs),
    TuneKernels(Box<tune_kernels::TuneKernelsArgs>),
    Plan(Box<plan::PlanArgs>),
    ExclusiveUse(exclusive_use::ExclusiveUseArgs),
    Completions(shell::CompletionsArgs),
    Manual(shell::ManualArgs),
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    listen(arguments.verbose);
    let outcome = match &arguments.command {
        Command::Demo(args) => demo::run(args).map_err(CliError::from),
        Command::Train(args) => train::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Report(args) => report::run(args),
        Command::Export(args) => export::run(args),
        Command::Runs(args) => runs::run(args),
        Command::Compare(args) => study::compare::run(args),
        Command::Study(args) => study::run(args),
        Command::Tune(args) => study::tune::run(args),
        Command::Check(args) => check::run(args),
        Command::Studio(args) => studio::run(args),
        Command::Init(args) => init::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Devices(args) => devices::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::TuneKernels(args) => tune_kernels::run(args),
        Command::Plan(args) => plan::run(args),
        Command::ExclusiveUse(args) => exclusive_use::run(args),
        Command::Completions(args) => shell::completions(args, Arguments::command()),
        Command::Manual(args) => shell::manual(args, Arguments::command()),
    };
    terminal::repeat_warnings();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CliError::Stopped | CliError::Said) {
                terminal::error(&error.to_string());
            }
            error.exit_code()
        }
    }
}

/// Log lines for whoever looks for a fault: as many as `--verbose` asks for, or those that `RATIONALE_LOG` names.
fn listen(verbose: u8) {
    let wanted = std::env::var("RATIONALE_LOG").unwrap_or_else(|_| {
        match verbose {
            0 => "",
            1 => "rationale=debug",
            _ => "rationale=trace,wgpu_core=info,wgpu_hal=warn",
        }
        .to_owned()
    });
    let targets = wanted.parse::<tracing_subscriber::filter::Targets>().unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(terminal::colour());
    tracing_subscriber::registry().with(lines.with_filter(targets)).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_command_shows_an_example() {
        let mut command = Arguments::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands_mut() {
            let help = sub.render_long_help().to_string();
            assert!(help.contains("Example"), "{}: {help}", sub.get_name());
        }
    }
}

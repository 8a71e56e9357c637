//! `rationale init`: a config with every key explained.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::config::Config;
use super::error::CliError;
use super::terminal;

/// Write a config file with every key explained
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  rationale init my.toml\n  rationale train pictures --config my.toml")]
pub struct InitArgs {
    /// The file to write; - for standard output
    #[arg(value_name = "FILE", default_value = "rationale.toml")]
    file: PathBuf,
}

pub fn run(args: &InitArgs) -> Result<(), CliError> {
    let text = Config::default().render();
    if args.file.as_os_str() == "-" {
        return Ok(terminal::print(&text)?);
    }
    let failed = |e: std::io::Error| CliError::File {
        path: args.file.clone(),
        message: match e.kind() {
            std::io::ErrorKind::AlreadyExists => "is there already; choose another name".to_owned(),
            _ => format!("cannot be written ({e})"),
        },
    };
    let mut file = std::fs::File::create_new(&args.file).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let name = terminal::quoted(&args.file);
    terminal::note(&format!("wrote {name}; use it with: rationale train DATA --config {name}"));
    Ok(())
}

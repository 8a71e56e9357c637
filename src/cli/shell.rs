//! `rationale completions` and `rationale manual`: the command line as shells and `man` know it.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::CliError;
use super::terminal;

/// Print the completions for a shell
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  rationale completions bash > ~/.local/share/bash-completion/completions/rationale\n  \
                  rationale completions fish > ~/.config/fish/completions/rationale.fish\n  \
                  rationale completions zsh > \"${fpath[1]}/_rationale\""
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Write the manual pages: one of the program, and one of each command
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  rationale manual | man -l -\n  rationale manual --to ~/.local/share/man/man1"
)]
pub struct ManualArgs {
    /// The folder to write all pages to; without it the program's own page is printed
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

pub fn completions(args: &CompletionsArgs, mut command: Command) -> Result<(), CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "rationale", &mut text);
    Ok(terminal::print(&String::from_utf8_lossy(&text))?)
}

pub fn manual(args: &ManualArgs, command: Command) -> Result<(), CliError> {
    let Some(folder) = &args.to else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(terminal::print(&String::from_utf8_lossy(&page))?);
    };
    let failed = |e: std::io::Error| CliError::File {
        path: folder.clone(),
        message: format!("the manual pages cannot be written there ({e})"),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    terminal::note(&format!("wrote the manual pages to {}", terminal::quoted(folder)));
    Ok(())
}

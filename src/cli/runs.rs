//! `rationale runs`: the runs so far, side by side.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::config::Config;
use super::error::CliError;
use super::terminal;
use crate::train::run::{CONFIG, RunRecord, read_record};

const EXAMPLES: &str = "\
Examples:
  rationale runs
  rationale runs --sort accuracy
  rationale runs other-place --json

A run that was killed stays `running`; `rationale train --resume RUN` goes on with it.";

/// List and compare the runs in a folder
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RunsArgs {
    /// Where the run folders are
    #[arg(value_name = "DIR", default_value = "runs")]
    folder: PathBuf,
    /// What comes first: the oldest run, or the best balanced accuracy on its test pictures
    #[arg(long, value_enum, default_value_t = Sort::Started)]
    sort: Sort,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    Started,
    Accuracy,
}

#[derive(Debug, Serialize)]
struct Listed {
    run: String,
    status: String,
    data: String,
    method: String,
    mapping: String,
    epochs: usize,
    seed: u64,
    test_accuracy: Option<f64>,
    test_balanced_accuracy: Option<f64>,
    worst_class: Option<f64>,
    device: String,
    started: String,
}

pub fn run(args: &RunsArgs) -> Result<(), CliError> {
    let failed = |e: std::io::Error| CliError::File {
        path: args.folder.clone(),
        message: format!("cannot be listed ({e}); name the folder that holds the run folders"),
    };
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(&args.folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if let Some(record) = read_record(&path) {
            runs.push(listed(&path, record));
        } else if path.join(CONFIG).exists() {
            terminal::warning(&format!("{} has no readable run.json and is left out", path.display()));
        }
    }
    match args.sort {
        Sort::Started => runs.sort_by(|a, b| (&a.started, &a.run).cmp(&(&b.started, &b.run))),
        // Runs without a result come last.
        Sort::Accuracy => runs.sort_by(|a, b| {
            let score = |run: &Listed| run.test_balanced_accuracy.unwrap_or(f64::NEG_INFINITY);
            score(b).total_cmp(&score(a)).then_with(|| a.run.cmp(&b.run))
        }),
    }
    if args.json {
        terminal::print(&format!("{}\n", serde_json::to_string_pretty(&runs).unwrap_or_default()))?;
    } else if runs.is_empty() {
        terminal::note(&format!(
            "there are no runs in {} yet; `rationale train DATA` makes one",
            args.folder.display()
        ));
    } else {
        terminal::print(&table(&runs))?;
    }
    Ok(())
}

fn listed(path: &Path, record: RunRecord) -> Listed {
    let file = path.join(CONFIG);
    // The config stands in for what a run without a result does not say.
    let config = std::fs::read_to_string(&file).ok().and_then(|text| Config::parse(&text, &file).ok());
    let config = config.unwrap_or_default();
    let result = record.result.unwrap_or_default();
    let number = |pointer: &str| result.pointer(pointer).and_then(serde_json::Value::as_f64);
    Listed {
        run: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        status: record.status,
        data: config.data.path.clone().unwrap_or_default(),
        method: config.train.method.to_string(),
        mapping: config.model().mapping.to_string(),
        epochs: record.epochs,
        seed: config.seeds.seed.0,
        test_accuracy: number("/test/accuracy"),
        test_balanced_accuracy: number("/test/balanced_accuracy"),
        worst_class: number("/test/worst_class/accuracy"),
        device: record.device,
        started: record.started,
    }
}

fn table(runs: &[Listed]) -> String {
    let heads =
        ["run", "status", "data", "method", "mapping", "epochs", "seed", "test", "balanced", "worst class"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    let share = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3}"));
    for run in runs {
        // The end of a path tells more than its start.
        let data =
            Path::new(&run.data).file_name().map_or(run.data.clone(), |n| n.to_string_lossy().into_owned());
        rows.push(vec![
            run.run.clone(),
            run.status.clone(),
            data,
            run.method.clone(),
            run.mapping.clone(),
            run.epochs.to_string(),
            run.seed.to_string(),
            share(run.test_accuracy),
            share(run.test_balanced_accuracy),
            share(run.worst_class),
        ]);
    }
    terminal::table(&rows, &[5, 6, 7, 8, 9])
}

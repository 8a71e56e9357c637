//! `rationale check`: what is wrong with a data set.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::bar::Bar;
use super::error::CliError;
use super::pictures::PictureFlags;
use super::settings::Settings;
use super::terminal::{self, count, plural};
use crate::data::check::{Finding, Report, check};
use crate::data::readers::{Part, Severity};
use crate::data::triangles::TriangleSet;
use crate::report::check_page;
use crate::train::write_atomically;

/// Cases of one fault that are printed.
const SHOWN: usize = 5;
/// Classes that are printed.
const CLASSES: usize = 30;

const EXAMPLES: &str = "\
Examples:
  rationale check birds
  rationale check birds --html birds.html
  rationale check labels.csv --json > found.json
  rationale check CUB_200_2011 --format cub --size 64

Exit status 1 with errors, 0 without; warnings and notes do not change it.";

/// Look for what is wrong with pictures, labels and masks before training
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Pictures, as for `rationale train`
    #[arg(value_name = "DATA")]
    data: OsString,
    /// A config file whose [data] section says how to read them; flags win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pictures: PictureFlags,
    /// Print every case as JSON
    #[arg(long)]
    json: bool,
    /// Write a page with thumbnails, one file that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub fn run(args: &CheckArgs) -> Result<(), CliError> {
    let settings = Settings {
        data: Some(args.data.clone()),
        config: args.config.clone(),
        pictures: args.pictures.clone(),
        ..Settings::default()
    };
    let config = settings.config()?;
    let name = args.data.to_string_lossy();
    if TriangleSet::built_in(&name).is_some() {
        return Err(CliError::Usage(format!(
            "{name} is generated, so there is nothing to check; name a folder or a list"
        )));
    }
    let bar = Bar::new("checking");
    let report = check(Path::new(&args.data), &config.read_options(), Some(&|done, all| bar.at(done, all)))?;
    drop(bar);
    if let Some(path) = &args.html {
        write_atomically(path, check_page(&name, &report).as_bytes())?;
        terminal::field("page", &terminal::quoted(path));
    }
    for finding in report.findings.iter().filter(|finding| finding.severity == Severity::Warning) {
        terminal::remember_warning(&format!("{}: {}", finding.title, count(finding.cases.len())));
    }
    if args.json {
        let text = serde_json::to_string_pretty(&report)
            .map_err(|error| CliError::Config(format!("the report cannot be written as JSON ({error})")))?;
        terminal::print(&format!("{text}\n"))?;
    } else {
        terminal::print(&text(&name, &report))?;
    }
    if report.count(Severity::Error) > 0 { Err(CliError::Said) } else { Ok(()) }
}

fn text(name: &str, report: &Report) -> String {
    let mut text = match report.format {
        Some(format) => format!("{name}: {format} ({})\n", report.reason),
        None => format!("{name}\n"),
    };
    if report.pictures > 0 {
        text.push_str(&format!(
            "{}, {} of them explained{}\n\n{}",
            plural(report.pictures, "picture"),
            count(report.explained),
            if report.split { "" } else { "; no parts of their own: train draws val and test" },
            classes(report)
        ));
        for leak in &report.leaks {
            text.push_str(&format!(
                "{} against class: AUC {:.2}, {:.0} % right by one threshold (`{}` against all others; 0.5 and 50 % are chance)\n",
                leak.by,
                leak.auc,
                100.0 * leak.balanced_accuracy,
                leak.class
            ));
        }
        text.push('\n');
    }
    report.findings.iter().for_each(|finding| text.push_str(&cases(finding)));
    let found = |severity, word| plural(report.count(severity), word);
    text.push_str(&format!("{}, {}\n", found(Severity::Error, "error"), found(Severity::Warning, "warning")));
    text
}

fn classes(report: &Report) -> String {
    let parts: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| report.classes.iter().any(|class| class.pictures[*part as usize] > 0))
        .collect();
    let mut rows = vec![vec!["class".to_owned()]];
    for part in &parts {
        let name = if report.split { part.to_string() } else { "pictures".to_owned() };
        rows[0].extend([name, "explained".to_owned()]);
    }
    for class in report.classes.iter().take(CLASSES) {
        let mut row = vec![class.class.clone()];
        for part in &parts {
            row.extend([class.pictures, class.explained].map(|counts| count(counts[*part as usize])));
        }
        rows.push(row);
    }
    let mut text = terminal::table(&rows, &[1, 2, 3, 4, 5, 6]);
    if report.classes.len() > CLASSES {
        text.push_str(&format!(
            "and {} (--json lists all)\n",
            plural(report.classes.len() - CLASSES, "class")
        ));
    }
    text
}

fn cases(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let mut text = format!("{severity}: {}: {}\n", finding.title, count(finding.cases.len()));
    for case in finding.cases.iter().take(SHOWN) {
        let parts: Vec<&str> =
            [case.what.as_str(), case.detail.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
        text.push_str(&format!("    {}\n", parts.join(": ")));
    }
    if finding.cases.len() > SHOWN {
        text.push_str(&format!("    and {} more (--json lists all)\n", count(finding.cases.len() - SHOWN)));
    }
    text.push_str(&format!("    → {}\n\n", finding.remedy));
    text
}

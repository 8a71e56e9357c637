//! `rationale doctor`: is this device right?

use clap::Args;
use serde_json::json;

use super::error::CliError;
use super::settings::DeviceFlag;
use super::terminal;
use crate::doctor::{Finding, examine_all};

/// Check every kernel on a device against its CPU twin in double precision
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  rationale doctor\n  rationale doctor --device llvmpipe --json")]
pub struct DoctorArgs {
    #[command(flatten)]
    device: DeviceFlag,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &DoctorArgs) -> Result<(), CliError> {
    let device = args.device.open()?;
    terminal::field("device", &format!("{}: {}", device.title(), device.reason()));
    let mut group: Vec<Finding> = Vec::new();
    let mut broken = None;
    let findings = examine_all(&device, |finding| {
        let other = group.first().is_some_and(|f| f.kernel != finding.kernel || f.variant != finding.variant);
        if other {
            let done = std::mem::take(&mut group);
            if !args.json && broken.is_none() {
                broken = terminal::print(&line(&done)).err();
            }
        }
        group.push(finding.clone());
    })?;
    if let Some(error) = broken {
        return Err(error.into());
    }
    let failed = findings.iter().filter(|finding| !finding.passed()).count();
    if args.json {
        let value = json!({
            "device": device.title(),
            "reason": device.reason(),
            "cases": findings.len(),
            "failed": failed,
            "findings": findings,
        });
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        terminal::print(&format!("{text}\n"))?;
    } else {
        terminal::print(&line(&group))?;
        let cases = terminal::plural(findings.len(), "case");
        terminal::print(&match failed {
            0 => format!("\nall right: {cases}, every error within its bound\n"),
            _ => format!("\n{failed} of {cases} failed: do not trust what this device computes\n"),
        })?;
    }
    if failed > 0 { Err(CliError::Said) } else { Ok(()) }
}

/// One variant of one kernel, and every fault of it.
fn line(findings: &[Finding]) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let worst = findings.iter().map(|finding| finding.worst).fold(0.0, f64::max);
    let verdict = if findings.iter().all(Finding::passed) { "ok" } else { "FAILED" };
    let mut text = format!(
        "{verdict:<7} {:<28} {:<18} {:>10}  worst error {:>6.2} % of its bound\n",
        first.kernel,
        first.variant,
        terminal::plural(findings.len(), "case"),
        100.0 * worst
    );
    for finding in findings {
        if let Some(fault) = &finding.fault {
            text.push_str(&format!("        {} (seed {}): {fault}\n", finding.shape, finding.seed));
        }
    }
    text
}

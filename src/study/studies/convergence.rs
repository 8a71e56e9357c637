//! `convergence`: accuracy on validation pictures after every epoch.

use super::{Options, arm, by_setting, wanted};
use crate::report::plot::{Line, Plot, Scale};
use crate::study::compose::title;
use crate::study::document::{Section, Table};
use crate::study::summary::Row;
use crate::study::{Cell, Job, Pictures, Setting, StudyError};
use crate::train::statistics::{Summary, epochs_to_accuracy};

const SETTINGS: [(Pictures, &[&str]); 3] = [
    (Pictures::E, &["label-only", "diagonal", "diagonal-ones", "grad-reg-1", "masked-copies"]),
    (Pictures::ES, &["label-only", "diagonal", "diagonal-ones", "grad-reg-1", "masked-copies"]),
    (Pictures::DS, &["label-only", "gate", "gate-ones", "grad-reg-1", "masked-copies"]),
];
const TARGETS: [f64; 8] = [0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90];

pub(super) fn jobs(options: &Options) -> Result<Vec<Job>, StudyError> {
    let wanted = wanted(SETTINGS, options)?;
    let mut jobs = Vec::new();
    for (pictures, names) in SETTINGS {
        let setting = Setting::of(pictures);
        for name in names.iter().filter(|name| wanted.iter().any(|wanted| wanted == *name)) {
            jobs.push(Job { curve: true, ..Job::new(&setting, &arm(name, &setting, options)?, 0) });
        }
    }
    Ok(jobs)
}

pub(super) fn sections(cells: &[Cell], rows: &[Row]) -> Result<Vec<Section>, StudyError> {
    let mut sections = Vec::new();
    for (setting, rows) in by_setting(rows) {
        let curves = |row: &Row| -> Vec<&Vec<f64>> {
            cells
                .iter()
                .filter(|cell| cell.job.setting.name == setting.name && cell.job.arm.name == row.arm_name)
                .filter_map(|cell| cell.figures().map(|figures| &figures.curve))
                .collect()
        };
        let mut lines = Vec::new();
        let mut body = Vec::new();
        for row in &rows {
            let curves = curves(row);
            let epochs = curves.iter().map(|curve| curve.len()).min().unwrap_or(0);
            let mut points = Vec::new();
            for epoch in 0..epochs {
                let values: Vec<f64> = curves.iter().map(|curve| curve[epoch]).collect();
                let summary = Summary::of(&values)?;
                points.push(((epoch + 1) as f64, summary.mean, summary.standard_error()));
            }
            lines.push(Line { name: title(row), points });
            let mut cells = vec![title(row)];
            for target in TARGETS {
                let reached: Vec<f64> = curves
                    .iter()
                    .filter_map(|curve| epochs_to_accuracy(curve, target))
                    .map(|epoch| epoch as f64)
                    .collect();
                cells.push(match Summary::of(&reached) {
                    Err(_) => String::new(),
                    Ok(summary) if reached.len() == curves.len() => format!("{:.1}", summary.mean),
                    Ok(summary) => format!("{:.1} ({} of {})", summary.mean, reached.len(), curves.len()),
                });
            }
            body.push(cells);
        }
        let name = &setting.name;
        let head = std::iter::once("method".to_owned()).chain(TARGETS.iter().map(|t| format!("{t:.2}")));
        sections.push(Section {
            heading: format!("{name}: {}", setting.title),
            text: Vec::new(),
            plots: vec![Plot::Lines {
                name: format!("{name}-curves"),
                caption: format!(
                    "{name}: balanced accuracy on clean validation pictures after each epoch, mean and standard error over seeds"
                ),
                x: "epoch".to_owned(),
                y: "balanced accuracy, validation".to_owned(),
                scale: Scale::Linear,
                ticks: Vec::new(),
                lines,
            }],
            tables: vec![
                Table {
                    name: format!("{name}-epochs"),
                    caption: "Epochs to a balanced accuracy on the validation pictures, mean over the seeds that reach it; how many do, where not all.".to_owned(),
                    head: head.collect(),
                    rows: body,
                }
                .without_empty_columns(),
                crate::study::compose::main_table(
                    &format!("{name}-accuracy"),
                    "The last epoch on test pictures.",
                    &rows,
                ),
            ],
        });
    }
    Ok(sections)
}

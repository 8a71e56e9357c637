//! Everything that is written from the cells: tables, plots, the page.

use super::document::{Document, Table};
use super::page::page;
use super::summary::Row;
use super::{Cell, METRICS, Outcome, StudyError, StudyFolder};
use crate::report::plot::{NARROW, WIDE};
use crate::report::write_png;

/// The tables in Markdown.
pub const TABLES: &str = "tables.md";
/// The page.
pub const PAGE: &str = "index.html";
/// All statistics.
pub const RESULTS: &str = "results.json";

fn csv(rows: impl IntoIterator<Item = Vec<String>>) -> Result<Vec<u8>, StudyError> {
    let failed = |message: String| StudyError::File { path: "a table".into(), message };
    // Tables of several widths never share a file; `flexible` saves checking what cannot be.
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).map_err(|e| failed(e.to_string()))?;
    }
    writer.into_inner().map_err(|e| failed(e.to_string()))
}

/// The shortest text that reads back as the same number.
fn number(value: impl Into<Option<f64>>) -> String {
    value.into().map_or(String::new(), |value| value.to_string())
}

/// One line per cell, one column per metric.
fn cells_csv(cells: &[Cell]) -> Result<Vec<u8>, StudyError> {
    let fixed = ["setting", "method", "sweep", "place", "seed", "models", "outcome", "digest", "device"];
    let head = fixed.into_iter().chain(METRICS.iter().map(|metric| metric.key)).map(str::to_owned).collect();
    let body = cells.iter().map(|cell| {
        let job = &cell.job;
        let place = job.point.as_ref().map_or(Default::default(), |p| (p.sweep.clone(), p.label.clone()));
        let outcome = match &cell.outcome {
            Outcome::Done(_) => "done",
            Outcome::Diverged(_) => "diverged",
            Outcome::Failed(_) => "failed",
        };
        let figures = cell.figures();
        let mut row = vec![
            job.setting.name.clone(),
            job.arm.name.clone(),
            place.0,
            place.1,
            job.seed.to_string(),
            job.models.to_string(),
            outcome.to_owned(),
            figures.map_or(String::new(), |figures| figures.digest.clone()),
            cell.device.clone(),
        ];
        row.extend(METRICS.iter().map(|metric| number(figures.and_then(metric.get))));
        row
    });
    csv(std::iter::once(head).chain(body))
}

/// One line per row and metric.
fn summary_csv(rows: &[Row]) -> Result<Vec<u8>, StudyError> {
    let head = [
        "setting",
        "method",
        "sweep",
        "place",
        "models_per_cell",
        "metric",
        "n",
        "of",
        "diverged",
        "mean",
        "sd",
        "standard_error",
        "difference_to_label_only",
        "difference_n",
        "difference_standard_error",
        "earlier_mean",
        "earlier_sd",
        "earlier_n",
        "here_minus_earlier",
        "welch_95_low",
        "welch_95_high",
        "paper",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for row in rows {
        let place = row.point.as_ref().map_or(Default::default(), |p| (p.sweep.clone(), p.label.clone()));
        for (key, statistic) in &row.statistics {
            let (difference, earlier) = (statistic.difference, statistic.earlier);
            let interval = statistic.here_minus_earlier;
            lines.push(vec![
                row.setting_name.clone(),
                row.arm_name.clone(),
                place.0.clone(),
                place.1.clone(),
                row.models.to_string(),
                (*key).to_owned(),
                statistic.summary.count.to_string(),
                row.cells.to_string(),
                row.diverged.len().to_string(),
                number(statistic.summary.mean),
                number(statistic.summary.sd),
                number(statistic.standard_error),
                number(difference.map(|d| d.mean)),
                difference.map_or(String::new(), |d| d.count.to_string()),
                number(statistic.difference_error),
                number(earlier.map(|e| e.mean)),
                number(earlier.and_then(|e| e.sd)),
                earlier.map_or(String::new(), |e| e.count.to_string()),
                number(interval.map(|i| i.estimate)),
                number(interval.map(|i| i.low)),
                number(interval.map(|i| i.high)),
                number(statistic.paper),
            ]);
        }
    }
    csv(lines)
}

fn table_csv(table: &Table) -> Result<Vec<u8>, StudyError> {
    csv(std::iter::once(table.head.clone()).chain(table.rows.iter().cloned()))
}

/// The statistics as JSON.
pub fn results(document: &Document, rows: &[Row]) -> serde_json::Value {
    let facts: serde_json::Map<_, _> =
        document.facts.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
    serde_json::json!({ "title": document.title, "facts": facts, "rows": rows })
}

/// Writes all of it.
pub fn write(
    folder: &StudyFolder,
    document: &Document,
    cells: &[Cell],
    rows: &[Row],
) -> Result<(), StudyError> {
    folder.write("cells.csv", &cells_csv(cells)?)?;
    folder.write("summary.csv", &summary_csv(rows)?)?;
    folder.write_json(RESULTS, &results(document, rows))?;
    for table in document.sections.iter().flat_map(|section| &section.tables) {
        folder.write(&format!("tables/{}.csv", table.name), &table_csv(table)?)?;
    }
    for plot in document.sections.iter().flat_map(|section| &section.plots) {
        let name = plot.name();
        folder.write(&format!("plots/{name}.svg"), plot.svg(WIDE)?.as_bytes())?;
        folder.write(&format!("plots/{name}-narrow.svg"), plot.svg(NARROW)?.as_bytes())?;
        write_png(&folder.path().join(format!("plots/{name}.png")), &plot.bitmap(WIDE)?)?;
    }
    folder.write(TABLES, document.markdown().as_bytes())?;
    folder.write(PAGE, page(document)?.as_bytes())?;
    Ok(())
}

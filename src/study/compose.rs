//! Tables and plots that several studies share, from rows of statistics.

use super::document::{Section, Table, share, signed, with_error};
use super::metric::{MAIN, metric};
use super::summary::{CONFIDENCE, Row};
use crate::report::plot::{DotRow, Plot};

/// Metrics of the second table; a column that no row fills is left out.
const BEHIND: [&str; 10] = [
    "worst_class",
    "flip_rate",
    "misled_accuracy",
    "worst_group",
    "input_gradient_mass",
    "gate_mass_own",
    "gate_mass_other",
    "gate_mass_constant",
    "train_accuracy",
    "seconds",
];

/// The title of a row, with a mark where a search chose its settings.
pub fn title(row: &Row) -> String {
    let tuned = if row.arm.tuned { " (tuned)" } else { "" };
    format!("{}{tuned}", row.arm.title)
}

/// The main table of a setting: accuracy, paired difference, and the figures of others.
pub fn main_table(name: &str, caption: &str, rows: &[&Row]) -> Table {
    let head = [
        "method",
        "balanced accuracy",
        "models",
        "difference to label-only",
        "earlier, PyTorch",
        "here − earlier [95 %]",
        "the paper's",
    ];
    debug_assert_eq!(CONFIDENCE, 0.95);
    let body = rows.iter().map(|row| {
        let mut cells = vec![title(row), String::new(), row.counted()];
        cells.resize(head.len(), String::new());
        let Some(statistic) = row.statistic(MAIN) else {
            cells[1] = "–".to_owned();
            return cells;
        };
        cells[1] = with_error(statistic.summary.mean, statistic.standard_error);
        if let Some(difference) = &statistic.difference {
            cells[3] = signed(difference.mean, statistic.difference_error);
        }
        if let Some(earlier) = statistic.earlier {
            let sd = earlier.sd.map_or(String::new(), |sd| format!(" (sd {sd:.3})"));
            cells[4] = format!("{:.3}{sd}, n = {}", earlier.mean, earlier.count);
        }
        if let Some(interval) = &statistic.here_minus_earlier {
            cells[5] = format!("{:+.3} [{:+.3}, {:+.3}]", interval.estimate, interval.low, interval.high);
        }
        if let Some(paper) = statistic.paper {
            cells[6] = share(paper);
        }
        cells
    });
    Table {
        name: name.to_owned(),
        caption: caption.to_owned(),
        head: head.map(str::to_owned).to_vec(),
        rows: body.collect(),
    }
    .without_empty_columns()
}

/// What lies behind the accuracies.
pub fn behind_table(name: &str, caption: &str, rows: &[&Row]) -> Table {
    let metrics: Vec<_> = BEHIND.iter().filter_map(|key| metric(key)).collect();
    let head =
        std::iter::once("method".to_owned()).chain(metrics.iter().map(|m| m.title.to_owned())).collect();
    let cell = |row: &Row, key: &str| match row.statistic(key) {
        Some(statistic) if key == "seconds" => format!("{:.1}", statistic.summary.mean),
        Some(statistic) => with_error(statistic.summary.mean, statistic.standard_error),
        None => String::new(),
    };
    let body = rows.iter().map(|row| {
        std::iter::once(title(row)).chain(metrics.iter().map(|metric| cell(row, metric.key))).collect()
    });
    Table { name: name.to_owned(), caption: caption.to_owned(), head, rows: body.collect() }
        .without_empty_columns()
}

/// Every seed's value of a metric.
pub fn seeds_table(name: &str, caption: &str, rows: &[&Row], key: &str) -> Table {
    let mut seeds: Vec<u64> = Vec::new();
    for (seed, _) in rows.iter().filter_map(|row| row.statistic(key)).flat_map(|s| &s.values) {
        if !seeds.contains(seed) {
            seeds.push(*seed);
        }
    }
    let value = |row: &Row, seed: u64| {
        let found = row.statistic(key).and_then(|s| s.values.iter().find(|(own, _)| *own == seed));
        found.map_or("–".to_owned(), |(_, value)| share(*value))
    };
    Table {
        name: name.to_owned(),
        caption: caption.to_owned(),
        head: std::iter::once("method".to_owned()).chain(seeds.iter().map(u64::to_string)).collect(),
        rows: rows
            .iter()
            .map(|row| {
                std::iter::once(title(row)).chain(seeds.iter().map(|seed| value(row, *seed))).collect()
            })
            .collect(),
    }
}

/// Every row as dots.
pub fn dots(name: &str, caption: &str, rows: &[&Row], key: &str, reference: Option<f64>) -> Option<Plot> {
    let row = |row: &&Row| {
        let statistic = row.statistic(key)?;
        Some(DotRow {
            name: title(row),
            values: statistic.values.iter().map(|(_, value)| *value).collect(),
            mean: statistic.summary.mean,
            error: statistic.standard_error,
            earlier: statistic.earlier.map(|earlier| earlier.mean),
            paper: statistic.paper,
        })
    };
    let rows: Vec<DotRow> = rows.iter().filter_map(row).collect();
    let axis = metric(key).map_or(key, |metric| metric.title).to_owned();
    (!rows.is_empty()).then(|| Plot::Dots {
        name: name.to_owned(),
        caption: caption.to_owned(),
        axis,
        rows,
        reference,
    })
}

/// What ended badly, one sentence each; several seeds with one reason count together.
pub fn failures(rows: &[&Row]) -> Vec<String> {
    let mut sentences = Vec::new();
    for row in rows {
        for (what, list) in [("diverged", &row.diverged), ("failed", &row.failed)] {
            let Some((_, reason)) = list.first() else { continue };
            let seeds: Vec<u64> = list.iter().map(|(seed, _)| *seed).collect();
            let place =
                row.point.as_ref().map_or(String::new(), |p| format!(" at {} = {}", p.sweep, p.label));
            sentences.push(format!(
                "{}, {}{place}: {} of {} {what} (seeds {}). The first reason: {reason}",
                row.setting_name,
                row.arm.title,
                list.len(),
                row.cells,
                super::seeds::show(&seeds)
            ));
        }
    }
    sentences
}

/// Where an earlier figure lies outside of the interval around ours.
pub fn misses(rows: &[&Row]) -> Vec<String> {
    let mut sentences = Vec::new();
    for row in rows {
        for (key, statistic) in &row.statistics {
            let (Some(earlier), Some(interval)) = (statistic.earlier, statistic.here_minus_earlier) else {
                continue;
            };
            if !interval.contains(0.0) {
                sentences.push(format!(
                    "{}, {}: {} is {:.3} here and was {:.3} in PyTorch; the difference {:+.3} has a 95 % interval of [{:+.3}, {:+.3}].",
                    row.setting_name,
                    row.arm.title,
                    metric(key).map_or(*key, |m| m.title),
                    statistic.summary.mean,
                    earlier.mean,
                    interval.estimate,
                    interval.low,
                    interval.high
                ));
            }
        }
    }
    sentences
}

/// The section of one setting in which arms are compared.
pub fn comparison(name: &str, heading: &str, rows: &[&Row]) -> Section {
    let classes = rows
        .first()
        .and_then(|row| row.setting.pictures.triangles().map(|set| set.definition().classes() as f64));
    let caption = format!(
        "{name}: balanced accuracy, mean ± standard error; every dot is a seed, a diamond our earlier figure, a cross the paper's, the dashed line chance"
    );
    let plot = dots(&format!("{name}-accuracy"), &caption, rows, MAIN, classes.map(|k| 1.0 / k));
    let flips = rows.iter().any(|row| row.statistic("flip_rate").is_some()).then(|| {
        let caption = format!("{name}: share of test predictions that change with the patch");
        dots(&format!("{name}-flips"), &caption, rows, "flip_rate", None)
    });
    Section {
        heading: heading.to_owned(),
        text: Vec::new(),
        plots: plot.into_iter().chain(flips.flatten()).collect(),
        tables: vec![
            main_table(
                &format!("{name}-accuracy"),
                "Mean ± standard error over seeds; differences are paired by seed.",
                rows,
            ),
            behind_table(&format!("{name}-behind"), "What lies behind it, mean ± standard error.", rows),
            seeds_table(&format!("{name}-seeds"), "Balanced accuracy of every seed.", rows, MAIN),
        ],
    }
}

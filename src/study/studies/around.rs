//! What stands around the sections of every report: facts, what ended badly, the figures of others, definitions.

use crate::study::document::{Document, Section};
use crate::study::metric::METRICS;
use crate::study::published::{EARLIER, PAPER};
use crate::study::summary::Row;
use crate::study::{Manifest, compose, seeds};

/// Facts, failures and definitions around the sections.
pub(in crate::study) fn document(
    title: String,
    mut lead: Vec<String>,
    sections: Vec<Section>,
    rows: &[Row],
    manifest: &Manifest,
) -> Document {
    let all: Vec<&Row> = rows.iter().collect();
    let (cells, bad) = rows
        .iter()
        .fold((0, 0), |(cells, bad), row| (cells + row.cells, bad + row.diverged.len() + row.failed.len()));
    if bad > 0 {
        lead.push(format!(
            "{bad} of {cells} models did not end well; they are counted below and take no part in the means."
        ));
    }
    let failures = compose::failures(&all);
    let mut sections = sections;
    if !failures.is_empty() {
        sections.push(Section {
            heading: "What did not end well".to_owned(),
            text: failures,
            ..Default::default()
        });
    }
    let used = |key: &str| rows.iter().any(|row| row.statistic(key).is_some());
    let definitions = METRICS
        .iter()
        .filter(|metric| used(metric.key))
        .map(|metric| (metric.title.to_owned(), metric.definition.to_owned()))
        .chain([
            (
                "± in the tables".to_owned(),
                "Standard error of the mean over seeds, s / √n. A difference to label-only is taken seed by seed (same pictures, same order of draws) and its error is that of these differences.".to_owned(),
            ),
        ])
        .collect();
    let mut facts = vec![
        ("command".to_owned(), format!("`{}`", manifest.command)),
        ("device".to_owned(), manifest.device.clone()),
        ("program".to_owned(), manifest.program.clone()),
        ("seeds".to_owned(), seeds::show(&manifest.seeds)),
        ("begun".to_owned(), manifest.started.clone()),
        ("models".to_owned(), cells.to_string()),
    ];
    if let Some(epochs) = manifest.epochs {
        facts.push(("epochs".to_owned(), format!("{epochs}, set by hand: not the setting's")));
    }
    if let Some(pictures) = manifest.test_pictures {
        facts.push(("test pictures".to_owned(), format!("{pictures}, set by hand: for a first look")));
    }
    facts.push((
        "settings".to_owned(),
        match &manifest.tuned {
            Some(tuned) => format!(
                "rows marked (tuned) have what a search on validation seeds found ({}); the others the reference settings",
                tuned.program
            ),
            None if manifest.kind == "tune" => "trial 0 has the reference settings".to_owned(),
            None if manifest.kind == "compare" => {
                "those of the config, or the reference settings; no search took part".to_owned()
            }
            None => "the reference settings; no search took part".to_owned(),
        },
    ));
    Document { title, lead, facts, sections, definitions }
}

/// The section on the figures of others, where there are any.
pub(super) fn beside(rows: &[&Row]) -> Option<Section> {
    let compared = rows.iter().flat_map(|row| row.statistics.values());
    let (intervals, paper) = compared.fold((0, false), |(n, paper), statistic| {
        (n + usize::from(statistic.here_minus_earlier.is_some()), paper || statistic.paper.is_some())
    });
    let mut text = Vec::new();
    if paper {
        text.push(format!("The paper's figures: {PAPER}."));
    }
    if intervals > 0 {
        let misses = compose::misses(rows);
        text.push(format!("The earlier figures: {EARLIER}."));
        text.push(match misses.len() {
            0 => format!("All {intervals} figures that have an interval agree with ours at 95 %."),
            n => format!("{n} of {intervals} figures that have an interval lie outside of it:"),
        });
        text.extend(misses);
    }
    (!text.is_empty()).then(|| Section {
        heading: "Beside the figures of others".to_owned(),
        text,
        ..Default::default()
    })
}

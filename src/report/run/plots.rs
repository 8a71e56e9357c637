//! The plots of a run: curves, confusion matrix, reliability diagram.

use super::{ReportError, RunPage};
use crate::report::html::{escape, prose};
use crate::report::plot::{Line, NARROW, Plot, PlotError, Scale};
use crate::train::run::EpochRow;

type Curve<'a> = (&'a str, &'a dyn Fn(&EpochRow) -> Option<f64>);

fn curves(run: &RunPage, name: &str, caption: &str, y: &str, curves: &[Curve<'_>]) -> Option<Plot> {
    let line = |(name, value): &Curve<'_>| {
        let point = |row: &EpochRow| Some((row.epoch as f64, value(row)?, None));
        let points: Vec<_> = run.rows.iter().filter_map(point).collect();
        (!points.is_empty()).then(|| Line { name: (*name).to_owned(), points })
    };
    let lines: Vec<Line> = curves.iter().filter_map(line).collect();
    // Whole epochs on the axis, also where there are only a few.
    let few = run.rows.len() <= 6;
    let ticks = run.rows.iter().map(|row| (row.epoch as f64, row.epoch.to_string())).filter(|_| few);
    (!lines.is_empty()).then(|| Plot::Lines {
        name: name.to_owned(),
        caption: caption.to_owned(),
        x: "epoch".to_owned(),
        y: y.to_owned(),
        scale: Scale::Linear,
        ticks: ticks.collect(),
        lines,
    })
}

fn training_plots(run: &RunPage) -> Vec<Plot> {
    let label = curves(
        run,
        "label-loss",
        "Label loss (stage 1): mean over the batches of an epoch of the mean cross-entropy −log p(true class).",
        "label loss",
        &[("label loss", &|row| Some(row.label_loss))],
    );
    let second = run.second_loss.as_ref().and_then(|[name, definition]| {
        let caption = format!("{definition} Mean over the batches with explained pictures.");
        curves(run, "alignment-loss", &caption, name, &[(name, &|row| row.alignment_loss)])
    });
    let validated = run.rows.iter().any(|row| row.val_accuracy.is_some());
    let caption = format!(
        "Accuracy: share of the pictures predicted right; on training pictures when their batch came by{}.",
        if validated { ", on validation pictures after the epoch" } else { "" }
    );
    let accuracy = curves(
        run,
        "accuracy",
        &caption,
        "accuracy",
        &[("training", &|row| Some(row.train_accuracy)), ("validation", &|row| row.val_accuracy)],
    );
    [accuracy, label, second].into_iter().flatten().collect()
}

/// The confusion matrix, where there is a class.
pub(super) fn confusion(run: &RunPage) -> Plot {
    Plot::Matrix {
        name: "confusion".to_owned(),
        caption: format!(
            "Confusion matrix on the {}: rows are true classes, columns predicted ones; each cell has its number of pictures \
             and their share of the row.",
            run.judged_on
        ),
        classes: run.measures.classes.clone(),
        counts: run.measures.confusion.clone(),
    }
}

/// The reliability diagram, where every probability is a number.
pub(super) fn reliability(run: &RunPage) -> Option<Plot> {
    (!run.measures.reliability.is_empty()).then(|| Plot::Reliability {
        name: "reliability".to_owned(),
        caption: "Reliability: dots are the accuracy of the predictions in each tenth of confidence, at their mean confidence; \
                  on the dashed line they would be as sure as they are right. Below: how many predictions each tenth has."
            .to_owned(),
        bins: run.measures.reliability.clone(),
    })
}

/// Every plot of the run, for files beside the page.
pub fn plots(run: &RunPage) -> Vec<Plot> {
    let mut all = training_plots(run);
    all.push(confusion(run));
    all.extend(reliability(run));
    all
}

/// A plot with its caption.
pub(super) fn figure(plot: &Plot) -> Result<String, PlotError> {
    Ok(format!(
        "<figure>\n{}\n<figcaption>{}</figcaption>\n</figure>\n",
        plot.svg(NARROW)?.trim_end(),
        escape(plot.caption())
    ))
}

/// The curves of both stages.
pub(super) fn training(run: &RunPage) -> Result<String, ReportError> {
    let plots = training_plots(run);
    if plots.is_empty() {
        return Ok(format!("<p>{}</p>\n", prose("No epoch is done yet.")));
    }
    let figures: Result<String, PlotError> = plots.iter().map(figure).collect();
    Ok(format!("<div class=\"plots\">\n{}</div>\n", figures?))
}

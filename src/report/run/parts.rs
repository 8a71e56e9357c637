//! The sections of the page, each figure with its definition beside it.

use super::words::{facts, note, paragraph, share, table};
use super::{ReportError, RunPage, gallery, plots};
use crate::report::html::escape;

/// Pairs of classes that are named as taken for each other.
const MIXED_UP: usize = 8;

/// Confusion matrix, classes, groups.
pub(super) fn classes(run: &RunPage) -> Result<String, ReportError> {
    let measures = &run.measures;
    let mut text = format!("<div class=\"plots\">\n{}", plots::figure(&plots::confusion(run))?);
    let column = |k: usize| measures.confusion.iter().filter_map(|row| row.get(k)).sum::<u32>();
    let ratio = |part: u32, whole: u32| {
        if whole > 0 { share(f64::from(part) / f64::from(whole)) } else { "–".to_owned() }
    };
    let mut rows = Vec::new();
    for (k, class) in measures.classes.iter().enumerate() {
        let right = measures.confusion.get(k).and_then(|row| row.get(k)).copied().unwrap_or(0);
        let pictures = run.class_counts.get(k).copied().unwrap_or(0);
        rows.push(vec![
            class.clone(),
            pictures.to_string(),
            ratio(right, pictures as u32),
            ratio(right, column(k)),
        ]);
    }
    text.push_str("<div>\n");
    text.push_str(&table(&["class", "pictures", "recall", "precision"], &rows, 1));
    text.push_str(&note(
        "Recall: the share of the class's pictures that are predicted as it. Precision: the share of the pictures predicted \
         as the class that are of it.",
    ));
    text.push_str("</div>\n</div>\n");
    text.push_str(&mixed_up(run));
    if !measures.groups.is_empty() {
        let row = |group: &crate::train::measures::GroupScore| {
            vec![group.name.clone(), group.pictures.to_string(), share(group.accuracy)]
        };
        let rows: Vec<_> = measures.groups.iter().map(row).collect();
        text.push_str("<h3>Groups, the worst first</h3>\n");
        text.push_str(&table(&["group", "pictures", "accuracy"], &rows, 1));
        text.push_str(&note("Groups are those that the data name. Accuracy: the share of the group's pictures predicted right."));
    }
    Ok(text)
}

/// The most frequent confusions, where a matrix has more than one can see at a glance.
fn mixed_up(run: &RunPage) -> String {
    let measures = &run.measures;
    if measures.classes.len() < 5 {
        return String::new();
    }
    let name = |k: usize| measures.classes.get(k).cloned().unwrap_or_default();
    let mut pairs: Vec<(u32, usize, usize)> = Vec::new();
    for (i, row) in measures.confusion.iter().enumerate() {
        pairs.extend(
            row.iter().enumerate().filter(|(j, count)| *j != i && **count > 0).map(|(j, &n)| (n, i, j)),
        );
    }
    pairs.sort_by_key(|&(count, i, j)| (std::cmp::Reverse(count), i, j));
    pairs.truncate(MIXED_UP);
    let rows: Vec<_> = pairs.iter().map(|&(count, i, j)| vec![name(i), name(j), count.to_string()]).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3>Most often taken for another</h3>\n{}",
        table(&["class", "predicted as", "pictures"], &rows, 2)
    )
}

/// Reliability, and what the calibration error is.
pub(super) fn confidence(run: &RunPage) -> Result<String, ReportError> {
    let Some(plot) = plots::reliability(run) else { return Ok(String::new()) };
    let mut text = format!("<div class=\"plots\">\n{}<div>\n", plots::figure(&plot)?);
    if let Some(error) = run.measures.calibration_error {
        text.push_str(&paragraph(&format!("Expected calibration error: {}.", share(error))));
    }
    text.push_str(&note(
        "Confidence is the probability of the predicted class. The predictions are sorted into ten equal ranges of confidence; \
         the expected calibration error (Guo et al. 2017) is the distance between a range's accuracy and its mean confidence, \
         averaged over the ranges by their number of predictions. 0: whoever bets by these probabilities is right; a model \
         that is surer than right lies below the dashed line.",
    ));
    text.push_str("</div>\n</div>\n");
    Ok(text)
}

/// How the maps are to be read.
fn legend() -> String {
    "<p class=\"note\">Gradient: how strongly each pixel moves the log-probability of the predicted class, over the dimmed \
     picture; each picture on a scale of its own: 0<span class=\"ramp\"></span>largest. \
     <span class=\"outline\">Outline</span>: the mask. Below it the share of the squared gradient inside the mask.</p>\n"
        .to_owned()
}

/// The input gradient then and now.
pub(super) fn looks(run: &RunPage) -> Result<String, ReportError> {
    if run.compared.is_empty() {
        return Ok(String::new());
    }
    let row = |state: &super::State| {
        let mass = state.input_gradient_mass.map_or("–".to_owned(), share);
        vec![state.name.clone(), state.meaning.clone(), share(state.accuracy), mass]
    };
    let rows: Vec<_> = run.states.iter().map(row).collect();
    let mut text = table(&["state", "what it is", "accuracy", "gradient inside"], &rows, 2);
    text.push_str(&paragraph(if run.explained {
        "These states are of one run, and all have met explanations. What explanations are worth shows beside a model trained \
         without them on the same pictures and seeds: `rationale compare DATA`."
    } else {
        "This run learned from labels alone. `rationale compare DATA` trains with explanations beside it."
    }));
    text.push_str(&note(
        "These pictures were not chosen: they lie evenly spread over the test pictures of each class.",
    ));
    text.push_str(&legend());
    text.push_str(&gallery::cards(&run.compared)?);
    Ok(text)
}

/// The surest mistakes and the closest calls.
pub(super) fn mistakes(run: &RunPage) -> Result<String, ReportError> {
    let mut text = String::new();
    for (heading, meaning, cards, none) in [
        (
            "Most wrong",
            "Wrong predictions, those first that give the true class the lowest probability.",
            &run.wrong,
            "No picture is predicted wrong.",
        ),
        (
            "Most unsure",
            "Pictures whose two most probable classes are closest to each other.",
            &run.unsure,
            "There is none.",
        ),
    ] {
        text.push_str(&format!("<h3>{heading}</h3>\n"));
        if cards.is_empty() {
            text.push_str(&paragraph(none));
            continue;
        }
        text.push_str(&note(meaning));
        text.push_str(&gallery::cards(cards)?);
    }
    text.push_str(
        "<p class=\"note\">f(x): the features of the picture; f(x′): of the picture with all but the mask filled in; m(f(x)): \
         after the mapping layer, which stage 2 pulls toward f(x′). Shown is the mean over the channels of |value|, the maps of \
         a picture on one scale, 0<span class=\"ramp\"></span>largest; colours follow the square root.</p>\n",
    );
    text.push_str(&legend());
    Ok(text)
}

/// Config, environment, and how to make the run again.
pub(super) fn settings(run: &RunPage) -> String {
    let record = &run.record;
    let seeds = record
        .seeds
        .map_or(String::new(), |s| format!("data {}, init {}, order {}", s.data, s.init, s.order));
    let resumed = record
        .resumed_after
        .iter()
        .map(|epoch| format!("after epoch {epoch}"))
        .collect::<Vec<_>>()
        .join(", ");
    let mut lines = vec![
        ("program", record.program.clone()),
        ("system", record.system.clone()),
        ("device", record.device.clone()),
        ("chosen because", record.device_reason.clone()),
        ("seeds", seeds),
        ("started", record.started.clone()),
        ("ended", record.finished.clone().unwrap_or_default()),
        ("taken up again", resumed),
        ("digest", record.digest.clone()),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    let lines: Vec<_> = lines.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let mut text = facts(&lines);
    text.push_str("<h3>How to get it again</h3>\n");
    let commands = run.reproduce.iter().map(|command| format!("{}\n", escape(command)));
    text.push_str(&format!("<pre>{}</pre>\n", commands.collect::<String>()));
    text.push_str(&note(
        "With the same pictures, program version, device and driver the digest, a checksum of all weights and the optimiser's \
         state, comes out the same; another device rounds in another way.",
    ));
    if !record.commands.is_empty() {
        let commands = record.commands.iter().map(|command| format!("{}\n", escape(command)));
        text.push_str(&format!(
            "<h3>Command line of this run</h3>\n<pre>{}</pre>\n",
            commands.collect::<String>()
        ));
    }
    let variants: Vec<Vec<String>> =
        record.variants.wanted().iter().map(|(key, variant)| vec![key.clone(), variant.clone()]).collect();
    if !variants.is_empty() {
        text.push_str(&format!(
            "<details>\n<summary>Kernel variants ({})</summary>\n{}{}</details>\n",
            variants.len(),
            note("Kernel, the variants that fit its shape, best first, and the shape; beside it the variant that ran."),
            table(&["kernel", "variant"], &variants, 2)
        ));
    }
    text.push_str(&format!(
        "<h3>Every setting</h3>\n<p class=\"note\"><code>config.toml</code> explains each of them.</p>\n<pre>{}</pre>\n",
        escape(&run.config)
    ));
    text
}

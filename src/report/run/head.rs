//! The top of the page: what came of the run, in words and in figures with their definitions.

use super::RunPage;
use super::words::{percent, share};
use crate::report::html::{escape, prose};

/// Title, status, warnings, and what the run came to in words.
pub(super) fn head(run: &RunPage) -> String {
    let mut text = format!("<header>\n<h1>{}</h1>\n", escape(&run.title));
    let facts = run.facts.iter().map(|(name, value)| format!("{name} {value}"));
    text.push_str(&format!("<p class=\"sub\">{}</p>\n", escape(&facts.collect::<Vec<_>>().join(" · "))));
    let (status, epochs) = (&run.record.status, run.record.epochs);
    if status != "finished" {
        let words = match status.as_str() {
            "stopped" => {
                format!("This run was stopped after epoch {epochs}. What follows is its state then.")
            }
            "diverged" => {
                format!("This run diverged. What follows is its last good state, after epoch {epochs}.")
            }
            "running" => format!(
                "This run was under way or was killed. What follows is its state after epoch {epochs}."
            ),
            _ => {
                format!("This run failed. What follows is its last state on the disk, after epoch {epochs}.")
            }
        };
        text.push_str(&format!("<p class=\"banner\">{}</p>\n", escape(&words)));
    }
    let warnings = &run.record.warnings;
    if !warnings.is_empty() {
        let lines = warnings.iter().map(|warning| format!("<li>{}</li>\n", escape(warning)));
        let word =
            if warnings.len() == 1 { "1 warning".to_owned() } else { format!("{} warnings", warnings.len()) };
        text.push_str(&format!(
            "<div class=\"banner\"><b>{word}</b>\n<ul>\n{}</ul>\n</div>\n",
            lines.collect::<String>()
        ));
    }
    let most = run.class_counts.iter().max().copied().unwrap_or(0) as f64;
    let all = run.class_counts.iter().sum::<usize>().max(1) as f64;
    text.push_str(&format!(
        "<p class=\"lead\"><b>{}</b> of the {} are classified right; always naming the most frequent class would give {}.{}</p>\n",
        percent(run.measures.scores.accuracy),
        escape(&run.judged_on),
        percent(most / all),
        escape(&looks_in_words(run))
    ));
    text.push_str("</header>\n");
    text
}

/// What the explanations did, as far as one run can say.
fn looks_in_words(run: &RunPage) -> String {
    let (Some(mass), Some(area)) = (run.input_gradient_mass, run.mask_area) else { return String::new() };
    let mut text = format!(
        " Of the input gradient, which tells what moves a prediction, {} lies inside the masks, which cover {} of a picture.",
        percent(mass),
        percent(area)
    );
    let earlier = run.states.split_last().map_or(&[][..], |(_, earlier)| earlier);
    for state in earlier {
        if let Some(mass) = state.input_gradient_mass {
            text.push_str(&format!(" {} {}.", state.words, percent(mass)));
        }
    }
    if !run.explained {
        text.push_str(" This model learned from labels alone: the masks were only used to measure.");
    }
    text
}

/// The figures, each in a box with its definition.
pub(super) fn figures(run: &RunPage) -> String {
    let (measures, scores) = (&run.measures, &run.measures.scores);
    let mut boxes = vec![
        ("accuracy", "accuracy", share(scores.accuracy), format!("share of the {} predicted right", run.judged_on)),
        (
            "balanced-accuracy",
            "balanced accuracy",
            share(scores.balanced_accuracy),
            "mean over the classes of the share of a class's pictures predicted right: every class counts the same".to_owned(),
        ),
    ];
    if let Some(worst) = &scores.worst_class {
        let meaning = format!("class {}: the lowest share predicted right among the classes", worst.class);
        boxes.push(("worst-class", "worst class", share(worst.accuracy), meaning));
    }
    if let Some(worst) = measures.groups.first() {
        let meaning = format!("group {}: the lowest share predicted right among the groups", worst.name);
        boxes.push(("worst-group", "worst group", share(worst.accuracy), meaning));
    }
    if let Some(mass) = run.input_gradient_mass {
        let meaning = format!(
            "gradient of log p(predicted class) over the pixels, squared: the share inside the mask, mean over {}. Evenly \
             spread it would be the masks' area, {}",
            run.explained_on,
            run.mask_area.map_or(String::new(), share)
        );
        boxes.push(("input-gradient-mass", "gradient inside the mask", share(mass), meaning));
    }
    if let Some(flips) = run.flip_rate {
        let meaning = "share of the predictions that change when the spurious patch of one class is swapped for that of \
                       the other; 0 for a model that does not look at it"
            .to_owned();
        boxes.push(("flip-rate", "flip rate", share(flips), meaning));
    }
    if let Some(error) = measures.calibration_error {
        let meaning = "expected distance between confidence and accuracy; 0 is best".to_owned();
        boxes.push(("calibration-error", "calibration error", share(error), meaning));
    }
    let meaning = "mean cross-entropy, −log p(true class); 0 is best".to_owned();
    boxes.push(("loss", "loss", format!("{:.4}", measures.loss), meaning));
    let boxes = boxes.into_iter().map(|(id, name, value, meaning)| {
        format!(
            "<div><dt>{name}</dt><dd class=\"value\" id=\"{id}\">{value}</dd><dd class=\"meaning\">{}</dd></div>\n",
            prose(&meaning)
        )
    });
    format!("<dl class=\"figures\">\n{}</dl>\n", boxes.collect::<String>())
}

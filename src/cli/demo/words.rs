//! The table, the sentences below it, and the same as JSON.

use std::path::Path;

use serde_json::{Value, json};

use super::measure::{Figures, Outcome};
use super::{CONTESTANTS, DemoArgs, GRADIENTS, TEST};
use crate::data::Dataset;
use crate::exec::Device;
use crate::random::Seeds;

const PAPER: &str = "Tao and Shokri, Machine Learning from Explanations, arXiv 2507.04788: \"spurious features in \
                     training, clean test\", on the paper's own data";

/// All figures and what is needed to get them again.
pub(super) fn record(
    args: &DemoArgs,
    device: &Device,
    train: &Dataset,
    seeds: Seeds,
    outcomes: &[Outcome],
) -> Value {
    let model = |(outcome, contestant): (&Outcome, &super::Contestant)| {
        let mut value = json!(outcome.figures);
        value["model"] = json!(contestant.model());
        value["train"] = json!(contestant.settings(args.epochs));
        value
    };
    json!({
        "program": format!("rationale {}", env!("CARGO_PKG_VERSION")),
        "device": device.title(),
        "device_reason": device.reason(),
        "data": "triangles:ES",
        "seed": args.seed,
        "seeds": seeds,
        "training_pictures": train.len(),
        "test_pictures": TEST,
        "input_gradient_pictures": GRADIENTS,
        "paper": PAPER,
        "models": outcomes.iter().zip(&CONTESTANTS).map(model).collect::<Vec<_>>(),
    })
}

/// Rows of the table, the heading first; 80 columns wide.
fn table(rows: &[&Figures]) -> Vec<String> {
    let line = |title: &str, cells: [&str; 4]| {
        let [accuracy, flips, inside, paper] = cells;
        format!("{title:<32}{accuracy:>12}{flips:>12}{inside:>12}{paper:>12}").trim_end().to_owned()
    };
    let mut lines = vec![
        line("", ["accuracy on", "flips when", "gradient", "accuracy,"]),
        line("", ["clean test", "patch swaps", "inside mask", "paper *"]),
    ];
    for row in rows {
        let paper = row.paper_accuracy.map_or_else(|| "–".to_owned(), |accuracy| format!("{accuracy:.3}"));
        let [accuracy, flips, inside] =
            [row.accuracy, row.flip_rate, row.gradient_inside_mask].map(|value| format!("{value:.3}"));
        lines.push(line(row.title, [&accuracy, &flips, &inside, &paper]));
    }
    lines
}

/// What a difference of accuracies on the same test set comes to. Two standard errors of an unpaired difference
/// are the wider, and so the careful, bound.
fn verdict(of: &Figures, against: &Figures) -> (f64, &'static str) {
    let difference = of.accuracy - against.accuracy;
    let error = of.accuracy_standard_error.hypot(against.accuracy_standard_error);
    let word = match difference {
        d if d > 2.0 * error => "higher",
        d if d < -2.0 * error => "lower",
        _ => "no different",
    };
    (difference, word)
}

/// What the figures say, and what they do not.
fn sentences([label, two, ones, other]: [&Figures; 4]) -> Vec<String> {
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let (difference, word) = verdict(two, label);
    let gained = word == "higher";
    let first = if word == "no different" {
        format!("On this seed explanations made no clear difference on the clean test ({difference:+.3}).")
    } else {
        format!("On this seed accuracy on the clean test is {word} with explanations ({difference:+.3}).")
    };
    let looks = format!(
        "Swapping the patch changes {} of label-only's predictions and {} of two-stage's; {} of label-only's input \
         gradient lies inside the mask, {} of two-stage's.",
        percent(label.flip_rate),
        percent(two.flip_rate),
        percent(label.gradient_inside_mask),
        percent(two.gradient_inside_mask),
    );
    let mut sentences = vec![first, looks];
    match verdict(ones, label).1 {
        "higher" => sentences.push(
            "Masks that hide nothing also beat label-only here: part of the gain is not owed to explanations."
                .to_owned(),
        ),
        _ if gained => sentences
            .push("Masks that hide nothing do not beat label-only: the gain needs real masks.".to_owned()),
        _ => {}
    }
    if gained && verdict(two, other).1 == "no different" {
        sentences.push(
            "But another picture's mask does about as well: these triangles all stand near the middle, and a diagonal \
             mapping learns where reasons tend to be, not where this picture's is."
                .to_owned(),
        );
    }
    sentences.push("This is one seed of one built-in set; others differ by some hundredths.".to_owned());
    sentences
}

/// Breaks a text between words into lines of at most `columns` characters; a longer word stands alone.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Prints the table, what to look at, and where everything is.
pub(super) fn print(outcomes: &[Outcome], folder: &Path) {
    let figures: Vec<&Figures> = outcomes.iter().map(|outcome| &outcome.figures).collect();
    let paragraph = |text: &str| wrap(text, 80).iter().for_each(|line| println!("{line}"));
    println!();
    table(&figures).iter().for_each(|line| println!("{line}"));
    println!("* arXiv 2507.04788: the paper's own data, which is not public");
    println!();
    if let Ok(figures) = <[&Figures; 4]>::try_from(figures) {
        paragraph(&sentences(figures).join(" "));
    }
    println!();
    println!("Look at {}", folder.join("contact-sheet.png").display());
    paragraph(
        "f(x) answers to the whole picture, f(x') to the triangle alone; stage 2 makes m(f(x)) resemble f(x'). The two \
         columns on the right show what each model's prediction hangs on: the upper corners are where the patch was \
         in training.",
    );
    println!();
    println!("Figures and settings: {}", folder.join("demo.json").display());
    println!("Weights:              {}", folder.join("*.safetensors").display());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(title: &'static str, accuracy: f64) -> Figures {
        Figures { title, accuracy, accuracy_standard_error: 0.009, ..Figures::default() }
    }

    fn said(accuracies: [f64; 4]) -> String {
        let [a, b, c, d] = accuracies.map(|accuracy| figures("", accuracy));
        sentences([&a, &b, &c, &d]).join(" ")
    }

    #[test]
    fn the_table_fits_a_terminal() {
        let rows = CONTESTANTS.map(|contestant| figures(contestant.title, 0.5));
        let lines = table(&rows.each_ref());
        assert_eq!(lines.len(), 6);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert!(CONTESTANTS.iter().all(|contestant| contestant.title.chars().count() <= 32));
    }

    #[test]
    fn the_sentences_follow_the_figures() {
        let usual = said([0.54, 0.75, 0.54, 0.75]);
        assert!(usual.contains("higher with explanations (+0.210)"), "{usual}");
        assert!(usual.contains("needs real masks") && usual.contains("another picture's mask"), "{usual}");
        let nothing = said([0.54, 0.55, 0.54, 0.54]);
        assert!(nothing.contains("no clear difference"), "{nothing}");
        assert!(!nothing.contains("gain") && !nothing.contains("another"), "{nothing}");
        let worse = said([0.7, 0.6, 0.7, 0.6]);
        assert!(worse.contains("lower with explanations (-0.100)") && !worse.contains("gain"), "{worse}");
        let control = said([0.5, 0.7, 0.7, 0.5]);
        assert!(control.contains("not owed to explanations") && !control.contains("another"), "{control}");
    }

    #[test]
    fn long_lines_are_broken_between_words() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("a verylongword b", 4), ["a", "verylongword", "b"]);
        assert!(wrap("", 10).is_empty());
    }
}

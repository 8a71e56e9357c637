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

/// Rows of the table, the heading first.
fn table(rows: &[&Figures]) -> Vec<String> {
    let line = |title: &str, cells: [&str; 4]| {
        let [accuracy, flips, inside, paper] = cells;
        format!("{title:<34}{accuracy:>12}{flips:>15}{inside:>15}{paper:>12}").trim_end().to_owned()
    };
    let mut lines = vec![
        line("", ["accuracy,", "predictions", "gradient", "accuracy,"]),
        line("", ["clean test", "patch flips", "inside mask", "paper *"]),
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
fn sentences(label: &Figures, two: &Figures, ones: &Figures, other: &Figures) -> Vec<String> {
    let (difference, word) = verdict(two, label);
    let mut sentences = vec![match word {
        "no different" => format!(
            "On this seed explanations made no clear difference to the accuracy on the clean test ({difference:+.3})."
        ),
        _ => format!(
            "On this seed explanations made the accuracy on the clean test {word} ({difference:+.3})."
        ),
    }];
    sentences.push(format!(
        "The patch decides {:.0} % of label-only's predictions and {:.0} % of two-stage's; label-only's input \
         gradient has {:.0} % of its mass on the triangle, two-stage's {:.0} %.",
        100.0 * label.flip_rate,
        100.0 * two.flip_rate,
        100.0 * label.gradient_inside_mask,
        100.0 * two.gradient_inside_mask,
    ));
    sentences.push(match verdict(ones, label) {
        (_, "higher") => "The same training with masks that hide nothing also beats label-only here: part of the \
                          gain is not owed to the explanations."
            .to_owned(),
        _ => "The same training with masks that hide nothing does not beat label-only: the gain comes from the masks."
            .to_owned(),
    });
    if verdict(two, other).1 == "no different" {
        sentences.push(
            "Another picture's mask does as well as its own: the triangles all stand near the middle, and the \
             diagonal mapping learns only where reasons tend to be."
                .to_owned(),
        );
    }
    sentences.push("This is one seed of one built-in set; others differ by some hundredths.".to_owned());
    sentences
}

/// Prints the table, what to look at, and where everything is.
pub(super) fn print(outcomes: &[Outcome], folder: &Path) {
    let figures: Vec<&Figures> = outcomes.iter().map(|outcome| &outcome.figures).collect();
    println!();
    table(&figures).iter().for_each(|line| println!("{line}"));
    println!("* the paper's figures (arXiv 2507.04788), measured on other data");
    println!();
    if let [label, two, ones, other] = figures.as_slice() {
        sentences(label, two, ones, other).iter().for_each(|sentence| println!("{sentence}"));
    }
    println!();
    println!("Look at {}", folder.join("contact-sheet.png").display());
    println!(
        "  f(x) lights up where the patch sits, f(x') cannot, and m(f(x)) should look like f(x'); the two right \
         columns show what each model looks at."
    );
    println!("Figures and settings: {}", folder.join("demo.json").display());
    println!(
        "Weights: {}",
        folder.join("{label-only,two-stage,control-ones,control-other}.safetensors").display()
    );
}

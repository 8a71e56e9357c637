//! `rationale evaluate`: all metrics of a trained model on other pictures.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::error::CliError;
use super::exclusive_use::replace_data;
use super::settings::DeviceFlag;
use super::source::{self, Source};
use super::terminal;
use super::train::outcome::Scores;
use super::trained::Trained;
use super::values::Size;
use crate::data::{Dataset, RELEVANT};
use crate::train::statistics::{expected_calibration_error, group_accuracies, reliability};
use crate::train::{Confusion, Predictor, flip_rate, probabilities};

const EXAMPLES: &str = "\
Examples:
  rationale evaluate runs/mine
  rationale evaluate runs/mine other-pictures
  rationale evaluate runs/mine other-pictures --part test --json

Without DATA these are the test pictures of the run. Other pictures are all taken, whatever folder
they lie in, unless --part names one. Classes are matched by name.";

/// Pictures at a time.
const BATCH: usize = 128;
/// Ranges of confidence behind the calibration error.
const BINS: usize = 10;

/// All metrics of a trained model on a set of pictures
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct EvaluateArgs {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// A folder with one sub-folder per class, or a built-in set [default: the data of the run]
    #[arg(value_name = "DATA")]
    data: Option<OsString>,
    #[command(flatten)]
    device: DeviceFlag,
    /// Which of the pictures [default: test for the data of the run, else all]
    #[arg(long, value_enum)]
    part: Option<Part>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Part {
    All,
    Test,
    Val,
    Train,
}

#[derive(Serialize)]
struct Outcome {
    run: String,
    data: String,
    part: Part,
    device: String,
    epochs: usize,
    #[serde(flatten)]
    scores: Scores,
    /// Mean cross-entropy.
    loss: f64,
    /// Mean difference between confidence and accuracy over ten ranges of confidence.
    calibration_error: Option<f64>,
    /// Mean share of the squared input gradient inside the mask, over explained pictures.
    input_gradient_mass: Option<f64>,
    /// Share of predictions that change when the patch of a built-in set is swapped.
    flip_rate: Option<f64>,
    /// Where the data name groups: each, by rising accuracy.
    groups: Vec<Group>,
    /// `[true class][predicted class]`.
    confusion: Vec<Vec<u32>>,
    classes: Vec<String>,
}

/// The pictures of one group.
#[derive(Serialize)]
struct Group {
    name: String,
    pictures: usize,
    accuracy: f64,
}

pub fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    let mut trained = Trained::read(&args.run)?;
    let (classes, input) = (trained.classes()?, trained.input()?);
    if let Some(data) = &args.data {
        replace_data(&mut trained.config, data)?;
    }
    let name = trained.config.data.path.clone().unwrap_or_default();
    if !name.starts_with("triangles:") {
        trained.config.data.size = Some(Size(input.height, input.width));
        trained.config.data.channels = Some(input.channels);
    }
    let device = trained.device(&args.device)?;
    let source = source::load(&trained.config, false)?;
    source.warnings.iter().for_each(|warning| terminal::warning(warning));
    let part = args.part.unwrap_or(if args.data.is_some() { Part::All } else { Part::Test });
    let patched = source.patched.clone().filter(|_| matches!(part, Part::Test | Part::All));
    let data = by_name(chosen(source, part)?, &classes)?;

    let mut predictor = trained.predictor(&device, BATCH.min(data.len()))?;
    let rows = all_probabilities(&mut predictor, &data)?;
    let outcome = Outcome {
        run: args.run.display().to_string(),
        data: name,
        part,
        device: device.title(),
        epochs: trained.checkpoint.epoch,
        flip_rate: match patched {
            Some([first, second]) => {
                let of = |predictor: &mut Predictor, data: Dataset| -> Result<_, CliError> {
                    let rows = all_probabilities(predictor, &by_name(data, &classes)?)?;
                    Ok(rows.iter().map(|row| best(row)).collect::<Vec<u32>>())
                };
                Some(flip_rate(&of(&mut predictor, first)?, &of(&mut predictor, second)?))
            }
            None => None,
        },
        input_gradient_mass: gradient_mass(&mut predictor, &data)?,
        ..measure(&data, &rows, &classes)
    };
    if args.json {
        terminal::print(&format!("{}\n", serde_json::to_string_pretty(&outcome).unwrap_or_default()))?;
    } else {
        terminal::print(&text(&outcome))?;
    }
    Ok(())
}

fn chosen(source: Source, part: Part) -> Result<Dataset, CliError> {
    Ok(match part {
        Part::Train => source.train,
        Part::Test => source.test,
        Part::Val => source.val.ok_or_else(|| {
            CliError::Config(
                "these data have no validation pictures: use --part test, train or all".to_owned(),
            )
        })?,
        Part::All => {
            let mut all = source.train;
            for more in source.val.into_iter().chain([source.test]) {
                all.append(more)?;
            }
            all
        }
    })
}

/// The same pictures with the labels of the model's classes of the same names.
fn by_name(data: Dataset, classes: &[String]) -> Result<Dataset, CliError> {
    let mut numbers = Vec::new();
    for class in &data.classes {
        let number = classes.iter().position(|own| own == class).ok_or_else(|| {
            CliError::Config(format!(
                "the model knows no class `{class}`, only {}; rename the folder or leave it out",
                classes.join(", ")
            ))
        })?;
        numbers.push(number as u32);
    }
    let labels = data.labels.iter().map(|&label| numbers[label as usize]).collect();
    Ok(Dataset { labels, classes: classes.to_vec(), ..data })
}

fn values(data: &Dataset, numbers: &[usize]) -> Vec<f32> {
    numbers.iter().flat_map(|&i| data.picture(i)).collect()
}

fn all_probabilities(predictor: &mut Predictor, data: &Dataset) -> Result<Vec<Vec<f64>>, CliError> {
    let numbers: Vec<usize> = (0..data.len()).collect();
    let mut rows = Vec::with_capacity(data.len());
    for numbers in numbers.chunks(predictor.batch()) {
        let logits = predictor.logits(&values(data, numbers))?;
        rows.extend(logits.chunks(data.classes.len()).map(probabilities));
    }
    Ok(rows)
}

/// The most probable class; no class for a row of NaN.
fn best(row: &[f64]) -> u32 {
    let numbers = (0..row.len()).filter(|&k| !row[k].is_nan());
    numbers.max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a))).map_or(u32::MAX, |k| k as u32)
}

/// What follows from probabilities and labels alone.
fn measure(data: &Dataset, rows: &[Vec<f64>], classes: &[String]) -> Outcome {
    let k = classes.len();
    let mut counts = vec![0u32; k * k];
    let (mut confidences, mut right, mut loss) = (Vec::new(), Vec::new(), 0.0);
    let mut predictions = Vec::new();
    for (row, &label) in rows.iter().zip(&data.labels) {
        let predicted = best(row);
        if let Some(count) = counts.get_mut(label as usize * k + predicted as usize) {
            *count += 1;
        }
        confidences.push(row.get(predicted as usize).copied().unwrap_or(f64::NAN));
        right.push(predicted == label);
        predictions.push(predicted);
        loss -= row[label as usize].ln();
    }
    let totals = data.class_counts().into_iter().map(|count| count as u32).collect();
    let bins = reliability(&confidences, &right, BINS);
    Outcome {
        run: String::new(),
        data: String::new(),
        part: Part::All,
        device: String::new(),
        epochs: 0,
        scores: Scores::new(data, &Confusion::new(counts.clone(), totals)),
        loss: loss / rows.len() as f64,
        calibration_error: bins.and_then(|bins| expected_calibration_error(&bins)).ok(),
        input_gradient_mass: None,
        flip_rate: None,
        groups: groups(data, &predictions),
        confusion: counts.chunks(k).map(<[u32]>::to_vec).collect(),
        classes: classes.to_vec(),
    }
}

/// Accuracy in each group, the worst first; none where the data name no groups.
fn groups(data: &Dataset, predictions: &[u32]) -> Vec<Group> {
    let found = group_accuracies(predictions, &data.labels, &data.groups.of).unwrap_or_default();
    let named = found.into_iter().map(|group| Group {
        name: data.groups.names.get(group.group as usize).cloned().unwrap_or_default(),
        pictures: group.pictures,
        accuracy: group.accuracy,
    });
    let mut groups: Vec<Group> = named.collect();
    groups.sort_by(|a, b| a.accuracy.total_cmp(&b.accuracy));
    groups
}

/// Mean share of the squared input gradient that lies inside the mask.
fn gradient_mass(predictor: &mut Predictor, data: &Dataset) -> Result<Option<f64>, CliError> {
    let explained: Vec<usize> = data.explained_pictures().collect();
    let mut shares = Vec::new();
    for numbers in explained.chunks(predictor.batch()) {
        let gradients = predictor.input_gradient(&values(data, numbers))?;
        for (&i, gradient) in numbers.iter().zip(gradients.chunks(data.picture_len())) {
            let squared = |(k, value): (usize, &f32)| (k / data.channels, f64::from(*value).powi(2));
            let all: f64 = gradient.iter().enumerate().map(squared).map(|(_, v)| v).sum();
            let mask = data.mask(i);
            let inside = gradient.iter().enumerate().map(squared).filter(|(at, _)| mask[*at] >= RELEVANT);
            if all > 0.0 {
                shares.push(inside.map(|(_, v)| v).sum::<f64>() / all);
            }
        }
    }
    Ok((!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64))
}

fn text(outcome: &Outcome) -> String {
    let share = |value: f64| format!("{value:.3}");
    let row = |name: &str, value: String, meaning: String| vec![name.to_owned(), value, meaning];
    let scores = &outcome.scores;
    let mut rows = vec![
        row(
            "accuracy",
            share(scores.accuracy),
            format!("of {}", terminal::plural(scores.pictures, "picture")),
        ),
        row("balanced accuracy", share(scores.balanced_accuracy), "every class counting the same".to_owned()),
    ];
    if let Some(worst) = &scores.worst_class {
        rows.push(row("worst class", share(worst.accuracy), worst.class.clone()));
    }
    if let Some(worst) = outcome.groups.first() {
        rows.push(row("worst group", share(worst.accuracy), worst.name.clone()));
    }
    rows.push(row("loss", format!("{:.4}", outcome.loss), "mean cross-entropy".to_owned()));
    for (name, value, meaning) in [
        ("calibration error", outcome.calibration_error, "between confidence and accuracy, ten ranges"),
        ("gradient inside", outcome.input_gradient_mass, "of the input gradient lies inside the mask"),
        ("flip rate", outcome.flip_rate, "of predictions change when the spurious patch is swapped"),
    ] {
        rows.extend(value.map(|value| row(name, share(value), meaning.to_owned())));
    }
    let mut text = terminal::table(&rows, &[1]);
    // More classes than fit on a line are in the JSON.
    if outcome.classes.len() <= 12 {
        let head = std::iter::once("true \\ predicted".to_owned()).chain(outcome.classes.iter().cloned());
        let mut rows = vec![head.collect::<Vec<_>>()];
        for (class, counts) in outcome.classes.iter().zip(&outcome.confusion) {
            rows.push(std::iter::once(class.clone()).chain(counts.iter().map(u32::to_string)).collect());
        }
        let right: Vec<usize> = (1..=outcome.classes.len()).collect();
        text.push_str(&format!("\n{}", terminal::table(&rows, &right)));
    }
    text
}

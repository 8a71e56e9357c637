//! `rationale evaluate`: all metrics of a trained model on other pictures.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::error::CliError;
use super::settings::DeviceFlag;
use super::source::{self, Source};
use super::terminal;
use super::trained::Trained;
use crate::data::Dataset;
use crate::train::measures::Measures;
use crate::train::{Predictor, flip_rate};

const EXAMPLES: &str = "\
Examples:
  rationale evaluate runs/mine
  rationale evaluate runs/mine other-pictures
  rationale evaluate runs/mine other-pictures --part test --json

Without DATA these are the test pictures of the run. Other pictures are all taken, whatever folder
they lie in, unless --part names one. Classes are matched by name.";

/// Pictures at a time.
pub(super) const BATCH: usize = 128;

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
    judged: Judged,
}

/// What a model comes to on a set of pictures.
#[derive(Serialize)]
pub(super) struct Judged {
    #[serde(flatten)]
    pub measures: Measures,
    /// Mean share of the squared input gradient inside the mask, over explained pictures, 1,000 at most.
    pub input_gradient_mass: Option<f64>,
    /// Share of predictions that change when the patch of a built-in set is swapped.
    pub flip_rate: Option<f64>,
}

impl Judged {
    /// From the probabilities of `data`, with what else the model says of it and of its two patched versions.
    pub fn new(
        predictor: &mut Predictor,
        data: &Dataset,
        rows: &[Vec<f64>],
        patched: Option<&[Dataset; 2]>,
    ) -> Result<Self, CliError> {
        let flip_rate = match patched {
            Some(patched) => {
                let mut of = |data: &Dataset| -> Result<Vec<u32>, CliError> {
                    let rows = predictor.probabilities(data)?;
                    Ok(Measures::new(data, &rows).predictions)
                };
                Some(flip_rate(&of(&patched[0])?, &of(&patched[1])?))
            }
            None => None,
        };
        let shares = predictor.gradient_shares(data)?;
        let mass = (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64);
        Ok(Self { measures: Measures::new(data, rows), input_gradient_mass: mass, flip_rate })
    }
}

pub fn run(args: &EvaluateArgs) -> Result<(), CliError> {
    let mut trained = Trained::read(&args.run)?;
    let classes = trained.classes()?;
    trained.take_data(args.data.as_ref())?;
    let name = trained.config.data.path.clone().unwrap_or_default();
    let device = trained.device(&args.device)?;
    let source = source::load(&trained.config, false)?;
    source.warnings.iter().for_each(|warning| terminal::warning(warning));
    let part = args.part.unwrap_or(if args.data.is_some() { Part::All } else { Part::Test });
    let patched = source.patched.clone().filter(|_| matches!(part, Part::Test | Part::All));
    let data = by_name(chosen(source, part)?, &classes)?;

    let mut predictor = trained.predictor(&device, BATCH.min(data.len()))?;
    let rows = predictor.probabilities(&data)?;
    let outcome = Outcome {
        run: args.run.display().to_string(),
        data: name,
        part,
        device: device.title(),
        epochs: trained.checkpoint.epoch,
        judged: Judged::new(&mut predictor, &data, &rows, patched.as_ref())?,
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
pub(super) fn by_name(mut data: Dataset, classes: &[String]) -> Result<Dataset, CliError> {
    // What has no label says nothing of a model.
    data.retain_labelled()?;
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

fn text(outcome: &Outcome) -> String {
    let share = |value: f64| format!("{value:.3}");
    let row = |name: &str, value: String, meaning: String| vec![name.to_owned(), value, meaning];
    let Judged { measures, input_gradient_mass, flip_rate } = &outcome.judged;
    let scores = &measures.scores;
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
    if let Some(worst) = measures.groups.first() {
        rows.push(row("worst group", share(worst.accuracy), worst.name.clone()));
    }
    rows.push(row("loss", format!("{:.4}", measures.loss), "mean cross-entropy".to_owned()));
    for (name, value, meaning) in [
        ("calibration error", measures.calibration_error, "between confidence and accuracy, ten ranges"),
        ("gradient inside", *input_gradient_mass, "of the input gradient lies inside the mask"),
        ("flip rate", *flip_rate, "of predictions change when the spurious patch is swapped"),
    ] {
        rows.extend(value.map(|value| row(name, share(value), meaning.to_owned())));
    }
    let mut text = terminal::table(&rows, &[1]);
    // More classes than fit on a line are in the JSON.
    if measures.classes.len() <= 12 {
        let head = std::iter::once("true \\ predicted".to_owned()).chain(measures.classes.iter().cloned());
        let mut rows = vec![head.collect::<Vec<_>>()];
        for (class, counts) in measures.classes.iter().zip(&measures.confusion) {
            rows.push(std::iter::once(class.clone()).chain(counts.iter().map(u32::to_string)).collect());
        }
        let right: Vec<usize> = (1..=measures.classes.len()).collect();
        text.push_str(&format!("\n{}", terminal::table(&rows, &right)));
    }
    text
}

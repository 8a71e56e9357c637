//! `rationale exclusive-use`: does a trained model use the marked pixels alone?

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::error::CliError;
use super::settings::DeviceFlag;
use super::source::{self, Source};
use super::terminal::{self, count, plural};
use super::trained::{Trained, replace_data};
use crate::data::Dataset;
use crate::train::{ExclusiveUse, ExclusiveUseOptions, ExclusiveUseSummary, PictureUse, Trainer};

const EXAMPLES: &str = "\
Examples:
  rationale exclusive-use runs/mine
  rationale exclusive-use runs/mine other-pictures --part train
  rationale exclusive-use runs/mine --samples 200 --limit 50 --each
  rationale exclusive-use runs/mine --json > use.json

Guaranteed bounds stand beside what is observed: the bounds hold for all values
of the irrelevant pixels, the observations for those that were tried.";

/// How far a trained model's logits can move when only the irrelevant pixels change
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ExclusiveUseArgs {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Pictures with masks [default: those of the run]
    #[arg(value_name = "DATA")]
    data: Option<OsString>,
    #[command(flatten)]
    device: DeviceFlag,
    /// Which of the pictures
    #[arg(long, value_enum, default_value_t = Part::Test)]
    part: Part,
    /// Times that every irrelevant value is drawn anew
    #[arg(long, value_name = "N", default_value_t = 32)]
    samples: usize,
    /// Times that every picture gets the background of another one
    #[arg(long, value_name = "N", default_value_t = 8)]
    swaps: usize,
    /// The most pictures, evenly spread over the classes
    #[arg(long, value_name = "N", default_value_t = 500)]
    limit: usize,
    /// Seed of samples and swaps
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Print a row for every picture, too
    #[arg(long)]
    each: bool,
    /// No guaranteed bounds, only what was observed: for networks with normalisations or residual blocks
    #[arg(long)]
    observed_only: bool,
    /// Print the result as JSON, every picture with its bounds
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Part {
    Test,
    Val,
    Train,
}

/// The whole result, as JSON.
#[derive(Serialize)]
struct Outcome<'a> {
    run: String,
    data: &'a str,
    part: Part,
    device: String,
    epochs: usize,
    options: ExclusiveUseOptions,
    summary: ExclusiveUseSummary,
    classes: &'a [String],
    guaranteed: &'static str,
    not_guaranteed: &'static str,
    pictures: Vec<Named<'a>>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(flatten)]
    report: &'a PictureUse,
}

const GUARANTEED: &str = "for these weights and each of these pictures, whatever values in [0, 1] the irrelevant pixels \
    (mask below one half) take: every logit stays within its interval, and a certified prediction stays what it is; \
    the rounding of 32-bit floats is included";
const NOTHING_GUARANTEED: &str = "nothing, as --observed-only asks for no bounds: other values of the irrelevant pixels \
    may move the logits further";
const NOT_GUARANTEED: &str = "anything about other pictures, about masks that are elsewhere, or about relevant pixels \
    that change. The intervals take every value of a layer as free of the others and grow loose with depth: a wide one \
    does not show that the logits do move, the observed width does";

pub fn run(args: &ExclusiveUseArgs) -> Result<(), CliError> {
    let mut trained = Trained::read(&args.run)?;
    if let Some(data) = &args.data {
        replace_data(&mut trained.config, data)?;
    }
    let device = trained.device(&args.device)?;
    let mut source = source::load(&trained.config, false)?;
    source.fit(trained.config.train.method)?;
    source.warnings.iter().for_each(|warning| terminal::warning(warning));
    if let Some(record) = trained.record.as_ref().filter(|record| record.classes != source.train.classes) {
        return Err(CliError::Config(format!(
            "{} was trained on the classes {}, and the pictures have {}: give pictures of the same classes",
            args.run.display(),
            record.classes.join(", "),
            source.train.classes.join(", "),
        )));
    }
    let data = part(&source, args.part)?;
    let explained = data.explained_count();
    let numbers = data.explained_sample(args.limit);
    // Without any mask the trainer says so.
    let pictures = if numbers.is_empty() { data.clone() } else { data.subset(&numbers)? };

    let variants = trained.variants();
    let Trained { mut config, checkpoint, .. } = trained;
    // Nothing is trained: a batch of the run may be larger than what there is here.
    config.train.batch = config.train.batch.min(source.train.len()).max(1);
    let mut trainer =
        Trainer::new(&device, &config.model(), &config.train, &source.train, &[config.seeds()], &variants)?;
    trainer.restore(&checkpoint)?;
    let options = ExclusiveUseOptions {
        samples: args.samples,
        swaps: args.swaps,
        seed: args.seed,
        bounds: !args.observed_only,
    };
    let mut report = trainer.exclusive_use(&device, &pictures, 0, &options)?;
    for picture in &mut report.pictures {
        picture.picture = numbers.get(picture.picture).copied().unwrap_or(picture.picture);
    }
    report.unexplained = data.len() - explained;

    let summary = report.summary();
    let name = config.data.path.as_deref().unwrap_or_default();
    if args.json {
        let outcome = Outcome {
            run: args.run.to_string_lossy().into_owned(),
            data: name,
            part: args.part,
            device: device.title(),
            epochs: checkpoint.epoch,
            options,
            summary,
            classes: &data.classes,
            guaranteed: if options.bounds { GUARANTEED } else { NOTHING_GUARANTEED },
            not_guaranteed: NOT_GUARANTEED,
            pictures: report
                .pictures
                .iter()
                .map(|report| Named { name: &data.names[report.picture], report })
                .collect(),
        };
        let text = serde_json::to_string_pretty(&outcome).unwrap_or_default();
        terminal::print(&format!("{text}\n"))?;
    } else {
        if args.each {
            terminal::print(&format!("{}\n", table_of_pictures(&report, data)))?;
        }
        let of = format!("{} of {}", count(report.pictures.len()), plural(explained, "explained picture"));
        terminal::print(&format!("{name}, {of}\n{}", text(&report, &summary, options.bounds)))?;
    }
    if summary.outside > 0 {
        terminal::error(&format!(
            "{} had a logit outside of its interval, so the bounds do not hold on this device: `rationale doctor` \
             shows which kernel is wrong",
            plural(summary.outside, "picture")
        ));
        return Err(CliError::Said);
    }
    Ok(())
}

fn part(source: &Source, part: Part) -> Result<&Dataset, CliError> {
    Ok(match part {
        Part::Train => &source.train,
        Part::Test => &source.test,
        Part::Val => source.val.as_ref().ok_or_else(|| {
            CliError::Config("these data have no validation pictures: use --part test or train".to_owned())
        })?,
    })
}

fn text(report: &ExclusiveUse, summary: &ExclusiveUseSummary, bounds: bool) -> String {
    let row = |name: &str, value: String, meaning: String| vec![name.to_owned(), value, meaning];
    let share = |value: f64| format!("{value:.3}");
    let mut rows = vec![
        row("accuracy", share(summary.accuracy), "of these pictures as they are".to_owned()),
        row("irrelevant", share(summary.irrelevant), "of a picture's pixels, on average".to_owned()),
    ];
    if bounds {
        rows.push(row(
            "guaranteed width",
            format!("{:.4}", summary.mean_width),
            format!(
                "how far a logit can move at most, mean over pictures and classes; median {:.4}",
                summary.median_width
            ),
        ));
    }
    rows.push(row(
        "observed width",
        format!("{:.4}", summary.mean_observed),
        format!(
            "how far it did move, over {}, {}, black and white",
            plural(report.samples, "sample"),
            plural(report.swaps, "swap")
        ),
    ));
    if let Some(ratio) = summary.width_over_observed.filter(|_| bounds) {
        let meaning = "guaranteed over observed width: near 1 for a tight bound".to_owned();
        rows.push(row("looseness", format!("{ratio:.1}"), meaning));
    }
    if bounds {
        let meaning = "of the predictions cannot be changed by irrelevant pixels".to_owned();
        rows.push(row("certified", share(summary.certified), meaning));
    }
    if let Some(flips) = summary.flip_rate {
        let meaning = "of background swaps change the prediction".to_owned();
        rows.push(row("flip rate", share(flips), meaning));
    }
    if let Some(flips) = summary.flip_rate_other_class {
        let meaning = "of those with a picture of another class".to_owned();
        rows.push(row("", share(flips), meaning));
    }
    let table = terminal::table(&rows, &[1]);
    match bounds {
        true => format!("{table}Guaranteed: {GUARANTEED}.\nNot guaranteed: {NOT_GUARANTEED}.\n"),
        false => format!("{table}Guaranteed: {NOTHING_GUARANTEED}.\n"),
    }
}

fn table_of_pictures(report: &ExclusiveUse, data: &Dataset) -> String {
    let class = |k: u32| data.classes.get(k as usize).cloned().unwrap_or_else(|| "none".to_owned());
    let heads = ["picture", "class", "predicted", "margin", "certified", "guaranteed", "observed", "flips"];
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    for picture in &report.pictures {
        rows.push(vec![
            picture.picture.to_string(),
            class(picture.label),
            class(picture.prediction),
            format!("{:.4}", picture.margin),
            if picture.certified { "yes" } else { "no" }.to_owned(),
            format!("{:.4}", picture.width()),
            format!("{:.4}", picture.observed_width()),
            format!("{} of {}", picture.flips, report.swaps),
        ]);
    }
    terminal::table(&rows, &[0, 3, 5, 6])
}

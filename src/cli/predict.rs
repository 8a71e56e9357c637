//! `rationale predict`: class and probability of pictures.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::error::CliError;
use super::settings::DeviceFlag;
use super::terminal::{self, plural};
use super::trained::Trained;
use crate::data::{DataError, pictures_in, read_picture};
use crate::model::MapShape;
use crate::report::{gradient_overlay, write_png};
use crate::train::{Predictor, most_probable, probabilities};

const EXAMPLES: &str = "\
Examples:
  rationale predict runs/mine photo.jpg
  rationale predict runs/mine new-pictures --overlays seen
  rationale predict runs/mine 'holiday/*.png' --format csv > classes.csv
  find . -name '*.png' | rationale predict runs/mine - --format json

An overlay shows the picture and how strongly each pixel moves the probability of the predicted
class. Files that cannot be read are passed over and named at the end; the exit status is then 1.";

/// Class and probability of pictures, by a trained model
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct PredictArgs {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Pictures, folders of pictures, patterns such as 'a/*.png', or - for a list on standard input
    #[arg(value_name = "PICTURES", required = true)]
    pictures: Vec<PathBuf>,
    #[command(flatten)]
    device: DeviceFlag,
    /// How to print the result
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Also write a PNG of every picture with what its class depends on
    #[arg(long, value_name = "DIR")]
    overlays: Option<PathBuf>,
    /// Pictures at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    batch: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// One picture's answer.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    class: String,
    probability: f64,
    /// Of every class, in the order of `classes`.
    probabilities: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay: Option<String>,
}

#[derive(Debug, Serialize)]
struct Unread {
    file: String,
    reason: String,
}

pub fn run(args: &PredictArgs) -> Result<(), CliError> {
    let trained = Trained::read(&args.run)?;
    let (classes, input) = (trained.classes()?, trained.input()?);
    let files = expand(&args.pictures)?;
    let device = trained.device(&args.device)?;
    let mut predictor = trained.predictor(&device, usize::from(args.batch).min(files.len()))?;
    if let Some(folder) = &args.overlays {
        std::fs::create_dir_all(folder).map_err(|e| CliError::File {
            path: folder.clone(),
            message: format!(
                "this folder for the overlays cannot be made ({e}); choose another with --overlays"
            ),
        })?;
    }

    let (mut answers, mut unread) = (Vec::new(), Vec::new());
    for files in files.chunks(predictor.batch()) {
        let (mut names, mut pixels) = (Vec::new(), Vec::new());
        for file in files {
            match read_picture(file, input.height, input.width, input.channels) {
                Ok(bytes) => {
                    names.push(file.clone());
                    pixels.extend(bytes.into_iter().map(|byte| f32::from(byte) / 255.0));
                }
                Err(error) => {
                    let reason = match error {
                        // Its remedies are those of training; here the rest goes on anyway.
                        DataError::Unreadable { path, reason } => {
                            format!("cannot read {} ({reason})", path.display())
                        }
                        other => other.to_string(),
                    };
                    terminal::warning(&reason);
                    unread.push(Unread { file: file.display().to_string(), reason });
                }
            }
        }
        let logits = predictor.logits(&pixels)?;
        let mut fresh: Vec<Answer> = names
            .iter()
            .zip(logits.chunks(classes.len()))
            .map(|(file, row)| answer(file, row, &classes))
            .collect();
        if let Some(folder) = &args.overlays {
            overlays(&mut predictor, &pixels, input, folder, answers.len(), &mut fresh)?;
        }
        if args.format == Format::Csv {
            print_csv(&fresh, answers.is_empty().then_some(classes.as_slice()))?;
        }
        answers.extend(fresh);
    }
    match args.format {
        Format::Table => terminal::print(&table(&answers))?,
        Format::Csv => {}
        Format::Json => {
            let value = serde_json::json!({ "classes": classes, "pictures": answers, "unread": unread });
            terminal::print(&format!("{}\n", serde_json::to_string_pretty(&value).unwrap_or_default()))?;
        }
    }
    if unread.is_empty() {
        return Ok(());
    }
    Err(CliError::InPart(format!(
        "{} of {} could not be read; the others are above",
        unread.len(),
        plural(files.len(), "picture")
    )))
}

fn answer(file: &Path, logits: &[f32], classes: &[String]) -> Answer {
    let probabilities = probabilities(logits);
    let best = most_probable(&probabilities);
    Answer {
        file: file.display().to_string(),
        class: best.and_then(|k| classes.get(k)).cloned().unwrap_or_else(|| "(no number)".to_owned()),
        probability: best.map_or(f64::NAN, |k| probabilities[k]),
        probabilities,
        overlay: None,
    }
}

/// Files in natural order, folders opened, patterns filled in; an error for a name that leads nowhere.
fn expand(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for argument in arguments {
        if argument.as_os_str() == "-" {
            for line in std::io::stdin().lock().lines() {
                let line = line?;
                files.extend((!line.trim().is_empty()).then(|| PathBuf::from(line)));
            }
        } else if argument.is_dir() {
            files.extend(pictures_in(argument)?);
        } else if argument.exists() {
            files.push(argument.clone());
        } else {
            let pattern = argument.to_str().filter(|text| text.contains(['*', '?', '[']));
            let mut found: Vec<PathBuf> = match pattern.map(glob::glob) {
                Some(Ok(paths)) => paths.flatten().filter(|path| path.is_file()).collect(),
                Some(Err(error)) => {
                    return Err(CliError::Usage(format!("{} is no pattern: {error}", argument.display())));
                }
                // An unreadable file among others; it is named at the end.
                None => vec![argument.clone()],
            };
            if found.is_empty() {
                return Err(CliError::Usage(format!(
                    "no file fits {}; check the pattern",
                    argument.display()
                )));
            }
            found.sort_by(|a, b| natord::compare(&a.to_string_lossy(), &b.to_string_lossy()));
            files.extend(found);
        }
    }
    if files.is_empty() {
        return Err(CliError::Usage(
            "there are no pictures there; name files, folders or patterns".to_owned(),
        ));
    }
    Ok(files)
}

/// Writes the overlay of each picture; a number in front keeps files of one name apart.
fn overlays(
    predictor: &mut Predictor,
    pixels: &[f32],
    input: MapShape,
    folder: &Path,
    before: usize,
    answers: &mut [Answer],
) -> Result<(), CliError> {
    let gradients = predictor.input_gradient(pixels)?;
    let parts = pixels.chunks(input.len()).zip(gradients.chunks(input.len()));
    for (i, (answer, (picture, gradient))) in answers.iter_mut().zip(parts).enumerate() {
        let stem = Path::new(&answer.file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let path = folder.join(format!("{:05}-{stem}.png", before + i + 1));
        let image = gradient_overlay(picture, gradient, [input.height, input.width], input.channels);
        write_png(&path, &image)?;
        answer.overlay = Some(path.display().to_string());
    }
    Ok(())
}

fn table(answers: &[Answer]) -> String {
    let mut rows = vec![["picture", "class", "probability"].map(str::to_owned).to_vec()];
    rows.extend(
        answers.iter().map(|a| vec![a.file.clone(), a.class.clone(), format!("{:.3}", a.probability)]),
    );
    terminal::table(&rows, &[2])
}

fn print_csv(answers: &[Answer], head: Option<&[String]>) -> Result<(), CliError> {
    let failed = |e: csv::Error| CliError::Output(std::io::Error::other(e));
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(classes) = head {
        let probabilities = classes.iter().map(|class| format!("p({class})"));
        let fixed = ["file", "class", "probability"].map(str::to_owned);
        writer.write_record(fixed.into_iter().chain(probabilities)).map_err(failed)?;
    }
    for answer in answers {
        let numbers = std::iter::once(answer.probability).chain(answer.probabilities.iter().copied());
        let words = [answer.file.clone(), answer.class.clone()];
        writer.write_record(words.into_iter().chain(numbers.map(|x| x.to_string()))).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|e| CliError::Output(std::io::Error::other(e.to_string())))?;
    Ok(terminal::print(&String::from_utf8_lossy(&bytes))?)
}

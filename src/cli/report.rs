//! `rationale report`, and the page that `train` leaves behind.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::evaluate::{BATCH, Judged, by_name};
use super::settings::DeviceFlag;
use super::source::{self, Source};
use super::terminal::{self, count, plural};
use super::trained::Trained;
use crate::data::{Dataset, RELEVANT};
use crate::exec::Device;
use crate::model::{AlignmentLoss, Network, initial_weights};
use crate::plan::Part;
use crate::report::plot::WIDE;
use crate::report::run::{
    Card, PAGE, PLOTS, RunPage, State, compared, most_unsure, most_wrong, page, plots, seen,
};
use crate::report::{Look, look_with, write_png};
use crate::train::measures::GRADIENT_PICTURES;
use crate::train::run::CONFIG;
use crate::train::{Checkpoint, Method, TrainError, fill_values, write_atomically};

/// Cards of the most wrong pictures, of the most unsure ones, and of those seen in several states.
const WRONG: usize = 8;
const UNSURE: usize = 6;
const COMPARED: usize = 6;

const EXAMPLES: &str = "\
Examples:
  rationale report runs/mine
  rationale report runs/mine moved/pictures

Writes report.html and plots/ (SVG and PNG) into the run folder, as `train` does at its end: the
test pictures are classified again by the last checkpoint. With DATA, by that of other pictures.";

/// Write the page of a run: curves, confusion, calibration, mistakes, and where the model looks
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Where the pictures are now, or others [default: where the run had them]
    #[arg(value_name = "DATA")]
    data: Option<OsString>,
    #[command(flatten)]
    device: DeviceFlag,
}

pub fn run(args: &ReportArgs) -> Result<(), CliError> {
    let mut trained = Trained::read(&args.run)?;
    trained.take_data(args.data.as_ref())?;
    let device = trained.device(&args.device)?;
    let source = source::load(&trained.config, false)?;
    source.warnings.iter().for_each(|warning| terminal::warning(warning));
    let path = write(&trained, &device, source)?;
    Ok(terminal::print(&format!("{}\n", path.display()))?)
}

/// Writes page and plots into the folder of a run; the path of the page.
pub fn write(trained: &Trained, device: &Device, source: Source) -> Result<PathBuf, CliError> {
    let page_of = gather(trained, device, source)?;
    let folder = trained.path.join(PLOTS);
    std::fs::create_dir_all(&folder)
        .map_err(|e| CliError::File { path: folder.clone(), message: format!("cannot be made ({e})") })?;
    for plot in plots(&page_of) {
        let svg = plot.svg(WIDE)?;
        write_atomically(&folder.join(format!("{}.svg", plot.name())), svg.as_bytes())?;
        write_png(&folder.join(format!("{}.png", plot.name())), &plot.bitmap(WIDE)?)?;
    }
    let path = trained.path.join(PAGE);
    write_atomically(&path, page(&page_of)?.as_bytes())?;
    Ok(path)
}

/// What stands outside of the mask, and whether masks are 0 or 1.
struct Masking {
    fill: Vec<f32>,
    hard: bool,
}

fn gather(trained: &Trained, device: &Device, source: Source) -> Result<RunPage, CliError> {
    let (config, classes) = (&trained.config, trained.classes()?);
    let masking =
        Masking { fill: fill_values(config.train.fill, &source.train), hard: config.train.hard_masks };
    let data = by_name(source.test, &classes)?;
    let patched = match source.patched {
        Some([first, second]) => Some([by_name(first, &classes)?, by_name(second, &classes)?]),
        None => None,
    };
    let mut predictor = trained.predictor(device, BATCH.min(data.len()))?;
    let rows = predictor.probabilities(&data)?;
    let judged = Judged::new(&mut predictor, &data, &rows, patched.as_ref())?;

    let wrong = most_wrong(&rows, &data.labels, WRONG);
    let unsure = most_unsure(&rows, &wrong, UNSURE);
    let shown = [wrong.as_slice(), &unsure].concat();
    let pictures = data.subset(&shown)?;
    let look = look_with(&mut predictor, &pictures, &masking.fill, masking.hard)?;
    let mut cards: Vec<Card> =
        shown.iter().enumerate().map(|(at, &i)| seen(&pictures, at, &look, &rows[i])).collect();
    let unsure = cards.split_off(wrong.len());
    let sample = data.subset(&spread(&data, COMPARED))?;
    let last = look_with(&mut predictor, &sample, &masking.fill, masking.hard)?;
    drop(predictor);

    let mut states = Vec::new();
    for (told, checkpoint) in earlier(trained)? {
        states.push(state(trained, device, &checkpoint, told, &data, &sample, &masking)?);
    }
    let epoch = trained.checkpoint.epoch;
    let now = State {
        accuracy: judged.measures.scores.accuracy,
        input_gradient_mass: judged.input_gradient_mass,
        ..told(
            &format!("after epoch {epoch}"),
            "the last state, which everything else here is about",
            "It is",
        )
    };
    states.push((now, last));
    let looks: Vec<(&str, &Look)> = states.iter().map(|(state, look)| (state.name.as_str(), look)).collect();
    let compared = (0..sample.len()).map(|i| compared(&sample, i, &looks)).collect();

    let path = config.data.path.clone().unwrap_or_default();
    let record = trained.record.clone().unwrap_or_default();
    let reproduce = reproduce(trained, &record.device_choice, &record.commands);
    Ok(RunPage {
        title: format!("{}: {}", name_of(&path), config.train.method),
        facts: facts(trained, &data, source.train.len(), &path),
        second_loss: second_loss(config.train.method, config.train.alignment_loss),
        explained: config.train.method.explains(),
        record,
        rows: trained.rows.clone(),
        config: settings(&trained.settings),
        judged_on: plural(data.len(), "test picture"),
        class_counts: data.class_counts(),
        explained_on: plural(data.explained_count().min(GRADIENT_PICTURES), "explained picture"),
        mask_area: mask_area(&data),
        measures: judged.measures,
        input_gradient_mass: judged.input_gradient_mass,
        flip_rate: judged.flip_rate,
        states: states.into_iter().map(|(state, _)| state).collect(),
        compared,
        wrong: cards,
        unsure,
        reproduce,
    })
}

/// A state by name, not yet measured.
fn told(name: &str, meaning: &str, words: &str) -> State {
    let [name, meaning, words] = [name, meaning, words].map(str::to_owned);
    State { name, meaning, words, accuracy: f64::NAN, input_gradient_mass: None }
}

/// The states that stand before the last one: after the first epoch, and without what m has learned.
fn earlier(trained: &Trained) -> Result<Vec<(State, Checkpoint)>, CliError> {
    let mut states = Vec::new();
    let (config, epoch) = (&trained.config, trained.checkpoint.epoch);
    if let Some(first) = trained.first.as_ref().filter(|first| first.epoch < epoch) {
        let meaning = match config.train.method.explains() {
            true => "all weights as they were after the first pass, which had explanations, too",
            false => "all weights as they were after the first pass",
        };
        let name = format!("after epoch {}", first.epoch);
        states.push((told(&name, meaning, &format!("After epoch {} it was", first.epoch)), first.clone()));
    }
    let network = Network::new(&config.model(), trained.input()?, trained.classes()?.len(), 1)
        .map_err(TrainError::from)?;
    if network.has_mapping() && config.train.method.explains() && epoch > 0 {
        let mut aside = trained.checkpoint.clone();
        let of_m = |name: &str| {
            network
                .parameters()
                .iter()
                .any(|parameter| parameter.part == Part::Mapping && parameter.name == name)
        };
        for (name, values) in initial_weights(&network, &[config.seeds().init]) {
            if let Some((_, own)) = aside.tensors.get_mut(&name).filter(|_| of_m(&name)) {
                *own = values;
            }
        }
        let meaning = "f and c of the state that counts, and a new m, which changes nothing";
        states.push((told("m set aside", meaning, "With the mapping layer m set aside it would be"), aside));
    }
    Ok(states)
}

fn state(
    trained: &Trained,
    device: &Device,
    checkpoint: &Checkpoint,
    told: State,
    data: &Dataset,
    sample: &Dataset,
    masking: &Masking,
) -> Result<(State, Look), CliError> {
    let mut predictor = trained.predictor_of(checkpoint, device, BATCH.min(data.len()))?;
    let rows = predictor.probabilities(data)?;
    let judged = Judged::new(&mut predictor, data, &rows, None)?;
    let look = look_with(&mut predictor, sample, &masking.fill, masking.hard)?;
    let (accuracy, input_gradient_mass) = (judged.measures.scores.accuracy, judged.input_gradient_mass);
    Ok((State { accuracy, input_gradient_mass, ..told }, look))
}

/// A few pictures of every class, explained ones where there are some.
fn spread(data: &Dataset, limit: usize) -> Vec<usize> {
    let explained = data.explained_sample(limit);
    if !explained.is_empty() {
        return explained;
    }
    let mut numbers: Vec<usize> = (0..data.len()).collect();
    numbers.sort_by_key(|&i| data.labels[i]);
    let shown = limit.min(data.len());
    (0..shown).map(|k| numbers[k * data.len() / shown]).collect()
}

/// Mean share of a picture that its mask covers.
fn mask_area(data: &Dataset) -> Option<f64> {
    let covered = |i: usize| {
        let mask = data.mask(i);
        mask.iter().filter(|value| **value >= RELEVANT).count() as f64 / mask.len().max(1) as f64
    };
    let count = data.explained_count();
    (count > 0).then(|| data.explained_pictures().map(covered).sum::<f64>() / count as f64)
}

/// The config without its explanations.
fn settings(config: &str) -> String {
    let lines = config.lines().filter(|line| !line.starts_with('#'));
    let text: Vec<&str> = lines.skip_while(|line| line.is_empty()).collect();
    text.join("\n")
}

/// What the data are called: a list of pictures by its folder, too.
fn name_of(path: &str) -> String {
    let listed = Path::new(path).is_file().then(|| Path::new(path).parent()).flatten();
    match listed.and_then(Path::file_name) {
        Some(folder) => format!("{}/{}", folder.to_string_lossy(), source::name(path)),
        None => source::name(path),
    }
}

fn facts(trained: &Trained, data: &Dataset, train_pictures: usize, path: &str) -> Vec<(String, String)> {
    let config = &trained.config;
    let colour = if data.channels == 3 { "colour" } else { "grey" };
    let best = trained.checkpoint.epoch;
    let done = trained.rows.last().map_or(best, |row| row.epoch);
    let mut epochs = format!("{done} of {}", config.train.epochs);
    if best != done {
        epochs.push_str(&format!(", weights of epoch {best}"));
    }
    let seconds: f64 = trained.rows.iter().map(|row| row.seconds).sum();
    let facts = [
        ("data", path.to_owned()),
        (
            "pictures",
            format!("{}×{} {colour}, {} to train on", data.height, data.width, count(train_pictures)),
        ),
        ("mapping", config.model().mapping.to_string()),
        ("epochs", epochs),
        ("trained in", terminal::duration(seconds)),
        ("seed", config.seeds.seed.0.to_string()),
    ];
    facts.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// Name and definition of what the column `alignment_loss` holds for a method.
fn second_loss(method: Method, loss: AlignmentLoss) -> Option<[String; 2]> {
    let target = if method == Method::NoMapping { "f(x)" } else { "m(f(x))" };
    let loss = match loss {
        AlignmentLoss::Kl => format!("KL(softmax f(x′) ‖ softmax {target})"),
        AlignmentLoss::ReverseKl => format!("KL(softmax {target} ‖ softmax f(x′))"),
        AlignmentLoss::JensenShannon => {
            format!("Jensen–Shannon divergence of softmax f(x′) and softmax {target}")
        }
        AlignmentLoss::SquaredDistance => format!("mean of ({target} − f(x′))²"),
    };
    let (name, definition) = match method {
        Method::LabelOnly => return None,
        Method::GradReg => {
            ("penalty", "Penalty: the squared input gradient outside of the mask, without lambda.".to_owned())
        }
        Method::MaskedCopies => ("loss of the copies", "Cross-entropy of the masked copies.".to_owned()),
        Method::TwoStage | Method::TwoStageGradReg => {
            ("alignment loss", format!("Alignment loss (stage 2, which updates m alone): {loss}."))
        }
        Method::NoMapping => {
            ("alignment loss", format!("Alignment loss (stage 2, which updates f): {loss}."))
        }
        Method::Joint | Method::Constrained => ("alignment loss", format!("Alignment loss: {loss}.")),
    };
    Some([name.to_owned(), definition])
}

/// The commands that make the run again.
fn reproduce(trained: &Trained, device: &str, commands: &[String]) -> Vec<String> {
    let config = terminal::quoted(&trained.path.join(CONFIG));
    let mut line = format!("rationale train --config {config} --run runs/again");
    if !device.is_empty() && device != "auto" {
        line.push_str(&format!(" --device {}", terminal::quoted(Path::new(device))));
    }
    if commands.first().is_some_and(|command| command.contains(" --tuned-kernels")) {
        line.push_str(" --tuned-kernels");
    }
    vec![line]
}

//! `rationale demo`: triangles with a shortcut in every training picture, learned from labels alone and with
//! explanations, and the controls that belong beside them.

mod folder;
mod measure;
mod progress;
mod words;

use std::path::PathBuf;

use crate::data::triangles::{PatchRule, TriangleSet};
use crate::data::{DataError, Dataset, Pixels};
use crate::gpu::{Choice, DeviceError};
use crate::model::ModelConfig;
use crate::random::Seeds;
use crate::report::{Named, before_after, contact_sheet, write_png};
use crate::train::{MaskSource, Method, TrainConfig, TrainError};
use measure::{Outcome, Tests};
use progress::Progress;

/// Pictures of the test set, and of its copies with a patch.
const TEST: usize = 3000;
/// The first of them are asked for their input gradient.
const GRADIENTS: usize = 500;
/// Pictures of each section of the contact sheet.
const SHOWN: usize = 4;

/// Trains without and with explanations on the built-in triangles, and shows what changed.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Examples:\n  rationale demo\n  rationale demo --seed 7 --device cpu")]
pub struct DemoArgs {
    /// auto, cpu, an adapter's number, or a part of its name
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// Derives the data, the initial weights and the order of the pictures
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Epochs of each model
    #[arg(long, default_value_t = 40)]
    pub epochs: usize,
    /// The run folder [default: runs/demo-<time>]
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// No progress, only the result
    #[arg(long)]
    pub quiet: bool,
}

/// Why the demo could not be run.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The device.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The triangles.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Training, evaluation, the run folder or a file in it.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// One row of the table: what is trained, and how it is called.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Contestant {
    name: &'static str,
    title: &'static str,
    method: Method,
    masks: MaskSource,
    /// The paper's accuracy on the clean test, on its own data.
    paper: Option<f64>,
}

const CONTESTANTS: [Contestant; 4] = [
    Contestant {
        name: "label-only",
        title: "label-only",
        method: Method::LabelOnly,
        masks: MaskSource::Own,
        paper: Some(0.561),
    },
    Contestant {
        name: "two-stage",
        title: "two-stage, diagonal mapping",
        method: Method::TwoStage,
        masks: MaskSource::Own,
        paper: Some(0.708),
    },
    Contestant {
        name: "control-ones",
        title: "control: all-ones masks",
        method: Method::TwoStage,
        masks: MaskSource::Ones,
        paper: None,
    },
    Contestant {
        name: "control-other",
        title: "control: another picture's mask",
        method: Method::TwoStage,
        masks: MaskSource::Other,
        paper: None,
    },
];

impl Contestant {
    fn model(&self) -> ModelConfig {
        ModelConfig { mapping: self.method.default_mapping(), ..ModelConfig::default() }
    }

    fn settings(&self, epochs: usize) -> TrainConfig {
        TrainConfig { method: self.method, masks: self.masks, epochs, ..TrainConfig::default() }
    }
}

/// The pictures of the contact sheet, the first of the test set: as they are, then others with the patch of the wrong class.
fn shown(set: TriangleSet, seed: u64) -> Result<Dataset, DataError> {
    let mut shown = set.test(2 * SHOWN, seed, PatchRule::None)?;
    let misled = set.test(2 * SHOWN, seed, PatchRule::Follows(0.0))?;
    if let (Pixels::Float(pixels), Pixels::Float(others)) = (&mut shown.pixels, &misled.pixels) {
        let from = SHOWN * misled.height * misled.width * misled.channels;
        pixels[from..].copy_from_slice(&others[from..]);
    }
    let from = SHOWN * misled.height * misled.width;
    shown.masks[from..].copy_from_slice(&misled.masks[from..]);
    Ok(shown)
}

/// Runs the demo.
pub fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let set = TriangleSet::ES;
    let seeds = Seeds::from_seed(args.seed);
    // All that can be wrong with the arguments comes out before the first step of training.
    let train = set.train(seeds.data)?;
    let choice: Choice = match args.device.parse() {
        Ok(choice) => choice,
        Err(never) => match never {},
    };
    for contestant in CONTESTANTS {
        contestant.settings(args.epochs).check(train.len(), train.classes.len())?;
    }
    let device = super::devices::open(&choice)?;
    let folder = folder::create(args.run.as_deref(), "demo")?;
    println!("device: {} ({})", device.title(), device.reason());
    println!(
        "data:   triangles:ES, seed {}: {} training pictures, in each a small patch that gives its label away; \
         {TEST} test pictures",
        args.seed,
        train.len()
    );

    let tests = Tests::draw(set, seeds.data, TEST, GRADIENTS)?;
    let pictures = shown(set, seeds.data)?;
    let mut progress = Progress::new(CONTESTANTS.len() * args.epochs, args.quiet);
    let mut outcomes: Vec<Outcome> = Vec::new();
    for contestant in &CONTESTANTS {
        outcomes.push(measure::train(contestant, args, &device, &train, &tests, &pictures, &mut progress)?);
    }
    progress.finish();

    for outcome in &outcomes {
        outcome.checkpoint.save(&folder.join(format!("{}.safetensors", outcome.figures.name)))?;
    }
    if let [before, after, ..] = outcomes.as_slice() {
        let title = format!("rationale demo: triangles with a shortcut (ES), seed {}", args.seed);
        let sections = [
            (0, "The first four test pictures".to_owned()),
            (
                SHOWN,
                "The next four, with the white 3x3 patch of the wrong class in an upper corner".to_owned(),
            ),
        ];
        // Eight pictures are few: the figures over all of them stand on the sheet too.
        let note = format!(
            "These pictures were not chosen. Of all {TEST} clean test pictures label-only gets {:.1} % right, two-stage \
             {:.1} %.",
            100.0 * before.figures.accuracy,
            100.0 * after.figures.accuracy
        );
        let [before, after] = [before, after].map(|o| Named { name: o.figures.name, look: &o.look });
        let mut sheet = before_after(&title, &pictures, &sections, before, after);
        sheet.notes.insert(0, note);
        write_png(&folder.join("contact-sheet.png"), &contact_sheet(&sheet))?;
    }
    folder::write_json(&folder.join("demo.json"), &words::record(args, &device, &train, seeds, &outcomes))?;
    words::print(&outcomes, &folder);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mapping;

    #[test]
    fn the_sheet_shows_the_first_test_pictures_of_both_classes() {
        let set = TriangleSet::ES;
        let all = set.test(TEST, 5, PatchRule::None).unwrap();
        let shown = shown(set, 5).unwrap();
        shown.validate().unwrap();
        assert_eq!(shown.class_counts(), [SHOWN, SHOWN]);
        for i in 0..2 * SHOWN {
            let same = shown.picture(i).iter().zip(all.picture(i)).filter(|(a, b)| **a == *b).count();
            // In the second half a 3×3 patch is added, and nothing else.
            assert!(if i < SHOWN { same == 1024 } else { (1015..1024).contains(&same) }, "{i}: {same}");
        }
    }

    #[test]
    fn label_only_has_no_mapping_and_the_controls_differ_in_their_masks_alone() {
        let [label, two, ones, other] = CONTESTANTS;
        assert_eq!(label.model().mapping, Mapping::None);
        assert_eq!(two.model().mapping, Mapping::Diagonal);
        for control in [ones, other] {
            assert_eq!(control.model(), two.model());
            let settings = TrainConfig { masks: MaskSource::Own, ..control.settings(40) };
            assert_eq!(settings, two.settings(40));
        }
        assert_eq!(two.settings(40), TrainConfig::default());
    }
}

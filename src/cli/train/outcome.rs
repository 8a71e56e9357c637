//! What a run came to.

use serde::Serialize;

use super::under_way::Run;
use crate::cli::source::Source;
use crate::cli::terminal::{self, count};
use crate::data::Dataset;
use crate::exec::Device;
use crate::train::measures::{GRADIENT_PICTURES, Scores};
use crate::train::{TrainError, Trainer, flip_rate};

/// Gradient values that are held at once for the share inside the masks.
const GRADIENT_VALUES: usize = 1 << 24;

/// The final metrics, as JSON and for people.
#[derive(Debug, Serialize)]
pub struct Outcome {
    pub run: String,
    pub method: String,
    pub mapping: String,
    pub device: String,
    pub epochs: usize,
    pub val: Option<Scores>,
    pub test: Scores,
    /// Share of test predictions that change when the spurious patch is swapped.
    pub flip_rate: Option<f64>,
    /// Mean share of the squared input gradient that lies inside the mask, over explained test pictures.
    pub input_gradient_mass: Option<f64>,
    pub seconds: f64,
    pub digest: String,
    pub warnings: Vec<String>,
}

fn scores(trainer: &mut Trainer, name: &str, data: &Dataset) -> Result<Scores, TrainError> {
    let evaluation = trainer.evaluate(name)?;
    match evaluation.confusion.first() {
        Some(confusion) => Ok(Scores::new(data, confusion)),
        None => Err(TrainError::Data(format!("the evaluation of `{name}` has no replica"))),
    }
}

impl Outcome {
    pub(super) fn measure(
        trainer: &mut Trainer,
        device: &Device,
        source: &Source,
        run: &Run,
    ) -> Result<Self, TrainError> {
        let val = match &source.val {
            Some(val) => Some(scores(trainer, "val", val)?),
            None => None,
        };
        let test = scores(trainer, "test", &source.test)?;
        let flip_rate = match &source.patched {
            Some([first, second]) => {
                trainer.add_dataset("first patch", first)?;
                trainer.add_dataset("second patch", second)?;
                let a = trainer.evaluate("first patch")?.predictions;
                let b = trainer.evaluate("second patch")?.predictions;
                a.first().zip(b.first()).map(|(a, b)| flip_rate(a, b))
            }
            None => None,
        };
        Ok(Self {
            run: run.folder.path().to_string_lossy().into_owned(),
            method: run.config.train.method.to_string(),
            mapping: run.config.model().mapping.to_string(),
            device: device.title(),
            epochs: trainer.epoch(),
            val,
            test,
            flip_rate,
            input_gradient_mass: gradient_mass(trainer, device, &source.test)?,
            seconds: run.folder.rows().iter().map(|row| row.seconds).sum(),
            digest: crate::train::digest(&trainer.checkpoint().tensors),
            warnings: run.record.warnings.clone(),
        })
    }

    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    pub fn text(&self) -> String {
        let row = |name: &str, value: String, meaning: String| vec![name.to_owned(), value, meaning];
        let share = |value: f64| format!("{value:.3}");
        let test = &self.test;
        let mut rows = Vec::new();
        if let Some(val) = &self.val {
            let meaning = format!("of {} validation pictures", count(val.pictures));
            rows.push(row("val accuracy", share(val.accuracy), meaning));
        }
        let meaning = format!("of {} test pictures", count(test.pictures));
        rows.push(row("test accuracy", share(test.accuracy), meaning));
        let meaning = "test, every class counting the same".to_owned();
        rows.push(row("balanced accuracy", share(test.balanced_accuracy), meaning));
        if let Some(worst) = &test.worst_class {
            rows.push(row("worst class", share(worst.accuracy), format!("test, class {}", worst.class)));
        }
        if let Some(flips) = self.flip_rate {
            let meaning = "of test predictions change when the spurious patch is swapped".to_owned();
            rows.push(row("flip rate", share(flips), meaning));
        }
        if let Some(mass) = self.input_gradient_mass {
            let meaning = "of the input gradient lies inside the mask, on test pictures".to_owned();
            rows.push(row("gradient inside", share(mass), meaning));
        }
        let table = terminal::table(&rows, &[]);
        format!(
            "{table}{} in {}\nrun folder: {}\n",
            terminal::plural(self.epochs, "epoch"),
            terminal::duration(self.seconds),
            self.run
        )
    }
}

/// On [`GRADIENT_PICTURES`] explained pictures at most, evenly spread over the classes, or as many as memory should hold.
fn gradient_mass(trainer: &mut Trainer, device: &Device, data: &Dataset) -> Result<Option<f64>, TrainError> {
    let chosen =
        data.explained_sample((GRADIENT_VALUES / data.picture_len().max(1)).clamp(1, GRADIENT_PICTURES));
    if chosen.is_empty() {
        return Ok(None);
    }
    let mass = trainer.input_gradient(device, &data.subset(&chosen)?, 0)?.mass_inside();
    Ok(mass.is_finite().then_some(mass))
}

//! Measures models on a thread of its own, on the CPU device: accuracy, what every training picture is taken for, and where
//! a model looks. Weights come in as checkpoints, so nothing waits for anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::background::in_background;
use super::{Arm, Recipe};
use crate::data::Dataset;
use crate::exec::Device;
use crate::model::{MapShape, Network};
use crate::plan::Variants;
use crate::studio::error::StudioError;
use crate::train::{Checkpoint, Predictor, TrainError, flip_rate, most_probable};

/// Pictures at a time.
const BATCH: usize = 100;

/// What is measured on.
#[derive(Debug)]
pub struct Judged {
    /// The painted pictures.
    pub train: Dataset,
    /// Pictures that are kept out of training.
    pub held_out: Dataset,
    /// The same with either patch.
    pub patched: Option<[Dataset; 2]>,
}

/// A model that is to be measured.
#[derive(Debug)]
pub struct Measured {
    /// Which one.
    pub arm: Arm,
    /// Training steps behind it.
    pub steps: u64,
    /// Its weights.
    pub checkpoint: Arc<Checkpoint>,
    /// Those at the start and at the measurement before, where it is asked how far they have moved.
    pub since: Option<[Arc<Checkpoint>; 2]>,
}

/// What a model has come to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Which model.
    pub arm: Arm,
    /// Training steps behind it.
    pub steps: u64,
    /// Share of the held-out pictures that it gets right.
    pub accuracy: f64,
    /// Share of the held-out pictures whose prediction changes with the patch.
    pub flips: Option<f64>,
    /// Class and probability of every training picture.
    pub train: Vec<(u32, f64)>,
    /// ‖w − w₀‖ / ‖w₀‖ of every weight since the start and since the measurement before; without the divisor where w₀ is zero.
    pub moved: BTreeMap<String, [f64; 2]>,
}

/// Where a model looks in one training picture.
#[derive(Clone, Debug)]
pub struct Look {
    /// Which model.
    pub arm: Arm,
    /// Training steps behind it.
    pub steps: u64,
    /// The picture.
    pub index: usize,
    /// `[H, W]`: the length of the input gradient over the channels.
    pub values: Vec<f64>,
}

enum Question {
    Verdict(Measured),
    Look(Arm, u64, Arc<Checkpoint>, usize),
}

enum Answer {
    Verdict(Verdict),
    Look(Look),
}

/// The thread that measures.
#[derive(Debug)]
pub struct Judge {
    questions: Sender<Question>,
    answers: Receiver<Result<Answer, TrainError>>,
    open: usize,
}

impl Judge {
    /// Starts the thread.
    pub fn new(recipe: Recipe, judged: Arc<Judged>) -> Self {
        let (questions, incoming) = channel();
        let (outgoing, answers) = channel();
        std::thread::spawn(move || {
            in_background(move || {
                for question in incoming {
                    if outgoing.send(answer(&recipe, &judged, question)).is_err() {
                        break;
                    }
                }
            });
        });
        Self { questions, answers, open: 0 }
    }

    fn ask(&mut self, question: Question) -> Result<(), StudioError> {
        self.questions.send(question).map_err(|_| StudioError::Thread("measures accuracy"))?;
        self.open += 1;
        Ok(())
    }

    /// Asks for the accuracy of a model, and how far it has moved.
    pub fn measure(&mut self, measured: Measured) -> Result<(), StudioError> {
        self.ask(Question::Verdict(measured))
    }

    /// Asks where a model looks in a training picture.
    pub fn look(
        &mut self,
        arm: Arm,
        steps: u64,
        checkpoint: Arc<Checkpoint>,
        index: usize,
    ) -> Result<(), StudioError> {
        self.ask(Question::Look(arm, steps, checkpoint, index))
    }

    /// Questions that have no answer yet.
    pub fn open(&self) -> usize {
        self.open
    }

    /// The answers since the last call.
    pub fn answers(&mut self) -> Result<(Vec<Verdict>, Vec<Look>), StudioError> {
        let (mut verdicts, mut looks) = (Vec::new(), Vec::new());
        while let Ok(answer) = self.answers.try_recv() {
            self.open -= 1;
            match answer? {
                Answer::Verdict(verdict) => verdicts.push(verdict),
                Answer::Look(look) => looks.push(look),
            }
        }
        Ok((verdicts, looks))
    }
}

fn answer(recipe: &Recipe, judged: &Judged, question: Question) -> Result<Answer, TrainError> {
    let (arm, steps, checkpoint) = match &question {
        Question::Verdict(Measured { arm, steps, checkpoint, .. })
        | Question::Look(arm, steps, checkpoint, _) => (*arm, *steps, checkpoint),
    };
    let (model, _) = recipe.of(arm);
    let data = &judged.train;
    let input = MapShape { height: data.height, width: data.width, channels: data.channels };
    let device = Device::Cpu { reason: "measures beside training".to_owned() };
    let batch = if matches!(question, Question::Look(..)) { 1 } else { BATCH };
    let mut predictor =
        Predictor::new(&device, &model, input, data.classes.len(), checkpoint, &Variants::new(), batch)?;
    if let Question::Look(.., index) = question {
        let gradient = predictor.input_gradient(&data.picture(index))?;
        let values = crate::report::channel_norm(&gradient, data.channels);
        return Ok(Answer::Look(Look { arm, steps, index, values }));
    }
    let held_out = predictions(&mut predictor, &judged.held_out)?;
    let right =
        held_out.iter().zip(&judged.held_out.labels).filter(|((class, _), label)| class == *label).count();
    let flips = match &judged.patched {
        Some([first, second]) => {
            let classes =
                |found: Vec<(u32, f64)>| found.into_iter().map(|(class, _)| class).collect::<Vec<_>>();
            let first = classes(predictions(&mut predictor, first)?);
            Some(flip_rate(&first, &classes(predictions(&mut predictor, second)?)))
        }
        None => None,
    };
    Ok(Answer::Verdict(Verdict {
        arm,
        steps,
        accuracy: right as f64 / judged.held_out.len().max(1) as f64,
        flips,
        train: predictions(&mut predictor, data)?,
        moved: match &question {
            Question::Verdict(Measured { since: Some(since), .. }) => {
                let network = Network::new(&model, input, data.classes.len(), 1)?;
                movements(checkpoint, since, network.parameters().into_iter().map(|parameter| parameter.name))
            }
            _ => BTreeMap::new(),
        },
    }))
}

/// How far these tensors are from where they were each time.
fn movements(
    now: &Checkpoint,
    since: &[Arc<Checkpoint>; 2],
    names: impl Iterator<Item = String>,
) -> BTreeMap<String, [f64; 2]> {
    let far = |name: &str| since.each_ref().map(|before| moved(now, before, name));
    names.map(|name| (name.clone(), far(&name))).collect()
}

/// The length of a − b, over that of b where it is not zero.
fn moved(a: &Checkpoint, b: &Checkpoint, tensor: &str) -> f64 {
    let (Some((_, a)), Some((_, b))) = (a.tensors.get(tensor), b.tensors.get(tensor)) else { return 0.0 };
    let squares = |(difference, before), (a, b): (&f32, &f32)| {
        let (a, b) = (f64::from(*a), f64::from(*b));
        (difference + (a - b) * (a - b), before + b * b)
    };
    let (difference, before) = a.iter().zip(b).fold((0f64, 0f64), squares);
    if before > 0.0 { difference.sqrt() / before.sqrt() } else { difference.sqrt() }
}

/// Class and probability of every picture of a data set.
fn predictions(predictor: &mut Predictor, data: &Dataset) -> Result<Vec<(u32, f64)>, TrainError> {
    let rows = predictor.probabilities(data)?;
    let class = |row: &Vec<f64>| most_probable(row).map_or((0, f64::NAN), |class| (class as u32, row[class]));
    Ok(rows.iter().map(class).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(weight: [f32; 2], bias: f32) -> Arc<Checkpoint> {
        let tensors = BTreeMap::from([
            ("mapping.weight".to_owned(), (vec![2], weight.to_vec())),
            ("mapping.bias".to_owned(), (vec![1], vec![bias])),
        ]);
        Arc::new(Checkpoint { tensors, ..Checkpoint::default() })
    }

    #[test]
    fn movements_are_lengths_of_differences() {
        let (first, before) = (checkpoint([3.0, 4.0], 0.0), checkpoint([3.0, 9.0], 0.5));
        let names = || ["mapping.weight", "mapping.bias"].map(str::to_owned).into_iter();
        let still = movements(&first, &[Arc::clone(&first), Arc::clone(&first)], names());
        assert!(still.values().all(|&far| far == [0.0, 0.0]));
        let found = movements(&checkpoint([3.0, 4.0], 0.25), &[first, before], names());
        assert_eq!(found["mapping.weight"], [0.0, 5.0 / 90f64.sqrt()]);
        assert_eq!(found["mapping.bias"], [0.25, 0.5]);
    }
}

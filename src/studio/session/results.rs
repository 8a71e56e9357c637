//! What training has come to: curves, measurements, and how far each weight has moved.

use std::sync::Arc;

use crate::embed::RouteRow;
use crate::studio::curves::Curve;
use crate::studio::training::{Arm, Event, Verdict};
use crate::train::Checkpoint;

/// One weight or bias of the model with explanations: who moves it, and how far it has moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// Which stages write it.
    pub row: RouteRow,
    /// ‖w − w₀‖ / ‖w₀‖ since the start; without the divisor where w₀ is zero.
    pub since_start: f64,
    /// The same since the measurement before.
    pub lately: f64,
}

/// The curves of a model over training steps.
#[derive(Clone, Debug, Default)]
pub struct Curves {
    /// Loss of stage 1.
    pub label_loss: Curve,
    /// Loss of stage 2.
    pub alignment_loss: Curve,
    /// Accuracy on the held-out pictures.
    pub accuracy: Curve,
}

#[derive(Clone, Debug)]
struct State {
    steps: u64,
    checkpoint: Arc<Checkpoint>,
}

/// Curves, measurements and movements.
#[derive(Debug, Default)]
pub struct Results {
    curves: [Curves; 2],
    verdicts: [Option<Verdict>; 2],
    states: [Option<State>; 2],
    measured: [Option<u64>; 2],
    first: Option<Arc<Checkpoint>>,
    movements: Vec<Movement>,
}

/// The length of a − b, over that of b.
fn moved(a: &Checkpoint, b: &Checkpoint, tensor: &str) -> f64 {
    let (Some((_, a)), Some((_, b))) = (a.tensors.get(tensor), b.tensors.get(tensor)) else { return 0.0 };
    let length = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    let difference = length(&mut a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let before = length(&mut b.iter().map(|b| f64::from(*b)));
    if before > 0.0 { difference / before } else { difference }
}

impl Results {
    /// Nothing so far.
    pub(super) fn new(route: Vec<RouteRow>) -> Self {
        let mut results = Self::default();
        results.set_route(route);
        results
    }

    /// Takes the rows of the table.
    pub(super) fn set_route(&mut self, route: Vec<RouteRow>) {
        let still = |row| Movement { row, since_start: 0.0, lately: 0.0 };
        self.movements = route.into_iter().map(still).collect();
    }

    /// Takes in what an engine tells.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Figures { arm, at, label_loss, alignment_loss } => {
                let curves = &mut self.curves[arm as usize];
                curves.label_loss.push(at.steps as f64, label_loss);
                if let Some(loss) = alignment_loss {
                    curves.alignment_loss.push(at.steps as f64, loss);
                }
            }
            Event::State { arm, at, checkpoint } => {
                if self.states[arm as usize].as_ref().is_some_and(|state| state.steps == at.steps) {
                    return;
                }
                if arm == Arm::Explained {
                    let first = self.first.get_or_insert_with(|| Arc::clone(&checkpoint)).clone();
                    let before = self.states[arm as usize].as_ref().map_or(&first, |state| &state.checkpoint);
                    for movement in &mut self.movements {
                        movement.since_start = moved(&checkpoint, &first, &movement.row.tensor);
                        movement.lately = moved(&checkpoint, before, &movement.row.tensor);
                    }
                }
                self.states[arm as usize] = Some(State { steps: at.steps, checkpoint });
            }
        }
    }

    /// States that have not been given to be measured; they count as given from now on.
    pub(super) fn unmeasured(&mut self) -> Vec<(Arm, u64, Arc<Checkpoint>)> {
        let mut open = Vec::new();
        for arm in Arm::BOTH {
            let (state, measured) = (&self.states[arm as usize], &mut self.measured[arm as usize]);
            if let Some(state) = state.as_ref().filter(|state| *measured != Some(state.steps)) {
                *measured = Some(state.steps);
                open.push((arm, state.steps, Arc::clone(&state.checkpoint)));
            }
        }
        open
    }

    /// Takes in a measurement.
    pub(super) fn judge(&mut self, verdict: Verdict) {
        let arm = verdict.arm as usize;
        self.curves[arm].accuracy.push(verdict.steps as f64, verdict.accuracy);
        self.verdicts[arm] = Some(verdict);
    }

    /// For every training picture whether the model with explanations gets it wrong; empty before the first measurement.
    pub(super) fn wrong(&self, labels: &[u32]) -> Vec<bool> {
        match self.verdict(Arm::Explained) {
            Some(verdict) => {
                verdict.train.iter().zip(labels).map(|((class, _), label)| class != label).collect()
            }
            None => Vec::new(),
        }
    }

    /// The curves of a model.
    pub fn curves(&self, arm: Arm) -> &Curves {
        &self.curves[arm as usize]
    }

    /// The latest measurement of a model.
    pub fn verdict(&self, arm: Arm) -> Option<&Verdict> {
        self.verdicts[arm as usize].as_ref()
    }

    /// The latest state of a model, and its training steps.
    pub fn state(&self, arm: Arm) -> Option<(u64, &Arc<Checkpoint>)> {
        self.states[arm as usize].as_ref().map(|state| (state.steps, &state.checkpoint))
    }

    /// Every weight and how far it has moved.
    pub fn movements(&self) -> &[Movement] {
        &self.movements
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::plan::Part;
    use crate::studio::training::Position;

    fn state(steps: u64, weight: [f32; 2], bias: f32) -> Event {
        let tensors = BTreeMap::from([
            ("mapping.weight".to_owned(), (vec![2], weight.to_vec())),
            ("mapping.bias".to_owned(), (vec![1], vec![bias])),
        ]);
        let checkpoint = Arc::new(Checkpoint { tensors, ..Checkpoint::default() });
        Event::State { arm: Arm::Explained, at: Position { steps, epochs: 0.0 }, checkpoint }
    }

    #[test]
    fn movements_are_lengths_of_differences() {
        let row = |tensor: &str| RouteRow {
            tensor: tensor.to_owned(),
            part: Part::Mapping,
            elements: 2,
            stage1: true,
            stage2: true,
        };
        let mut results = Results::new(vec![row("mapping.weight"), row("mapping.bias")]);
        results.take(state(0, [3.0, 4.0], 0.0));
        assert!(results.movements().iter().all(|movement| movement.since_start == 0.0));
        results.take(state(10, [3.0, 9.0], 0.5));
        results.take(state(20, [3.0, 4.0], 0.25));
        let [weight, bias] = results.movements() else { panic!("two rows") };
        assert_eq!((weight.since_start, bias.since_start), (0.0, 0.25));
        assert_eq!(weight.lately, 5.0 / 90f64.sqrt());
        assert_eq!(bias.lately, 0.5);
    }

    #[test]
    fn a_state_is_measured_once_and_says_what_is_wrong() {
        let mut results = Results::default();
        results.take(state(4, [0.0; 2], 0.0));
        assert_eq!(results.unmeasured().len(), 1);
        assert!(results.unmeasured().is_empty());
        let train = vec![(0, 0.9), (1, 0.8)];
        results.judge(Verdict { arm: Arm::Explained, steps: 4, accuracy: 0.5, flips: None, train });
        assert_eq!(results.wrong(&[1, 1]), [true, false]);
        assert_eq!(results.curves(Arm::Explained).accuracy.points(), [[4.0, 0.5]]);
        assert!(results.verdict(Arm::Labels).is_none());
    }
}

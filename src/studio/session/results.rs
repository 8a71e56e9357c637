//! What training has come to: curves, measurements, and how far each weight has moved.

use std::sync::Arc;

use crate::embed::RouteRow;
use crate::studio::curves::Curve;
use crate::studio::training::{Arm, Event, Measured, Verdict};
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
    /// Steps of the states that were last given to be measured.
    measured: [Option<u64>; 2],
    /// The first state of the model with explanations, and the one that was last given to be measured.
    first: Option<Arc<Checkpoint>>,
    before: Option<Arc<Checkpoint>>,
    movements: Vec<Movement>,
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
                    self.first.get_or_insert_with(|| Arc::clone(&checkpoint));
                }
                self.states[arm as usize] = Some(State { steps: at.steps, checkpoint });
            }
        }
    }

    /// States that have not been given to be measured; they count as given from now on.
    pub(super) fn unmeasured(&mut self) -> Vec<Measured> {
        let mut open = Vec::new();
        for arm in Arm::BOTH {
            let (state, measured) = (&self.states[arm as usize], &mut self.measured[arm as usize]);
            if let Some(state) = state.as_ref().filter(|state| *measured != Some(state.steps)) {
                *measured = Some(state.steps);
                let since = self.first.as_ref().filter(|_| arm == Arm::Explained).map(|first| {
                    let before = self.before.replace(Arc::clone(&state.checkpoint));
                    [Arc::clone(first), before.unwrap_or_else(|| Arc::clone(first))]
                });
                open.push(Measured {
                    arm,
                    steps: state.steps,
                    checkpoint: Arc::clone(&state.checkpoint),
                    since,
                });
            }
        }
        open
    }

    /// Takes in a measurement.
    pub(super) fn judge(&mut self, verdict: Verdict) {
        let arm = verdict.arm as usize;
        self.curves[arm].accuracy.push(verdict.steps as f64, verdict.accuracy);
        for movement in &mut self.movements {
            if let Some(&[since_start, lately]) = verdict.moved.get(&movement.row.tensor) {
                (movement.since_start, movement.lately) = (since_start, lately);
            }
        }
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

    fn verdict(steps: u64, moved: &[(&str, [f64; 2])]) -> Verdict {
        let moved = moved.iter().map(|&(name, far)| (name.to_owned(), far)).collect();
        let train = vec![(0, 0.9), (1, 0.8)];
        Verdict { arm: Arm::Explained, steps, accuracy: 0.5, flips: None, train, moved }
    }

    #[test]
    fn a_measurement_is_told_the_start_and_the_one_before() {
        let row = |tensor: &str| RouteRow {
            tensor: tensor.to_owned(),
            part: Part::Mapping,
            elements: 2,
            stage1: true,
            stage2: true,
        };
        let mut results = Results::new(vec![row("mapping.weight"), row("mapping.bias")]);
        let mut states = Vec::new();
        let mut measure = |results: &mut Results| {
            let measured = results.unmeasured().pop().unwrap();
            states.push(measured.checkpoint);
            measured.since.unwrap().map(|known| states.iter().position(|state| Arc::ptr_eq(state, &known)))
        };
        results.take(state(0, [3.0, 4.0], 0.0));
        assert_eq!(measure(&mut results), [Some(0), Some(0)]);
        results.take(state(10, [3.0, 9.0], 0.5));
        assert_eq!(measure(&mut results), [Some(0), Some(0)]);
        results.take(state(20, [3.0, 4.0], 0.25));
        assert_eq!(measure(&mut results), [Some(0), Some(1)]);
        results.judge(verdict(20, &[("mapping.weight", [0.5, 0.25]), ("momentum", [9.0, 9.0])]));
        let far = |movement: &Movement| (movement.since_start, movement.lately);
        assert_eq!(results.movements().iter().map(far).collect::<Vec<_>>(), [(0.5, 0.25), (0.0, 0.0)]);
    }

    #[test]
    fn a_state_is_measured_once_and_says_what_is_wrong() {
        let mut results = Results::default();
        results.take(state(4, [0.0; 2], 0.0));
        assert_eq!(results.unmeasured().len(), 1);
        assert!(results.unmeasured().is_empty());
        results.judge(verdict(4, &[]));
        assert_eq!(results.wrong(&[1, 1]), [true, false]);
        assert_eq!(results.curves(Arm::Explained).accuracy.points(), [[4.0, 0.5]]);
        assert!(results.verdict(Arm::Labels).is_none());
    }
}

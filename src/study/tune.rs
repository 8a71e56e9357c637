//! A random search with the same number of trials for every method, judged by validation pictures alone.

use serde::Serialize;

use super::document::{Document, Section, Table, share, signed, with_error};
use super::studies::document;
use super::summary::{Row, rows};
use super::tuned::{Choice, Moves, Tuned};
use super::{Arm, Cell, Job, Judge, Manifest, Point, Setting, StudyError};
use crate::random::Random;
use crate::train::Method;

/// Draws the same trials on every machine.
const SEARCH_SEED: u64 = 20_261_122;
/// The axis of trials.
const TRIAL: &str = "trial";
/// What trials are scored by.
const SCORE: &str = "val_balanced_accuracy";

/// Arms that are searched where none are named: every method with settings of its own, and the baseline.
pub const ARMS: [&str; 10] = [
    "label-only",
    "diagonal",
    "dense",
    "conv1x1",
    "gate",
    "joint",
    "no-mapping",
    "grad-reg-1",
    "masked-copies",
    "constrained",
];

/// What a search is made with.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// Where.
    pub setting: Setting,
    /// Whose settings.
    pub arms: Vec<Arm>,
    /// Trials of every arm; the first has the settings as they are.
    pub trials: usize,
    /// Seeds of every trial.
    pub seeds: Vec<u64>,
}

/// The settings of a trial. Trial 0 moves nothing. Learning rate and L2 of stage 1 are the same in the same trial of every
/// method, so that no method has the luckier draws there.
pub fn moves(arm: &Arm, trial: usize) -> Moves {
    if trial == 0 {
        return Moves::default();
    }
    let mut shared = Random::new(SEARCH_SEED, 2 * trial as u64);
    let mut own = Random::new(SEARCH_SEED, 2 * trial as u64 + 1);
    fn between(random: &mut Random, low: f64, high: f64) -> f64 {
        let value = (random.uniform(low.ln(), high.ln())).exp();
        // Three digits are all that a search can mean.
        format!("{value:.2e}").parse().unwrap_or(value)
    }
    let label_lr = Some(between(&mut shared, 2e-4, 1e-2));
    let weight_decay = Some(between(&mut shared, 1e-4, 1e-1));
    let both = Moves { label_lr, weight_decay, ..Moves::default() };
    let steps = |random: &mut Random| Some([1, 2, 5, 10][random.below(4)]);
    match arm.train.method {
        Method::LabelOnly | Method::MaskedCopies => both,
        Method::TwoStage => {
            Moves { alignment_lr: Some(between(&mut own, 1e-4, 1e-1)), inner_steps: steps(&mut own), ..both }
        }
        Method::TwoStageGradReg => Moves {
            alignment_lr: Some(between(&mut own, 1e-4, 1e-1)),
            lambda: Some(between(&mut own, 1e-2, 1e2)),
            ..both
        },
        // Here stage 2 moves f itself.
        Method::NoMapping => {
            Moves { alignment_lr: Some(between(&mut own, 1e-5, 1e-2)), inner_steps: steps(&mut own), ..both }
        }
        Method::Joint | Method::GradReg => Moves { lambda: Some(between(&mut own, 1e-2, 1e2)), ..both },
        Method::Constrained => Moves {
            constraint: Some(between(&mut own, 3e-3, 1.0)),
            multiplier_lr: Some(between(&mut own, 1e-2, 1.0)),
            ..both
        },
    }
}

impl Search {
    /// Its cells, trial after trial.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for trial in 0..self.trials {
            for arm in &self.arms {
                let mut moved = arm.clone();
                moves(arm, trial).apply(&mut moved);
                let point = Point { sweep: TRIAL.to_owned(), x: trial as f64, label: format!("{trial:02}") };
                jobs.extend(self.seeds.iter().map(|&seed| Job {
                    point: Some(point.clone()),
                    judge: Judge::Validation,
                    ..Job::new(&self.setting, &moved, seed)
                }));
            }
        }
        jobs
    }

    /// What the trials came to.
    pub fn judge(&self, cells: &[Cell]) -> Result<Found, StudyError> {
        let rows = rows(cells)?;
        let mut trials = Vec::new();
        for row in &rows {
            let Some(arm) = self.arms.iter().find(|arm| arm.name == row.arm_name) else { continue };
            let number = row.point.as_ref().map_or(0, |point| point.x as usize);
            let values = row.statistic(SCORE).map_or(Vec::new(), |s| s.values.clone());
            // A trial in which a seed diverged has no score: it would be the mean of the lucky ones.
            let whole = values.len() == self.seeds.len();
            let score = row.statistic(SCORE).filter(|_| whole).map(|s| s.summary.mean);
            let reason = row.diverged.iter().chain(&row.failed).map(|(_, reason)| reason.clone()).next();
            trials.push(Trial {
                setting: self.setting.name.clone(),
                method: row.arm_name.clone(),
                trial: number,
                moves: moves(arm, number),
                validation: values,
                score,
                reason,
            });
        }
        let mut choices = Vec::new();
        for arm in &self.arms {
            let own = || trials.iter().filter(|trial| trial.method == arm.name);
            let scored = own().filter_map(|trial| Some((trial, trial.score?)));
            // The first of equals.
            let best = scored.reduce(|best, next| if next.1 > best.1 { next } else { best });
            if let Some((best, validation)) = best {
                choices.push(Choice {
                    setting: self.setting.name.clone(),
                    method: arm.name.clone(),
                    trials: own().count(),
                    seeds: self.seeds.clone(),
                    trial: best.trial,
                    validation,
                    before: own().find(|trial| trial.trial == 0).and_then(|trial| trial.score),
                    moves: best.moves.clone(),
                });
            }
        }
        Ok(Found { trials, tuned: Tuned { program: super::program(), choices }, rows })
    }
}

/// One trial, as a line of `trials.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trial {
    /// Where.
    pub setting: String,
    /// Whose.
    pub method: String,
    /// Its number; 0 has the settings as they are.
    pub trial: usize,
    /// What it moved.
    pub moves: Moves,
    /// Seed and balanced accuracy on validation pictures.
    pub validation: Vec<(u64, f64)>,
    /// Their mean, if every seed ended well.
    pub score: Option<f64>,
    /// Why one did not.
    pub reason: Option<String>,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Every trial.
    pub trials: Vec<Trial>,
    /// The best of every arm.
    pub tuned: Tuned,
    /// The statistics.
    pub rows: Vec<Row>,
}

/// The moved settings in a few words.
fn words(moves: &Moves) -> String {
    let rate = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {value}"));
    let parts = [
        rate("η₁", moves.label_lr),
        rate("L2", moves.weight_decay),
        rate("η₂", moves.alignment_lr),
        moves.inner_steps.map(|steps| format!("inner steps {steps}")),
        rate("λ", moves.lambda),
        rate("ε", moves.constraint),
        rate("ρ", moves.multiplier_lr),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "as they were".to_owned() } else { parts.join(", ") }
}

impl Found {
    /// What it says.
    pub fn document(&self, search: &Search, manifest: &Manifest) -> Document {
        let chosen = self.tuned.choices.iter().map(|choice| {
            let arm = search.arms.iter().find(|arm| arm.name == choice.method);
            vec![
                arm.map_or(choice.method.clone(), |arm| arm.title.clone()),
                share(choice.validation),
                choice.before.map_or("–".to_owned(), share),
                choice.before.map_or(String::new(), |before| signed(choice.validation - before, None)),
                format!("{} of {}", choice.trial, choice.trials),
                words(&choice.moves),
            ]
        });
        let head = ["method", "best, validation", "as it was", "gain", "trial", "settings"];
        let best = Table {
            name: "chosen".to_owned(),
            caption: "The best trial of every method; mean balanced accuracy on the validation pictures of all seeds. The best of many is a little too good: final figures come from other seeds.".to_owned(),
            head: head.map(str::to_owned).to_vec(),
            rows: chosen.collect(),
        };
        let all = self.rows.iter().map(|row| {
            let number = row.point.as_ref().map_or(0, |point| point.x as usize);
            let arm = search.arms.iter().find(|arm| arm.name == row.arm_name);
            vec![
                row.arm.title.clone(),
                number.to_string(),
                row.statistic(SCORE)
                    .map_or("–".to_owned(), |s| with_error(s.summary.mean, s.standard_error)),
                row.counted(),
                arm.map_or(String::new(), |arm| words(&moves(arm, number))),
            ]
        });
        let head = ["method", "trial", "validation", "models", "settings"];
        let every = Table {
            name: "trials".to_owned(),
            caption: "Every trial, mean ± standard error over seeds. Trial 0 has the settings as they were."
                .to_owned(),
            head: head.map(str::to_owned).to_vec(),
            rows: all.collect(),
        };
        let lead = vec![format!(
            "Which settings suit each method on {} ({})? {} trials for each, the same learning rates and L2 of stage 1 in the same trial of every method; judged by validation pictures, and no test picture was drawn.",
            search.setting.name, search.setting.title, search.trials
        )];
        let sections = vec![
            Section { heading: "What was chosen".to_owned(), tables: vec![best], ..Default::default() },
            Section { heading: "Every trial".to_owned(), tables: vec![every], ..Default::default() },
        ];
        document(format!("Search: {}", search.setting.name), lead, sections, &self.rows, manifest)
    }

    /// `trials.jsonl`.
    pub fn lines(&self) -> String {
        let line = |trial: &Trial| serde_json::to_string(trial).unwrap_or_default() + "\n";
        self.trials.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Outcome, Pictures, Scores};

    fn search() -> Search {
        let setting = Setting::of(Pictures::ES);
        let arms =
            ["label-only", "diagonal", "grad-reg-1"].map(|name| Arm::named(name, &setting).unwrap()).to_vec();
        Search { setting, arms, trials: 4, seeds: vec![11, 12] }
    }

    #[test]
    fn every_method_has_as_many_trials_and_the_same_draws_for_what_all_share() {
        let search = search();
        let jobs = search.jobs();
        assert_eq!(jobs.len(), 4 * 3 * 2);
        assert!(jobs.iter().all(|job| job.judge == Judge::Validation));
        for trial in 1..24 {
            let [label, diagonal, reg] = [0, 1, 2].map(|i| moves(&search.arms[i], trial));
            assert_eq!(
                (label.label_lr, label.weight_decay),
                (diagonal.label_lr, reg.weight_decay.and(diagonal.weight_decay))
            );
            assert_eq!((label.alignment_lr, label.lambda), (None, None));
            assert!((1e-4..=1e-1).contains(&diagonal.alignment_lr.unwrap()));
            assert!((1e-2..=1e2).contains(&reg.lambda.unwrap()));
        }
        assert_eq!(moves(&search.arms[1], 0), Moves::default());
        assert_eq!(jobs[0].arm, search.arms[0]);
    }

    fn cell(job: &Job, score: Option<f64>) -> Cell {
        let outcome = match score {
            None => Outcome::Diverged("epoch 1: a loss".to_owned()),
            Some(score) => {
                let mut figures = crate::study::testing::figures();
                figures.test = None;
                figures.val = Some(Scores {
                    pictures: 10,
                    accuracy: score,
                    balanced_accuracy: score,
                    worst_class: score,
                    per_class: vec![],
                });
                Outcome::Done(Box::new(figures))
            }
        };
        crate::study::testing::cell(job, outcome)
    }

    #[test]
    fn the_best_whole_trial_is_chosen_and_a_diverged_one_never() {
        let search = search();
        let cells: Vec<Cell> = search
            .jobs()
            .iter()
            .map(|job| {
                let trial = job.point.as_ref().unwrap().x as usize;
                let score = match (job.arm.name.as_str(), trial, job.seed) {
                    // Best by far, but one seed of it diverged.
                    ("diagonal", 3, 11) => Some(0.99),
                    ("diagonal", 3, _) => None,
                    ("diagonal", 2, 11) => Some(0.7),
                    ("diagonal", 2, _) => Some(0.8),
                    _ => Some(0.6),
                };
                cell(job, score)
            })
            .collect();
        let found = search.judge(&cells).unwrap();
        let choice = |name: &str| found.tuned.choices.iter().find(|choice| choice.method == name).unwrap();
        assert_eq!((choice("diagonal").trial, choice("diagonal").before), (2, Some(0.6)));
        assert!((choice("diagonal").validation - 0.75).abs() < 1e-12);
        assert_eq!(choice("label-only").moves, Moves::default(), "the first of equals: nothing is moved");
        assert_eq!(found.lines().lines().count(), 12);
        // What is written is read, and finds its arm and the controls of it.
        let text = toml::to_string(&found.tuned).unwrap();
        let tuned: Tuned = toml::from_str(&text).unwrap();
        assert_eq!(tuned, found.tuned);
        let mut control = Arm::named("diagonal-other", &search.setting).unwrap();
        tuned.apply(&search.setting, &mut control);
        assert_eq!(Some(control.train.alignment_lr), choice("diagonal").moves.alignment_lr);
        assert!(control.tuned);
    }
}

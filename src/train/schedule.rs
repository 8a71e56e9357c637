//! Learning rates over the steps of a run.

use std::fmt;
use std::str::FromStr;

use super::{Schedule, TrainConfig, TrainError};

/// A learning rate and how it moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Moving {
    /// The rate that the schedule starts from.
    pub rate: f64,
    /// How it moves after the warm-up.
    pub schedule: Schedule,
    /// Epochs of warm-up, whole or not.
    pub warmup: f64,
}

impl Moving {
    /// Whether it is the same in every step.
    pub fn stands_still(&self) -> bool {
        self.schedule == Schedule::Constant && self.warmup == 0.0
    }

    /// The rate in a step of the whole run, counted from 0. During the warm-up of W steps it is (step + 1) / W of the full
    /// rate; then the schedule begins, and `cosine` and `linear` reach 0 after the last step of the run. That is PyTorch's
    /// LinearLR(start_factor = 1 / W, total_iters = W − 1), then CosineAnnealingLR, LinearLR or StepLR, by SequentialLR. A
    /// plain function of its arguments: a resumed run meets the same rates.
    pub fn at(&self, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        let warm = (self.warmup * steps_per_epoch as f64).round() as usize;
        if step < warm {
            return self.rate * (step + 1) as f64 / warm as f64;
        }
        let (step, all) = (step - warm, (epochs * steps_per_epoch).saturating_sub(warm).max(1));
        let done = step as f64 / all as f64;
        self.rate
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
                Schedule::Linear => 1.0 - done,
                Schedule::Step { every, factor } => {
                    factor.powf((step / (every * steps_per_epoch).max(1)) as f64)
                }
            }
    }

    /// The rates of every step of an epoch, counted from 0.
    pub fn epoch(&self, epoch: usize, steps_per_epoch: usize, epochs: usize) -> Vec<f32> {
        let first = epoch * steps_per_epoch;
        (first..first + steps_per_epoch).map(|step| self.at(step, steps_per_epoch, epochs) as f32).collect()
    }
}

impl Schedule {
    /// Whether the rate in an epoch depends on how many there are: such a run cannot be made longer afterwards.
    pub fn depends_on_epochs(self) -> bool {
        matches!(self, Schedule::Cosine | Schedule::Linear)
    }
}

impl TrainConfig {
    /// The learning rate of each stage's optimiser, by the stage's name.
    pub(crate) fn rates(&self) -> [(&'static str, Moving); 2] {
        let label = (self.label_lr, self.label_schedule, self.label_warmup);
        let alignment = (self.alignment_lr, self.alignment_schedule, self.alignment_warmup);
        [("stage1", label), ("stage2", alignment)]
            .map(|(stage, (rate, schedule, warmup))| (stage, Moving { rate, schedule, warmup }))
    }

    /// Checks schedules and warm-ups.
    pub(super) fn check_schedules(&self) -> Result<(), TrainError> {
        let setting = |key, value: String, remedy: String| Err(TrainError::Setting { key, value, remedy });
        for (schedule_key, warmup_key, (_, Moving { schedule, warmup, .. })) in [
            ("label_schedule", "label_warmup", self.rates()[0]),
            ("alignment_schedule", "alignment_warmup", self.rates()[1]),
        ] {
            if let Schedule::Step { every, factor } = schedule
                && !(every > 0 && factor.is_finite() && factor >= 0.0)
            {
                let remedy = "`every` is at least 1, `factor` a finite number that is not negative";
                return setting(schedule_key, format!("{schedule:?}"), remedy.to_owned());
            }
            if !(0.0..=self.epochs as f64).contains(&warmup) {
                let remedy = format!("warm-up is counted in epochs, from 0 to all {} of them", self.epochs);
                return setting(warmup_key, warmup.to_string(), remedy);
            }
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let step = |numbers: &str| {
            let (every, factor) = numbers.split_once(':')?;
            Some(Schedule::Step { every: every.trim().parse().ok()?, factor: factor.trim().parse().ok()? })
        };
        match text {
            "constant" => Ok(Schedule::Constant),
            "cosine" => Ok(Schedule::Cosine),
            "linear" => Ok(Schedule::Linear),
            _ => text.strip_prefix("step=").and_then(step).ok_or_else(|| {
                "a schedule is constant, cosine, linear, or step=EPOCHS:FACTOR, such as step=10:0.5"
                    .to_owned()
            }),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Constant => f.write_str("constant"),
            Schedule::Cosine => f.write_str("cosine"),
            Schedule::Linear => f.write_str("linear"),
            Schedule::Step { every, factor } => write!(f, "step={every}:{factor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PyTorch's own schedulers, step by step (tests/golden/make_schedules.py), to the last bit of f32 or its neighbour.
    #[test]
    fn rates_are_those_of_pytorch() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/schedules.json");
        let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        assert!(cases.len() >= 8);
        for case in cases {
            let number = |key: &str| case[key].as_f64().unwrap();
            let (steps, epochs) = (number("steps_per_epoch") as usize, number("epochs") as usize);
            let moving = Moving {
                rate: number("rate"),
                schedule: case["schedule"].as_str().unwrap().parse().unwrap(),
                warmup: number("warmup"),
            };
            let rates = case["rates"].as_array().unwrap();
            assert_eq!(rates.len(), steps * epochs);
            for (step, expected) in rates.iter().enumerate() {
                let expected = expected.as_f64().unwrap() as f32;
                let found = moving.epoch(step / steps, steps, epochs)[step % steps];
                let off = (i64::from(found.to_bits()) - i64::from(expected.to_bits())).abs();
                // Near 0 a cosine's last bits are those of 1.
                let tiny = (f64::from(found) - f64::from(expected)).abs() <= 1e-16 * moving.rate;
                assert!(off <= 1 || tiny, "{moving:?}, step {step}: {found} is not {expected}");
            }
        }
    }

    #[test]
    fn zero_is_reached_after_the_last_step() {
        for schedule in [Schedule::Cosine, Schedule::Linear] {
            let moving = Moving { rate: 1.0, schedule, warmup: 1.5 };
            assert!(moving.at(49, 5, 10) > 0.0 && moving.at(50, 5, 10).abs() < 1e-16);
            // The warm-up ends at the full rate, where the schedule begins.
            assert_eq!((moving.at(7, 5, 10), moving.at(8, 5, 10)), (1.0, 1.0));
        }
        let still = Moving { rate: 0.1, schedule: Schedule::Constant, warmup: 0.0 };
        assert!(still.stands_still() && !Moving { warmup: 0.1, ..still }.stands_still());
    }

    #[test]
    fn text_is_read_and_written() {
        for text in ["constant", "cosine", "linear", "step=10:0.5"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in ["step", "step=10", "step=a:1", "sine"] {
            assert!(text.parse::<Schedule>().unwrap_err().contains("step=10:0.5"), "{text}");
        }
    }

    #[test]
    fn senseless_schedules_are_named() {
        let error = |change: fn(&mut TrainConfig)| {
            let mut config = TrainConfig::default();
            change(&mut config);
            config.check_schedules().unwrap_err().to_string()
        };
        assert!(
            error(|c| c.label_warmup = 41.0)
                .contains("label_warmup is 41: warm-up is counted in epochs, from 0 to")
        );
        assert!(error(|c| c.alignment_warmup = f64::NAN).contains("alignment_warmup is NaN"));
        let none = |c: &mut TrainConfig| c.label_schedule = Schedule::Step { every: 0, factor: 0.5 };
        assert!(error(none).contains("label_schedule"));
    }
}

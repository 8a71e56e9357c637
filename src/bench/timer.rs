//! Times of one command: warmed up to a plateau, repeated, with what a launch costs taken off.

use serde::Serialize;

use super::BenchError;
use crate::exec::{Device, Loaded, Session, Time};
use crate::ops::clock;
use crate::plan::{Plan, Role};
use crate::shader::DType;
use crate::time::Instant;

/// What times were read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The device's own timestamps at both ends of a pass.
    Timestamps,
    /// The host's clock, from submission to completion.
    Wall,
}

impl std::fmt::Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Clock::Timestamps => "device timestamps",
            Clock::Wall => "wall clock",
        })
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Samples of one command at most.
    pub samples: usize,
    /// Seconds of one sample that are worth a reading: short commands are repeated that long within one submission.
    pub sample: f64,
    /// Seconds after which no further sample of one command is begun, once there are three.
    pub budget: f64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { samples: 15, sample: 0.01, budget: 0.6 }
    }
}

/// Times in seconds of so many runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one.
    pub median: f64,
    /// The shortest.
    pub min: f64,
    /// First and third quartile.
    pub quartiles: [f64; 2],
    /// How many.
    pub samples: usize,
}

impl Spread {
    /// Of these samples; quantiles are interpolated between neighbours.
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let quantile = |q: f64| {
            let at = q * samples.len().saturating_sub(1) as f64;
            let (low, high) = (at.floor() as usize, at.ceil() as usize);
            match (samples.get(low), samples.get(high)) {
                (Some(a), Some(b)) => a + (b - a) * at.fract(),
                _ => f64::NAN,
            }
        };
        Self {
            median: quantile(0.5),
            min: quantile(0.0),
            quartiles: [quantile(0.25), quantile(0.75)],
            samples: samples.len(),
        }
    }

    /// Half the distance of the quartiles over the median.
    pub fn relative(&self) -> f64 {
        0.5 * (self.quartiles[1] - self.quartiles[0]) / self.median
    }

    /// The same with every time through `f`.
    fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        let quartiles = self.quartiles.map(&f);
        Self { median: f(self.median), min: f(self.min), quartiles, samples: self.samples }
    }
}

/// The clock of a device and what launching costs on it. A submission of n no-ops (`clock_advance`, one invocation)
/// takes submission + n · launch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Timer {
    /// What is read.
    pub clock: Clock,
    /// Seconds of an empty dispatch among others: the floor under every command.
    pub launch: f64,
    /// Seconds of a submission beyond its dispatches.
    pub submission: f64,
    /// The same two by the wall clock, in seconds.
    pub wall: [f64; 2],
    /// How long to measure.
    #[serde(skip)]
    pub effort: Effort,
}

impl Timer {
    /// Measures a device's launch costs.
    pub fn new(device: &Device, effort: Effort) -> Result<Self, BenchError> {
        let mut plan = Plan::new("no-op");
        let counter = plan.add("counter", &[1], DType::U32, Role::Control)?;
        clock::advance(&mut plan, counter)?;
        let mut session = device.session();
        let loaded = session.load(&plan)?;
        let first = session.time(loaded, 0, 1)?;
        let clock = if first.device.is_some() { Clock::Timestamps } else { Clock::Wall };
        const MANY: usize = 256;
        let [mut one, mut many] = [Vec::new(), Vec::new()];
        for _ in 0..effort.samples.max(5) {
            one.push(session.time(loaded, 0, 1)?);
            many.push(session.time(loaded, 0, MANY)?);
        }
        let costs = |read: fn(Time) -> f64| {
            let median = |times: &[Time]| Spread::of(times.iter().copied().map(read).collect()).median;
            let (one, many) = (median(&one), median(&many));
            // Neither is below nothing, however noisy the samples.
            let launch = f64::max((many - one) / (MANY - 1) as f64, 0.0);
            [launch, f64::max(one - launch, 0.0)]
        };
        let wall = costs(|time| time.wall);
        let [launch, submission] = costs(best);
        Ok(Self { clock, launch, submission, wall, effort })
    }

    /// Seconds of one run of a command, launch included: warmed up until two samples agree within a twentieth.
    pub fn gross(
        &self,
        session: &mut dyn Session,
        plan: Loaded,
        command: usize,
    ) -> Result<Spread, BenchError> {
        let per_run = |time: Time, times: usize| f64::max(best(time) - self.submission, 0.0) / times as f64;
        let mut last = per_run(session.time(plan, command, 1)?, 1);
        // Long commands are warm after one run.
        let turns = ((self.effort.budget / last.max(1e-7)) as usize).min(6);
        for _ in 0..turns {
            let next = per_run(session.time(plan, command, 1)?, 1);
            let settled = (next - last).abs() <= 0.05 * last;
            last = next;
            if settled {
                break;
            }
        }
        let times = ((self.effort.sample / last.max(1e-7)) as usize).clamp(1, 2000);
        let start = Instant::now();
        let mut samples = Vec::new();
        while samples.len() < self.effort.samples
            && (samples.len() < 3 || start.elapsed().as_secs_f64() < self.effort.budget)
        {
            samples.push(per_run(session.time(plan, command, times)?, times));
        }
        Ok(Spread::of(samples))
    }

    /// The same without the launch.
    pub fn net(&self, gross: &Spread) -> Spread {
        gross.map(|seconds| f64::max(seconds - self.launch, 0.0))
    }
}

fn best(time: Time) -> f64 {
    time.device.unwrap_or(time.wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!((spread.median, spread.min, spread.samples), (2.5, 1.0, 4));
        assert_eq!(spread.quartiles, [1.75, 3.25]);
        assert!((spread.relative() - 0.3).abs() < 1e-12);
        assert!(Spread::of(Vec::new()).median.is_nan());
    }

    #[test]
    fn a_launch_is_taken_off_and_nothing_falls_below_zero() {
        let timer = Timer {
            clock: Clock::Wall,
            launch: 2.0,
            submission: 0.0,
            wall: [2.0, 0.0],
            effort: Effort::default(),
        };
        let net = timer.net(&Spread::of(vec![1.0, 3.0, 5.0]));
        assert_eq!((net.min, net.median), (0.0, 1.0));
    }
}

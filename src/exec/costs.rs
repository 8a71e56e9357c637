//! What each command of a plan takes on this device, learned from whole submissions.

use std::ops::Range;
use std::time::Duration;

/// Seconds per unit of [`super::pace::cost`] before anything is known.
const FIRST_GUESS: f64 = 1.25e-9;
/// A known command is taken to have become dearer by this factor at most in one observation: one stalled submission on a busy
/// machine says little.
const STEEPEST: f64 = 2.0;
/// The share of the way down that one faster observation goes.
const DOWN: f64 = 0.2;

/// Estimates for the commands of one plan. A submission says only what all of its commands took together; because submissions
/// end at ever other commands, the shares sort themselves out (Kaczmarz's method, with factors in place of steps).
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    seconds: Vec<f64>,
    known: Vec<bool>,
}

impl Costs {
    /// From what the commands should cost in units.
    pub(crate) fn new(units: impl Iterator<Item = f64>) -> Self {
        let seconds: Vec<f64> = units.map(|units| units * FIRST_GUESS).collect();
        Self { known: vec![false; seconds.len()], seconds }
    }

    /// Commands.
    pub(crate) fn len(&self) -> usize {
        self.seconds.len()
    }

    /// What these commands should take.
    pub(crate) fn estimate(&self, range: Range<usize>) -> f64 {
        self.seconds[range].iter().sum()
    }

    /// How far commands from `from` on can go within so many seconds: the end of the range, `from` itself where the first does not fit.
    pub(crate) fn fitting(&self, from: usize, seconds: f64) -> usize {
        let mut left = seconds;
        let mut end = from;
        while end < self.len() && self.seconds[end] <= left {
            left -= self.seconds[end];
            end += 1;
        }
        end
    }

    /// Takes in that these commands together took at least and at most so long. An estimate within these bounds is left alone.
    pub(crate) fn learn(&mut self, ranges: &[Range<usize>], least: Duration, most: Duration) {
        let whole: f64 = ranges.iter().map(|range| self.estimate(range.clone())).sum();
        let seen = whole.clamp(least.as_secs_f64(), most.as_secs_f64().max(least.as_secs_f64()));
        if whole <= 0.0 || seen <= 0.0 {
            return;
        }
        let ratio = seen / whole;
        // A bound alone teaches nothing of what is not known: the first real news has to come first.
        let tight = least.as_secs_f64() > 0.5 * most.as_secs_f64();
        for i in ranges.iter().cloned().flatten() {
            self.seconds[i] *= match (self.known[i], ratio > 1.0) {
                (false, _) => ratio,
                (true, true) => ratio.min(STEEPEST),
                (true, false) => 1.0 - DOWN * (1.0 - ratio),
            };
            self.known[i] |= tight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Submissions of `step` commands at a time, wrapping around, each seen exactly.
    fn taught(truth: &[f64], step: usize, rounds: usize) -> Costs {
        let mut costs = Costs::new(truth.iter().map(|_| 1e6));
        let mut from = 0;
        for _ in 0..rounds {
            let end = (from + step).min(truth.len());
            let time = Duration::from_secs_f64(truth[from..end].iter().sum());
            costs.learn(std::slice::from_ref(&(from..end)), time, time);
            from = if end == truth.len() { 0 } else { end };
        }
        costs
    }

    #[test]
    fn what_is_seen_alone_is_known_at_once() {
        let truth = [1e-3, 5e-3, 1e-5];
        let costs = taught(&truth, 1, 3);
        for (i, truth) in truth.iter().enumerate() {
            assert!((costs.estimate(i..i + 1) - truth).abs() < 1e-8);
        }
        assert_eq!(costs.fitting(0, 5.5e-3), 1);
        assert_eq!(costs.fitting(0, 7e-3), 3);
        assert_eq!(costs.fitting(1, 1e-3), 1, "what does not fit is left");
    }

    #[test]
    fn submissions_that_overlap_tell_commands_apart() {
        let truth = [1e-3, 4e-3, 1e-3, 1e-3, 8e-3, 1e-3, 2e-3];
        let mut costs = Costs::new(truth.iter().map(|_| 1e6));
        for round in 0..400 {
            let from = round * 3 % truth.len();
            let end = (from + 1 + round % 3).min(truth.len());
            let time = Duration::from_secs_f64(truth[from..end].iter().sum());
            costs.learn(std::slice::from_ref(&(from..end)), time, time);
        }
        for (i, truth) in truth.iter().enumerate() {
            let found = costs.estimate(i..i + 1);
            assert!((found / truth - 1.0).abs() < 0.25, "command {i}: {found} is not {truth}");
        }
    }

    #[test]
    fn bounds_move_an_estimate_only_as_far_as_themselves() {
        let mut costs = taught(&[1e-3; 4], 1, 4);
        let four = 0..4;
        let all = std::slice::from_ref(&four);
        // Seen only at the next frame: anything from 0 to 16 ms is consistent.
        costs.learn(all, Duration::ZERO, 16 * MS);
        assert!((costs.estimate(0..4) - 4e-3).abs() < 1e-8);
        // Unfinished after 6 ms: at once as slow as that. One stalled submission: no more than twice.
        costs.learn(all, 6 * MS, 16 * MS);
        assert!((costs.estimate(0..4) - 6e-3).abs() < 1e-8);
        costs.learn(all, 600 * MS, 600 * MS);
        assert!((costs.estimate(0..4) - 12e-3).abs() < 1e-8);
        // Faster: by and by.
        costs.learn(all, 2 * MS, 2 * MS);
        assert!((costs.estimate(0..4) - 10e-3).abs() < 1e-8);
    }
}

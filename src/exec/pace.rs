//! How much work goes into one submission: bounded in time, so that no driver's watchdog is woken.

use std::time::Duration;

use crate::plan::{Command, Plan};

/// Longest submission aimed at. Watchdogs bite at about two seconds; a display stutters far below that.
const TARGET: Duration = Duration::from_millis(25);
/// First submissions, while nothing is known of the device.
const START_UNITS: f64 = 2.0e7;

/// The cost of a command in arbitrary units: about one per FLOP.
pub(super) fn cost(plan: &Plan, command: &Command) -> f64 {
    // A byte costs about as much as two FLOPs on the devices measured; a launch as much as 50,000.
    command.flops as f64 + 2.0 * command.bytes(plan) as f64 + 50_000.0
}

/// Learns what a unit of cost takes on this device.
#[derive(Debug)]
pub(super) struct Pace {
    seconds_per_unit: Option<f64>,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { seconds_per_unit: None }
    }

    /// Units that the next submission may hold.
    pub(super) fn budget(&self) -> f64 {
        match self.seconds_per_unit {
            None => START_UNITS,
            Some(rate) => TARGET.as_secs_f64() / rate,
        }
    }

    /// Takes in that `units` of work took at most `time`.
    pub(super) fn learn(&mut self, units: f64, time: Duration) {
        let rate = time.as_secs_f64().max(1e-6) / units.max(1.0);
        // Slower news count at once, faster ones slowly: the bound is an upper one.
        self.seconds_per_unit = Some(match self.seconds_per_unit {
            Some(old) if rate < old => old * 0.8 + rate * 0.2,
            _ => rate,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_follows_the_device() {
        let mut pace = Pace::new();
        assert_eq!(pace.budget(), START_UNITS);
        pace.learn(1e6, Duration::from_millis(10));
        assert!((pace.budget() - 2.5e6).abs() < 1.0);
        // Slower: less at once. Faster: more, but by and by.
        pace.learn(1e6, Duration::from_millis(50));
        assert!((pace.budget() - 0.5e6).abs() < 1.0);
        pace.learn(1e6, Duration::from_millis(5));
        assert!(pace.budget() > 0.5e6 && pace.budget() < 1e6);
    }
}

//! Learning rates over the epochs.

use super::Schedule;

impl Schedule {
    /// Whether the rate in an epoch depends on how many there are: such a run cannot be made longer afterwards.
    pub fn depends_on_epochs(self) -> bool {
        matches!(self, Schedule::Cosine | Schedule::Linear)
    }

    /// The rate in an epoch, counted from 0, of `epochs` in all, where `rate` is that of the first one. A plain
    /// function of its arguments: a resumed run meets the same rates.
    pub fn rate(self, rate: f64, epoch: usize, epochs: usize) -> f64 {
        let done = epoch as f64 / epochs.max(1) as f64;
        match self {
            Schedule::Constant => rate,
            Schedule::Cosine => rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
            Schedule::Linear => rate * (1.0 - done),
            Schedule::Step { every, factor } => rate * factor.powf((epoch / every.max(1)) as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(schedule: Schedule) -> Vec<f64> {
        (0..4).map(|epoch| schedule.rate(0.5, epoch, 4)).collect()
    }

    #[test]
    fn every_schedule_starts_at_the_rate_and_falls_as_it_says() {
        let half = 0.5f64.sqrt();
        let near = |found: Vec<f64>, expected: [f64; 4]| {
            let off = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(off < 1e-15, "{found:?} is not {expected:?}");
        };
        near(rates(Schedule::Constant), [0.5; 4]);
        near(rates(Schedule::Linear), [0.5, 0.375, 0.25, 0.125]);
        near(rates(Schedule::Cosine), [0.5, 0.25 * (1.0 + half), 0.25, 0.25 * (1.0 - half)]);
        near(rates(Schedule::Step { every: 2, factor: 0.1 }), [0.5, 0.5, 0.05, 0.05]);
    }

    #[test]
    fn zero_is_reached_after_the_last_epoch() {
        for schedule in [Schedule::Cosine, Schedule::Linear] {
            assert!(schedule.rate(1.0, 9, 10) > 0.0);
            assert!(schedule.rate(1.0, 10, 10).abs() < 1e-16);
        }
    }
}

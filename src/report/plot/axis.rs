//! Round numbers on an axis.

/// An axis from data to points.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Data at the two ends, in logarithms where the axis counts so.
    range: (f64, f64),
    /// Points at the two ends.
    place: (f64, f64),
    log: bool,
}

impl Axis {
    /// An axis that holds these values and a little more; of a single value, some room around it.
    pub fn around(values: impl IntoIterator<Item = f64>, log: bool, place: (f64, f64)) -> Self {
        let seen = values.into_iter().map(|value| if log { value.log10() } else { value });
        let (low, high) = seen
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let room = match high - low {
            0.0 => 0.05_f64.max(0.05 * high.abs()),
            span => 0.04 * span,
        };
        Self { range: (low - room, high + room), place, log }
    }

    /// The place of a value, kept to the ends of the axis.
    pub fn at(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        let share = (value - self.range.0) / (self.range.1 - self.range.0);
        self.place.0 + share.clamp(0.0, 1.0) * (self.place.1 - self.place.0)
    }

    /// Round values on the axis and how they are written, about `wanted` of them.
    pub fn ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let (low, high) = self.range;
        if self.log {
            let powers = low.ceil() as i32..=high.floor() as i32;
            return powers.map(|power| (10f64.powi(power), plain(10f64.powi(power)))).collect();
        }
        let rough = (high - low) / wanted.max(1) as f64;
        let unit = 10f64.powf(rough.log10().floor());
        // A few ticks more than wanted are better than half of them.
        let steps = [1.0, 2.0, 2.5, 5.0, 10.0].map(|m| m * unit);
        let step = steps.into_iter().find(|step| *step >= 0.75 * rough);
        let step = step.unwrap_or(10.0 * unit);
        let digits = (0..9).find(|&d| (step * 10f64.powi(d)).fract().abs() < 1e-6).unwrap_or(9) as usize;
        let first = (low / step).ceil() as i64;
        let last = (high / step).floor() as i64;
        (first..=last).map(|i| i as f64 * step).map(|value| (value, format!("{value:.digits$}"))).collect()
    }
}

fn plain(value: f64) -> String {
    if (1e-4..1e6).contains(&value) { format!("{value}") } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let axis = Axis::around([0.52, 0.81], false, (0.0, 100.0));
        let labels: Vec<String> = axis.ticks(6).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0.55", "0.60", "0.65", "0.70", "0.75", "0.80"]);
        let axis = Axis::around([0.01, 1000.0], true, (0.0, 100.0));
        let labels: Vec<String> = axis.ticks(6).into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels, ["0.01", "0.1", "1", "10", "100", "1000"]);
    }

    #[test]
    fn places_grow_with_values_and_stay_on_the_axis() {
        let axis = Axis::around([1.0, 3.0], false, (10.0, 110.0));
        assert_eq!(axis.at(2.0), 60.0);
        assert!(axis.at(1.0) > 10.0 && axis.at(3.0) < 110.0);
        assert_eq!((axis.at(-9.0), axis.at(99.0)), (10.0, 110.0));
        for values in [vec![], vec![0.5], vec![f64::NAN]] {
            let axis = Axis::around(values, false, (0.0, 1.0));
            assert!(axis.at(0.5).is_finite() && !axis.ticks(5).is_empty());
        }
    }
}

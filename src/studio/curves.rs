//! What is plotted: points over training steps, thinned out where there are too many to see.

/// The most points of a curve.
const MOST: usize = 2048;

/// Points (step, value) in order of steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    points: Vec<[f64; 2]>,
    /// Points that come between two that are kept.
    skip: usize,
    skipped: usize,
}

impl Curve {
    /// Adds a point; what is no number is left out.
    pub fn push(&mut self, step: f64, value: f64) {
        if !value.is_finite() {
            return;
        }
        if self.skipped < self.skip {
            self.skipped += 1;
            return;
        }
        self.skipped = 0;
        self.points.push([step, value]);
        if self.points.len() >= MOST {
            let mut keep = false;
            self.points.retain(|_| {
                keep = !keep;
                keep
            });
            // The newest point went: the next to stay is as far from it as it was from the one before.
            self.skipped = self.skip + 1;
            self.skip = 2 * self.skip + 1;
        }
    }

    /// The points.
    pub fn points(&self) -> &[[f64; 2]] {
        &self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_stays_short_and_even() {
        let mut curve = Curve::default();
        for step in 0..100_000 {
            curve.push(f64::from(step), f64::from(step) * 0.5);
        }
        let points = curve.points();
        assert!((MOST / 2 - 1..MOST).contains(&points.len()), "{}", points.len());
        let gap = points[1][0] - points[0][0];
        assert!(points.windows(2).all(|pair| pair[1][0] - pair[0][0] == gap), "{gap}");
        assert_eq!(points[0], [0.0, 0.0]);
        curve.push(1.0, f64::NAN);
        assert!(curve.points().iter().all(|point| point[1].is_finite()));
    }
}

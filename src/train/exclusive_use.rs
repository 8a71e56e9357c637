//! The exclusive-use report: how far the logits of a picture move when only its irrelevant pixels change.
//!
//! What is guaranteed, and what is not. For these weights and this picture, whatever values in [0, 1] the irrelevant
//! pixels take, all at once or some of them, the logits stay within the bounds; this holds for what f32 arithmetic
//! computes on any device, rounding included. Nothing is said of other pictures, of a mask that moves, or of relevant
//! pixels that change. The bounds come from interval arithmetic, which forgets that values move together and grows loose
//! with depth: a wide bound does not show that the logits do move, only the observed range does.

use serde::Serialize;

/// How much is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExclusiveUseOptions {
    /// Times that every irrelevant value is drawn anew, uniform in [0, 1].
    pub samples: usize,
    /// Times that every picture gets the background of another one.
    pub swaps: usize,
    /// Seed of both.
    pub seed: u64,
    /// Whether bounds are computed. Without, intervals are all numbers and nothing is certified: for networks that have
    /// layers without bounds.
    pub bounds: bool,
}

impl Default for ExclusiveUseOptions {
    fn default() -> Self {
        Self { samples: 32, swaps: 8, seed: 0, bounds: true }
    }
}

/// One picture; lists have one entry per class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PictureUse {
    /// Its number in the data set.
    pub picture: usize,
    /// Its class.
    pub label: u32,
    /// The predicted class; K, which is no class, where a logit is NaN.
    pub prediction: u32,
    /// Share of its pixels that are irrelevant.
    pub irrelevant: f64,
    /// The logits of the picture as it is.
    pub logits: Vec<f32>,
    /// Guaranteed: no logit falls below these.
    pub lower: Vec<f32>,
    /// Guaranteed: no logit rises above these.
    pub upper: Vec<f32>,
    /// The least of each logit that was observed: for the picture as it is, for every sample, every swap, all black, and
    /// all white.
    pub observed_lower: Vec<f32>,
    /// The largest of each that was observed.
    pub observed_upper: Vec<f32>,
    /// Guaranteed: the predicted class's logit stays above every other one by at least this much; negative where this
    /// much cannot be excluded. Found with both logits together, so no looser than by their bounds.
    pub margin: f32,
    /// Whether the margin is above 0: no values of the irrelevant pixels change the prediction.
    pub certified: bool,
    /// Swaps that changed the prediction.
    pub flips: usize,
    /// Swaps with a picture of another class.
    pub swaps_from_other_class: usize,
    /// Those of them that changed the prediction.
    pub flips_from_other_class: usize,
}

/// The first largest logit's class; their number where one is NaN.
fn predicted(logits: &[f32]) -> u32 {
    if logits.iter().any(|logit| logit.is_nan()) {
        return logits.len() as u32;
    }
    let mut best = 0;
    for (k, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = k;
        }
    }
    best as u32
}

impl PictureUse {
    pub(super) fn new(
        picture: usize,
        label: u32,
        irrelevant: f64,
        logits: &[f32],
        [lower, upper]: [&[f32]; 2],
        margins: &[f32],
    ) -> Self {
        let prediction = predicted(logits);
        let others = margins.iter().enumerate().filter(|(k, _)| *k != prediction as usize);
        let mut margin = f32::INFINITY;
        for (_, &other) in others {
            // A NaN is no margin at all, and stays.
            if other.is_nan() || other < margin {
                margin = other;
            }
        }
        Self {
            picture,
            label,
            prediction,
            irrelevant,
            logits: logits.to_vec(),
            lower: lower.to_vec(),
            upper: upper.to_vec(),
            observed_lower: logits.to_vec(),
            observed_upper: logits.to_vec(),
            margin,
            certified: margin > 0.0 && (prediction as usize) < logits.len(),
            flips: 0,
            swaps_from_other_class: 0,
            flips_from_other_class: 0,
        }
    }

    /// Takes in logits that were observed.
    pub(super) fn see(&mut self, logits: &[f32]) {
        let ranges = self.observed_lower.iter_mut().zip(&mut self.observed_upper);
        for ((lower, upper), &logit) in ranges.zip(logits) {
            if logit.is_nan() || logit < *lower {
                *lower = logit;
            }
            if logit.is_nan() || logit > *upper {
                *upper = logit;
            }
        }
    }

    /// Counts a swap by its logits.
    pub(super) fn swap(&mut self, logits: &[f32], other_class: bool) {
        let flipped = usize::from(predicted(logits) != self.prediction);
        self.flips += flipped;
        if other_class {
            self.swaps_from_other_class += 1;
            self.flips_from_other_class += flipped;
        }
    }

    /// Mean over the classes of the guaranteed interval's width.
    pub fn width(&self) -> f64 {
        mean_width(&self.lower, &self.upper)
    }

    /// Mean over the classes of the observed range's width.
    pub fn observed_width(&self) -> f64 {
        mean_width(&self.observed_lower, &self.observed_upper)
    }

    /// Whether an observed logit lies outside of its guaranteed interval: never, or the bounds are broken.
    pub fn is_outside(&self) -> bool {
        let below = self.observed_lower.iter().zip(&self.lower).any(|(seen, bound)| seen < bound);
        below || self.observed_upper.iter().zip(&self.upper).any(|(seen, bound)| seen > bound)
    }
}

fn mean_width(lower: &[f32], upper: &[f32]) -> f64 {
    let widths = lower.iter().zip(upper).map(|(&lower, &upper)| f64::from(upper) - f64::from(lower));
    widths.sum::<f64>() / lower.len().max(1) as f64
}

/// The report on one data set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExclusiveUse {
    /// Every picture that has an explanation.
    pub pictures: Vec<PictureUse>,
    /// Samples observed.
    pub samples: usize,
    /// Swaps observed.
    pub swaps: usize,
    /// Pictures without an explanation, which take no part.
    pub unexplained: usize,
}

/// The report in a few numbers. Means and shares are over the explained pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ExclusiveUseSummary {
    /// Explained pictures.
    pub pictures: usize,
    /// Share of them predicted right, as they are.
    pub accuracy: f64,
    /// Mean share of pixels that are irrelevant.
    pub irrelevant: f64,
    /// Mean of [`PictureUse::width`]: how far the logits can move, at most.
    pub mean_width: f64,
    /// Median of the same.
    pub median_width: f64,
    /// Mean of [`PictureUse::observed_width`]: how far they did move.
    pub mean_observed: f64,
    /// mean_width / mean_observed, 1 for a tight bound: how loose the bounds may be. `None` where nothing moved.
    pub width_over_observed: Option<f64>,
    /// Share of the pictures whose prediction no values of the irrelevant pixels change, for certain.
    pub certified: f64,
    /// Background-swap flip rate: the share of swaps that change the prediction, when only the irrelevant region is
    /// replaced by that of another picture. `None` without swaps.
    pub flip_rate: Option<f64>,
    /// The same over swaps with pictures of another class, where a background that tells the class misleads.
    pub flip_rate_other_class: Option<f64>,
    /// Pictures with a logit observed outside of its bounds; 0, or the bounds are broken.
    pub outside: usize,
}

impl ExclusiveUse {
    /// The report in a few numbers.
    pub fn summary(&self) -> ExclusiveUseSummary {
        let count = self.pictures.len();
        let mean = |value: &dyn Fn(&PictureUse) -> f64| {
            self.pictures.iter().map(value).sum::<f64>() / count.max(1) as f64
        };
        let total = |value: &dyn Fn(&PictureUse) -> usize| self.pictures.iter().map(value).sum::<usize>();
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        let mut widths: Vec<f64> = self.pictures.iter().map(PictureUse::width).collect();
        widths.sort_by(f64::total_cmp);
        let median = match (widths.get(count / 2), widths.get(count.wrapping_sub(1) / 2)) {
            (Some(above), Some(below)) => (above + below) / 2.0,
            _ => f64::NAN,
        };
        let (mean_width, mean_observed) = (mean(&PictureUse::width), mean(&PictureUse::observed_width));
        ExclusiveUseSummary {
            pictures: count,
            accuracy: mean(&|p| f64::from(u8::from(p.prediction == p.label))),
            irrelevant: mean(&|p| p.irrelevant),
            mean_width,
            median_width: median,
            mean_observed,
            width_over_observed: (mean_observed > 0.0).then_some(mean_width / mean_observed),
            certified: mean(&|p| f64::from(u8::from(p.certified))),
            flip_rate: share(total(&|p| p.flips), self.swaps * count),
            flip_rate_other_class: share(
                total(&|p| p.flips_from_other_class),
                total(&|p| p.swaps_from_other_class),
            ),
            outside: total(&|p| usize::from(p.is_outside())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(label: u32, logits: [f32; 2], lower: [f32; 2], upper: [f32; 2], margin: f32) -> PictureUse {
        let mut margins = [margin; 2];
        margins[(logits[1] > logits[0]) as usize] = 0.0;
        PictureUse::new(0, label, 0.5, &logits, [&lower, &upper], &margins)
    }

    #[test]
    fn a_picture_is_certified_by_its_least_margin() {
        let with = |margins: &[f32]| {
            let logits = [0.0, 2.0, 1.0];
            PictureUse::new(0, 1, 0.5, &logits, [&logits, &logits], margins)
        };
        let sure = with(&[0.5, 0.0, 0.25]);
        assert_eq!((sure.prediction, sure.margin, sure.certified), (1, 0.25, true));
        assert!(!with(&[0.5, 0.0, 0.0]).certified, "a tie may go either way");
        assert!(!with(&[0.5, 0.0, -1.0]).certified);
        let unknown = with(&[f32::NAN, 0.0, 1.0]);
        assert!(unknown.margin.is_nan() && !unknown.certified);
        let unknown = with(&[1.0, 0.0, f32::NAN]);
        assert!(unknown.margin.is_nan() && !unknown.certified);
        let nothing = PictureUse::new(0, 0, 0.0, &[f32::NAN, 1.0], [&[0.0; 2]; 2], &[1.0, 1.0]);
        assert_eq!((nothing.prediction, nothing.certified), (2, false));
    }

    #[test]
    fn ranges_take_in_what_is_seen_and_a_nan_stays() {
        let mut picture = picture(0, [1.0, 0.0], [-1.0, -2.0], [2.0, 3.0], 0.5);
        picture.see(&[0.5, 1.0]);
        picture.see(&[1.5, -1.0]);
        assert_eq!(
            (picture.observed_lower.clone(), picture.observed_upper.clone()),
            (vec![0.5, -1.0], vec![1.5, 1.0])
        );
        assert_eq!((picture.width(), picture.observed_width(), picture.is_outside()), (4.0, 1.5, false));
        let mut broken = picture.clone();
        broken.see(&[2.5, 0.0]);
        assert!(broken.is_outside());
        picture.see(&[f32::NAN, 0.0]);
        picture.see(&[0.0, 0.0]);
        assert!(picture.observed_width().is_nan());
    }

    #[test]
    fn a_summary_is_the_one_computed_by_hand() {
        let mut pictures = vec![
            picture(0, [1.0, 0.0], [0.0, -1.0], [2.0, 1.0], 0.5), // width 2, right, certified
            picture(0, [0.0, 1.0], [-2.0, -1.0], [2.0, 3.0], -1.0), // width 4, wrong
            picture(1, [0.0, 1.0], [-5.0, -4.0], [5.0, 6.0], -9.0), // width 10, right
            picture(1, [0.0, 1.0], [-4.0, -3.0], [4.0, 5.0], -7.0), // width 8, right
        ];
        pictures[0].see(&[1.0, 2.0]); // above its bound of 1
        pictures[1].see(&[2.0, 1.0]);
        pictures[0].swap(&[0.0, 1.0], true);
        pictures[0].swap(&[1.0, 0.0], true);
        pictures[1].swap(&[1.0, 0.0], false);
        pictures[1].swap(&[0.0, 1.0], true);
        pictures[2].swap(&[0.0, f32::NAN], false);
        let report = ExclusiveUse { pictures, samples: 1, swaps: 2, unexplained: 3 };
        let summary = report.summary();
        let expected = ExclusiveUseSummary {
            pictures: 4,
            accuracy: 0.75,
            irrelevant: 0.5,
            mean_width: 6.0,
            median_width: 6.0,
            mean_observed: 0.5,
            width_over_observed: Some(12.0),
            certified: 0.25,
            flip_rate: Some(3.0 / 8.0),
            flip_rate_other_class: Some(1.0 / 3.0),
            outside: 1,
        };
        assert_eq!(summary, expected);
        let still = ExclusiveUse { pictures: vec![report.pictures[3].clone()], swaps: 0, ..report };
        assert_eq!((still.summary().width_over_observed, still.summary().flip_rate), (None, None));
    }
}

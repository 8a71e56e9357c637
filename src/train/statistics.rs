//! Statistics over seeds, models and groups, each with its definition.
//!
//! A value that is no number makes the result no number: who counts diverged runs separately leaves them out first.

use serde::{Deserialize, Serialize};

/// Why a statistic does not exist for these numbers.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// Fewer numbers than the definition needs.
    #[error("{what} needs at least {needed}, and there are {found}: add seeds, models or pictures")]
    TooFew {
        /// The statistic.
        what: &'static str,
        /// The smallest count that has one.
        needed: usize,
        /// The count there is.
        found: usize,
    },
    /// Lists that belong together and differ in length.
    #[error(
        "{what} compares entry by entry, and the lists have {left} and {right} entries: pass the same pictures or seeds in the same order"
    )]
    Lengths {
        /// The statistic.
        what: &'static str,
        /// Entries of the first list.
        left: usize,
        /// Entries of the other one.
        right: usize,
    },
    /// A setting outside of its range.
    #[error("{what} is {value}: it lies {range}")]
    Range {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Where it should lie.
        range: &'static str,
    },
}

fn at_least(what: &'static str, needed: usize, found: usize) -> Result<(), StatisticsError> {
    if found < needed { Err(StatisticsError::TooFew { what, needed, found }) } else { Ok(()) }
}

fn same_length(what: &'static str, left: usize, right: usize) -> Result<(), StatisticsError> {
    if left == right { Ok(()) } else { Err(StatisticsError::Lengths { what, left, right }) }
}

/// Count, mean and spread of some numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// n.
    pub count: usize,
    /// x̄ = Σ x / n.
    pub mean: f64,
    /// s = √(Σ (x − x̄)² / (n − 1)), the sample standard deviation; `None` for a single number.
    pub sd: Option<f64>,
}

impl Summary {
    /// Of these numbers, of which there must be at least one.
    pub fn of(values: &[f64]) -> Result<Self, StatisticsError> {
        at_least("a mean", 1, values.len())?;
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|x| (x - mean) * (x - mean)).sum();
        Ok(Self { count, mean, sd: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()) })
    }

    /// s / √n, the standard error of the mean; `None` for a single number.
    pub fn standard_error(&self) -> Option<f64> {
        self.sd.map(|sd| sd / (self.count as f64).sqrt())
    }

    /// s² / n, where there are two numbers or more.
    #[cfg(feature = "runs")]
    fn squared_error(&self, what: &'static str) -> Result<f64, StatisticsError> {
        at_least(what, 2, self.count)?;
        self.sd.map(|sd| sd * sd / self.count as f64).ok_or(StatisticsError::TooFew {
            what,
            needed: 2,
            found: 1,
        })
    }
}

/// The differences `a[i] − b[i]` of two methods on the same seeds, summarised: mean difference, and by
/// [`Summary::standard_error`] the standard error of that mean.
pub fn paired_difference(a: &[f64], b: &[f64]) -> Result<Summary, StatisticsError> {
    same_length("a paired difference", a.len(), b.len())?;
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    Summary::of(&differences)
}

/// A confidence interval for a difference of means.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate, in the middle.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Degrees of freedom of the t distribution; `None` where no number varies and the interval is a point.
    pub degrees: Option<f64>,
}

impl Interval {
    /// Whether the interval holds the value.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Welch's interval for the difference of the means of two independent samples, a − b, whose spreads may differ
/// (Welch 1947): x̄_a − x̄_b ± t · √(e_a + e_b), where e = s² / n and t is the (1 + confidence) / 2 quantile of the t
/// distribution with (e_a + e_b)² / (e_a² / (n_a − 1) + e_b² / (n_b − 1)) degrees of freedom. `confidence` lies
/// between 0 and 1, such as 0.95. Each sample needs two numbers.
#[cfg(feature = "runs")]
pub fn welch(a: &Summary, b: &Summary, confidence: f64) -> Result<Interval, StatisticsError> {
    const WHAT: &str = "each sample of a Welch interval";
    let (of_a, of_b) = (a.squared_error(WHAT)?, b.squared_error(WHAT)?);
    let squared = of_a + of_b;
    let below = of_a * of_a / (a.count - 1) as f64 + of_b * of_b / (b.count - 1) as f64;
    interval(a.mean - b.mean, squared.sqrt(), squared * squared / below, confidence)
}

/// The t interval of a mean, or of a mean [`paired_difference`]: x̄ ± t · s / √n with n − 1 degrees of freedom.
#[cfg(feature = "runs")]
pub fn mean_interval(summary: &Summary, confidence: f64) -> Result<Interval, StatisticsError> {
    let squared = summary.squared_error("a t interval")?;
    interval(summary.mean, squared.sqrt(), (summary.count - 1) as f64, confidence)
}

#[cfg(feature = "runs")]
fn interval(estimate: f64, error: f64, degrees: f64, confidence: f64) -> Result<Interval, StatisticsError> {
    use statrs::distribution::{Continuous, ContinuousCDF, StudentsT};
    if !(confidence > 0.0 && confidence < 1.0) {
        let range = "strictly between 0 and 1";
        return Err(StatisticsError::Range { what: "the confidence", value: confidence, range });
    }
    if error == 0.0 {
        return Ok(Interval { estimate, low: estimate, high: estimate, degrees: None });
    }
    // Degrees that are no number come from a spread that is none, or from squares that underflow.
    let Ok(t) = StudentsT::new(0.0, 1.0, degrees) else {
        return Ok(Interval { estimate, low: f64::NAN, high: f64::NAN, degrees: None });
    };
    // The inverse loses digits where the degrees are many (3e-8 at 2,000); one step of Newton's brings them back.
    let wanted = 0.5 + confidence / 2.0;
    let quantile = t.inverse_cdf(wanted);
    let reach = (quantile - (t.cdf(quantile) - wanted) / t.pdf(quantile)) * error;
    Ok(Interval { estimate, low: estimate - reach, high: estimate + reach, degrees: Some(degrees) })
}

/// How far models agree: the mean over all pairs of models of the share of pictures to which both give the same class.
/// `predictions` holds one list per model, all over the same pictures; a prediction of `classes` or above is no class
/// (a NaN) and agrees with nothing. Constant models agree fully, so this belongs beside balanced accuracy.
pub fn pairwise_agreement(predictions: &[Vec<u32>], classes: usize) -> Result<f64, StatisticsError> {
    const WHAT: &str = "pairwise agreement";
    at_least(WHAT, 2, predictions.len())?;
    let pictures = predictions[0].len();
    at_least(WHAT, 1, pictures)?;
    for other in predictions {
        same_length(WHAT, pictures, other.len())?;
    }
    // Of m models that choose a class, m (m − 1) / 2 pairs agree: all pairs in one pass over the pictures.
    let mut agreeing = 0u64;
    let mut votes = vec![0u64; classes];
    for picture in 0..pictures {
        votes.fill(0);
        for model in predictions {
            if let Some(votes) = votes.get_mut(model[picture] as usize) {
                *votes += 1;
            }
        }
        agreeing += votes.iter().map(|&m| m * m.saturating_sub(1) / 2).sum::<u64>();
    }
    let pairs = predictions.len() * (predictions.len() - 1) / 2;
    Ok(agreeing as f64 / (pairs as f64 * pictures as f64))
}

/// The accuracy of one group of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupAccuracy {
    /// The group.
    pub group: u32,
    /// Its pictures.
    pub pictures: usize,
    /// Share of them predicted right.
    pub accuracy: f64,
}

/// The accuracy of each group that has a picture, in the order of their numbers. `groups[i]` is the group of picture i,
/// such as class × background.
pub fn group_accuracies(
    predictions: &[u32],
    labels: &[u32],
    groups: &[u32],
) -> Result<Vec<GroupAccuracy>, StatisticsError> {
    const WHAT: &str = "accuracy by group";
    same_length(WHAT, predictions.len(), labels.len())?;
    same_length(WHAT, predictions.len(), groups.len())?;
    let mut counts = std::collections::BTreeMap::<u32, (usize, usize)>::new();
    for ((predicted, label), &group) in predictions.iter().zip(labels).zip(groups) {
        let (pictures, right) = counts.entry(group).or_default();
        *pictures += 1;
        *right += usize::from(predicted == label);
    }
    let accuracy = |(group, (pictures, right))| GroupAccuracy {
        group,
        pictures,
        accuracy: right as f64 / pictures as f64,
    };
    Ok(counts.into_iter().map(accuracy).collect())
}

/// The group with the lowest accuracy, the first of equals; see [`group_accuracies`].
pub fn worst_group(
    predictions: &[u32],
    labels: &[u32],
    groups: &[u32],
) -> Result<GroupAccuracy, StatisticsError> {
    at_least("worst-group accuracy", 1, predictions.len())?;
    let all = group_accuracies(predictions, labels, groups)?;
    let worst =
        all.into_iter().reduce(|worst, next| if next.accuracy < worst.accuracy { next } else { worst });
    worst.ok_or(StatisticsError::TooFew { what: "worst-group accuracy", needed: 1, found: 0 })
}

/// The first epoch, counted from 1, after which the accuracy is at least `target`; `None` if none is.
/// `accuracies[e]` was measured after epoch e + 1.
pub fn epochs_to_accuracy(accuracies: &[f64], target: f64) -> Option<usize> {
    accuracies.iter().position(|&accuracy| accuracy >= target).map(|index| index + 1)
}

/// The predictions whose confidence falls into one range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Predictions in it.
    pub count: usize,
    /// Their mean confidence; 0 for none.
    pub confidence: f64,
    /// Share of them that is right; 0 for none.
    pub accuracy: f64,
}

/// Predictions by confidence (the probability of the predicted class) in `bins` ranges of equal width: bin b holds
/// the confidences above b / bins up to (b + 1) / bins, the first one also 0.
pub fn reliability(
    confidences: &[f64],
    right: &[bool],
    bins: usize,
) -> Result<Vec<ReliabilityBin>, StatisticsError> {
    same_length("reliability", confidences.len(), right.len())?;
    at_least("a reliability diagram in bins", 1, bins)?;
    let mut all = vec![ReliabilityBin { count: 0, confidence: 0.0, accuracy: 0.0 }; bins];
    for (&confidence, &right) in confidences.iter().zip(right) {
        if !(0.0..=1.0).contains(&confidence) {
            let what = "a confidence";
            return Err(StatisticsError::Range { what, value: confidence, range: "from 0 to 1" });
        }
        let index = (confidence * bins as f64).ceil() as usize;
        let bin = &mut all[index.clamp(1, bins) - 1];
        bin.count += 1;
        bin.confidence += confidence;
        bin.accuracy += f64::from(u8::from(right));
    }
    for bin in all.iter_mut().filter(|bin| bin.count > 0) {
        bin.confidence /= bin.count as f64;
        bin.accuracy /= bin.count as f64;
    }
    Ok(all)
}

/// Expected calibration error (Guo et al. 2017): Σ over bins of (share of the predictions in the bin) ·
/// |its accuracy − its mean confidence|.
pub fn expected_calibration_error(bins: &[ReliabilityBin]) -> Result<f64, StatisticsError> {
    let count: usize = bins.iter().map(|bin| bin.count).sum();
    at_least("an expected calibration error", 1, count)?;
    let gap = |bin: &ReliabilityBin| bin.count as f64 * (bin.accuracy - bin.confidence).abs();
    Ok(bins.iter().map(gap).sum::<f64>() / count as f64)
}

#[cfg(test)]
mod tests;

//! What follows from the probabilities that a model gives to labelled pictures.

use serde::Serialize;

use super::statistics::{ReliabilityBin, expected_calibration_error, group_accuracies, reliability};
use super::{Confusion, most_probable};
use crate::data::Dataset;

/// Ranges of confidence behind the calibration error.
pub const BINS: usize = 10;

/// Explained pictures that a model is asked for its input gradient of, at most: a gradient takes as long as three or four
/// predictions, and the mean over these stands firm.
pub const GRADIENT_PICTURES: usize = 1000;

/// Accuracies on one set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Pictures in the set.
    pub pictures: usize,
    /// Share predicted right.
    pub accuracy: f64,
    /// Mean over the classes of the share predicted right.
    pub balanced_accuracy: f64,
    /// The class with the lowest share.
    pub worst_class: Option<ClassScore>,
    /// Every class that has pictures.
    pub per_class: Vec<ClassScore>,
}

/// The share of a class's pictures that was predicted right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassScore {
    /// Its name.
    pub class: String,
    /// The share.
    pub accuracy: f64,
}

impl Scores {
    /// From the counts on a data set.
    pub fn new(data: &Dataset, confusion: &Confusion) -> Self {
        let shares = data.classes.iter().zip(confusion.per_class());
        let per_class: Vec<ClassScore> = shares
            .filter_map(|(class, accuracy)| Some(ClassScore { class: class.clone(), accuracy: accuracy? }))
            .collect();
        Self {
            pictures: data.len(),
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            worst_class: per_class.iter().min_by(|a, b| a.accuracy.total_cmp(&b.accuracy)).cloned(),
            per_class,
        }
    }
}

/// The pictures of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupScore {
    /// Its name.
    pub name: String,
    /// Its pictures.
    pub pictures: usize,
    /// Share of them predicted right.
    pub accuracy: f64,
}

/// All that probabilities and labels say together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Accuracies.
    #[serde(flatten)]
    pub scores: Scores,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Expected calibration error over [`BINS`] ranges; `None` where a probability is no number.
    pub calibration_error: Option<f64>,
    /// Where the data name groups: each, by rising accuracy.
    pub groups: Vec<GroupScore>,
    /// `[true class][predicted class]`.
    pub confusion: Vec<Vec<u32>>,
    /// Class names in the order of both.
    pub classes: Vec<String>,
    /// Behind the calibration error; empty where that is `None`.
    #[serde(skip)]
    pub reliability: Vec<ReliabilityBin>,
    /// Predicted class of each picture; `u32::MAX` where a probability is no number.
    #[serde(skip)]
    pub predictions: Vec<u32>,
}

impl Measures {
    /// Of a probability for each class, one row per picture.
    pub fn new(data: &Dataset, rows: &[Vec<f64>]) -> Self {
        let k = data.classes.len();
        let mut counts = vec![0u32; k * k];
        let (mut confidences, mut right, mut predictions) = (Vec::new(), Vec::new(), Vec::new());
        let mut loss = 0.0;
        for (row, &label) in rows.iter().zip(&data.labels) {
            let predicted = most_probable(row);
            if let Some(count) = predicted.and_then(|p| counts.get_mut(label as usize * k + p)) {
                *count += 1;
            }
            confidences.push(predicted.map_or(f64::NAN, |p| row[p]));
            right.push(predicted == Some(label as usize));
            predictions.push(predicted.map_or(u32::MAX, |p| p as u32));
            loss -= row.get(label as usize).map_or(f64::NAN, |p| p.ln());
        }
        let totals = data.class_counts().into_iter().map(|count| count as u32).collect();
        let bins = reliability(&confidences, &right, BINS).unwrap_or_default();
        Self {
            scores: Scores::new(data, &Confusion::new(counts.clone(), totals)),
            loss: loss / rows.len() as f64,
            calibration_error: expected_calibration_error(&bins).ok(),
            groups: groups(data, &predictions),
            confusion: counts.chunks(k.max(1)).map(<[u32]>::to_vec).collect(),
            classes: data.classes.clone(),
            reliability: bins,
            predictions,
        }
    }
}

/// Accuracy in each group, the worst first; none where the data name no groups.
fn groups(data: &Dataset, predictions: &[u32]) -> Vec<GroupScore> {
    let found = group_accuracies(predictions, &data.labels, &data.groups.of).unwrap_or_default();
    let named = found.into_iter().map(|group| GroupScore {
        name: data.groups.names.get(group.group as usize).cloned().unwrap_or_default(),
        pictures: group.pictures,
        accuracy: group.accuracy,
    });
    let mut groups: Vec<GroupScore> = named.collect();
    groups.sort_by(|a, b| a.accuracy.total_cmp(&b.accuracy));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Groups, Pixels};

    #[test]
    fn measures_are_those_computed_by_hand() {
        let data = Dataset {
            height: 1,
            width: 1,
            channels: 1,
            classes: vec!["a".into(), "b".into()],
            pixels: Pixels::Byte(vec![0; 4]),
            labels: vec![0, 0, 1, 1],
            masks: vec![0; 4],
            explained: vec![false; 4],
            names: vec![String::new(); 4],
            groups: Groups { names: vec!["in".into(), "out".into()], of: vec![0, 1, 1, 0] },
        };
        let rows = [[0.75, 0.25], [0.375, 0.625], [0.25, 0.75], [0.125, 0.875]].map(Vec::from);
        let measures = Measures::new(&data, &rows);
        assert_eq!(measures.confusion, [[1, 1], [0, 2]]);
        assert_eq!(measures.scores.accuracy, 0.75);
        assert_eq!(measures.predictions, [0, 1, 1, 1]);
        let names: Vec<(&str, f64)> = measures.groups.iter().map(|g| (g.name.as_str(), g.accuracy)).collect();
        assert_eq!(names, [("out", 0.5), ("in", 1.0)]);
        // Confidences 0.75, 0.625, 0.75, 0.875: the gap of each range by its share of the pictures.
        let expected = 0.5 * 0.25 + 0.25 * 0.625 + 0.25 * 0.125;
        approx::assert_relative_eq!(measures.calibration_error.unwrap(), expected, max_relative = 1e-12);
        let loss = -(0.75f64.ln() + 0.375f64.ln() + 0.75f64.ln() + 0.875f64.ln()) / 4.0;
        approx::assert_relative_eq!(measures.loss, loss, max_relative = 1e-12);
        let broken = Measures::new(&data, &vec![vec![f64::NAN; 2]; 4]);
        assert_eq!((broken.calibration_error, broken.scores.accuracy), (None, 0.0));
        assert_eq!(broken.predictions, [u32::MAX; 4]);
    }
}

//! Metrics, each with its definition.

use serde::{Deserialize, Serialize};

use crate::data::RELEVANT;

/// Counts `[K, K]`, true class by predicted class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    classes: usize,
    counts: Vec<u32>,
    /// Pictures of each class; a prediction that is no class at all (a NaN) counts here alone.
    totals: Vec<u32>,
}

impl Confusion {
    /// From row-major counts; `totals` holds the pictures of each class.
    pub fn new(counts: Vec<u32>, totals: Vec<u32>) -> Self {
        Self { classes: totals.len(), counts, totals }
    }

    /// Pictures of each class.
    pub fn totals(&self) -> &[u32] {
        &self.totals
    }

    /// Pictures of class `truth` that were predicted as `predicted`.
    pub fn count(&self, truth: usize, predicted: usize) -> u32 {
        self.counts.get(truth * self.classes + predicted).copied().unwrap_or(0)
    }

    /// Share of all pictures that were predicted right.
    pub fn accuracy(&self) -> f64 {
        let right: u32 = (0..self.classes).map(|k| self.count(k, k)).sum();
        f64::from(right) / f64::from(self.totals.iter().sum::<u32>().max(1))
    }

    /// For each class the share of its pictures that was predicted right (recall); `None` without pictures.
    pub fn per_class(&self) -> Vec<Option<f64>> {
        self.totals
            .iter()
            .enumerate()
            .map(|(k, &total)| (total > 0).then(|| f64::from(self.count(k, k)) / f64::from(total)))
            .collect()
    }

    /// Mean of the per-class shares: what accuracy would be if every class had equally many pictures.
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = self.per_class().into_iter().flatten().collect();
        recalls.iter().sum::<f64>() / recalls.len().max(1) as f64
    }

    /// The lowest per-class share.
    pub fn worst_class(&self) -> f64 {
        self.per_class().into_iter().flatten().fold(1.0, f64::min)
    }
}

/// Share of pictures whose predicted class differs between two versions of them, such as the two patches.
pub fn flip_rate(a: &[u32], b: &[u32]) -> f64 {
    let flips = a.iter().zip(b).filter(|(a, b)| a != b).count();
    flips as f64 / a.len().min(b.len()).max(1) as f64
}

/// The share of a squared gradient `[H, W, C]` that lies inside a mask `[H, W]`; `None` where there is no gradient at all,
/// which says nothing about where the model looks.
pub fn share_inside(gradient: &[f32], mask: &[u8], channels: usize) -> Option<f64> {
    let (mut inside, mut all) = (0.0, 0.0);
    for (pixel, mask) in gradient.chunks(channels.max(1)).zip(mask) {
        let squared: f64 = pixel.iter().map(|&value| f64::from(value).powi(2)).sum();
        all += squared;
        if *mask >= RELEVANT {
            inside += squared;
        }
    }
    (all > 0.0).then(|| inside / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracies_of_an_unbalanced_set() {
        // 8 of class 0, all right; 2 of class 1, one right.
        let confusion = Confusion::new(vec![8, 0, 1, 1], vec![8, 2]);
        assert_eq!(confusion.accuracy(), 0.9);
        assert_eq!(confusion.balanced_accuracy(), 0.75);
        assert_eq!(confusion.worst_class(), 0.5);
        assert_eq!(confusion.per_class(), vec![Some(1.0), Some(0.5)]);
    }

    #[test]
    fn a_prediction_of_no_class_is_wrong() {
        let confusion = Confusion::new(vec![1, 0, 0, 0], vec![2, 0]);
        assert_eq!(confusion.accuracy(), 0.5);
        assert_eq!(confusion.per_class(), vec![Some(0.5), None]);
        assert_eq!(confusion.balanced_accuracy(), 0.5);
    }

    #[test]
    fn a_share_inside_counts_every_channel_of_a_relevant_pixel() {
        assert_eq!(share_inside(&[3.0, 0.0, -4.0, 0.0], &[RELEVANT, RELEVANT - 1], 2), Some(9.0 / 25.0));
        assert_eq!(share_inside(&[3.0, 4.0], &[255, 0], 1), Some(9.0 / 25.0));
        assert_eq!(share_inside(&[0.0; 4], &[255, 0], 2), None);
    }

    #[test]
    fn flips_are_counted() {
        assert_eq!(flip_rate(&[0, 1, 1, 0], &[0, 0, 1, 1]), 0.5);
        assert_eq!(flip_rate(&[], &[]), 0.0);
    }
}

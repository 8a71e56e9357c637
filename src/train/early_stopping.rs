//! Early stopping: when validation has not improved for a while, and which epoch was the best.

use serde::{Deserialize, Serialize};

/// What early stopping watches on the validation pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// Balanced accuracy: the higher the better.
    #[default]
    Accuracy,
    /// Cross-entropy: the lower the better.
    Loss,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The best epoch so far, counted from 1; the first of equals.
    pub best: usize,
    /// What it reached.
    pub value: f64,
    /// Whether the epochs since are as many as the patience allows.
    pub stop: bool,
}

/// The standing after these epochs, (number, value) in order; `None` before the first. A function of what the metrics
/// hold, so that a resumed run needs no state of its own.
pub fn standing(
    epochs: impl IntoIterator<Item = (usize, f64)>,
    watched: Watched,
    patience: usize,
) -> Option<Standing> {
    let mut found: Option<(usize, f64)> = None;
    let mut last = 0;
    for (epoch, value) in epochs {
        let better = match (found, watched) {
            (None, _) => true,
            (Some((_, best)), Watched::Accuracy) => value > best,
            (Some((_, best)), Watched::Loss) => value < best,
        };
        if better {
            found = Some((epoch, value));
        }
        last = epoch;
    }
    found.map(|(best, value)| Standing { best, value, stop: last - best >= patience })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], watched: Watched, patience: usize) -> Option<(usize, bool)> {
        let epochs = values.iter().enumerate().map(|(i, &value)| (i + 1, value));
        standing(epochs, watched, patience).map(|found| (found.best, found.stop))
    }

    #[test]
    fn the_first_of_equals_is_the_best_and_patience_counts_from_it() {
        use Watched::{Accuracy, Loss};
        assert_eq!(of(&[], Accuracy, 2), None);
        assert_eq!(of(&[0.5], Accuracy, 2), Some((1, false)));
        assert_eq!(of(&[0.5, 0.7, 0.7], Accuracy, 2), Some((2, false)));
        assert_eq!(of(&[0.5, 0.7, 0.7, 0.6], Accuracy, 2), Some((2, true)));
        assert_eq!(of(&[0.5, 0.7, 0.7, 0.8], Accuracy, 2), Some((4, false)));
        assert_eq!(of(&[0.5, 0.7, 0.7, 0.6], Loss, 3), Some((1, true)));
        assert_eq!(of(&[0.5, 0.4], Loss, 1), Some((2, false)));
    }

    #[test]
    fn lost_rows_count_as_epochs_that_went_by() {
        let found = standing([(2, 0.9), (6, 0.8)], Watched::Accuracy, 4).unwrap();
        assert_eq!((found.best, found.value, found.stop), (2, 0.9, true));
    }
}

//! Figures that stand beside ours: the paper's, and those of an earlier study of our own in PyTorch.

use serde::Serialize;

/// Where the paper's figures come from, for captions.
pub const PAPER: &str = "Tao and Shokri, Machine Learning from Explanations, arXiv 2507.04788, on data of its own that are not public";
/// Where the earlier figures come from, for captions.
pub const EARLIER: &str = "our own earlier study in PyTorch (2026-11-21), on pictures drawn by other code";

/// Mean, spread and number of seeds of an earlier figure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Earlier {
    /// Mean.
    pub mean: f64,
    /// Standard deviation over seeds; `None` where it was not noted.
    pub sd: Option<f64>,
    /// Seeds.
    pub count: usize,
}

const fn sd(mean: f64, sd: f64) -> Earlier {
    Earlier { mean, sd: Some(sd), count: 5 }
}

const fn bare(mean: f64, count: usize) -> Earlier {
    Earlier { mean, sd: None, count }
}

type Row = (&'static str, &'static str, Earlier);

/// Accuracy on clean, balanced test pictures.
const ACCURACY: &[Row] = &[
    ("E", "label-only", sd(0.767, 0.010)),
    ("EI", "label-only", sd(0.761, 0.021)),
    ("ES", "label-only", sd(0.596, 0.035)),
    ("E4", "label-only", sd(0.413, 0.007)),
    ("E", "diagonal", sd(0.792, 0.007)),
    ("EI", "diagonal", sd(0.805, 0.036)),
    ("ES", "diagonal", sd(0.807, 0.007)),
    ("E4", "diagonal", sd(0.482, 0.017)),
    ("E", "diagonal-other", sd(0.791, 0.009)),
    ("EI", "diagonal-other", sd(0.808, 0.026)),
    ("ES", "diagonal-other", sd(0.806, 0.010)),
    ("E", "diagonal-ones", bare(0.750, 1)),
    ("EI", "diagonal-ones", bare(0.729, 1)),
    ("ES", "diagonal-ones", bare(0.599, 2)),
    ("E4", "diagonal-ones", bare(0.405, 1)),
    ("E", "dense", bare(0.771, 1)),
    ("EI", "dense", bare(0.782, 1)),
    ("ES", "dense", bare(0.640, 1)),
    ("E", "joint", sd(0.773, 0.010)),
    ("EI", "joint", sd(0.748, 0.031)),
    ("ES", "joint", sd(0.577, 0.045)),
    ("E", "no-mapping", sd(0.763, 0.011)),
    ("EI", "no-mapping", sd(0.756, 0.028)),
    ("ES", "no-mapping", sd(0.580, 0.033)),
    ("E", "grad-reg-0.1", sd(0.804, 0.013)),
    ("EI", "grad-reg-0.1", sd(0.746, 0.030)),
    ("ES", "grad-reg-0.1", bare(0.697, 2)),
    ("E4", "grad-reg-0.1", sd(0.467, 0.013)),
    ("E", "grad-reg-1", bare(0.777, 1)),
    ("EI", "grad-reg-1", bare(0.638, 1)),
    ("ES", "grad-reg-1", sd(0.732, 0.012)),
    ("E", "masked-copies", bare(0.753, 1)),
    ("EI", "masked-copies", bare(0.759, 1)),
    ("ES", "masked-copies", bare(0.660, 1)),
    ("E", "gate", sd(0.773, 0.011)),
    ("ES", "gate", sd(0.778, 0.010)),
    ("E", "gate-other", sd(0.772, 0.011)),
    ("ES", "gate-other", sd(0.776, 0.005)),
    ("DS", "label-only", sd(0.543, 0.027)),
    ("DS", "gate-ce", bare(0.525, 5)),
    ("DS", "gate-other", sd(0.658, 0.072)),
    ("DS", "gate", sd(0.857, 0.016)),
    ("DS", "grad-reg-1", sd(0.660, 0.088)),
    ("DS", "masked-copies", sd(0.743, 0.074)),
    ("BS", "label-only", sd(0.528, 0.020)),
    ("BS", "gate-ce", bare(0.518, 5)),
    ("BS", "gate-other", sd(0.566, 0.067)),
    ("BS", "gate", sd(0.873, 0.130)),
    ("BS", "grad-reg-1", sd(0.514, 0.016)),
    ("BS", "masked-copies", sd(0.753, 0.075)),
    ("D", "label-only", sd(0.783, 0.094)),
    ("D", "gate-ce", bare(0.747, 5)),
    ("D", "gate-other", sd(0.672, 0.066)),
    ("D", "gate", sd(0.868, 0.017)),
    ("D", "grad-reg-1", sd(0.874, 0.013)),
    ("D", "masked-copies", sd(0.842, 0.013)),
    ("BB", "label-only", sd(0.942, 0.041)),
    ("BB", "gate-ce", bare(0.900, 5)),
    ("BB", "gate-other", sd(0.776, 0.128)),
    ("BB", "gate", sd(0.967, 0.006)),
    ("BB", "grad-reg-1", sd(0.973, 0.009)),
    ("BB", "masked-copies", sd(0.955, 0.018)),
];

const FLIPS: &[Row] = &[
    ("ES", "label-only", bare(1.00, 5)),
    ("ES", "diagonal", bare(0.04, 5)),
    ("ES", "gate", bare(0.01, 5)),
    ("ES", "grad-reg-1", bare(0.92, 5)),
    ("ES", "masked-copies", bare(0.90, 1)),
    ("DS", "label-only", bare(0.94, 5)),
    ("DS", "gate", bare(0.02, 5)),
    ("DS", "grad-reg-1", bare(0.98, 5)),
    ("DS", "masked-copies", bare(0.60, 5)),
    ("BS", "label-only", bare(1.00, 5)),
    ("BS", "gate", bare(0.24, 5)),
    ("BS", "grad-reg-1", bare(1.00, 5)),
    ("BS", "masked-copies", bare(0.89, 5)),
];

const GRADIENT: &[Row] = &[("ES", "label-only", bare(0.06, 5)), ("ES", "diagonal", bare(0.56, 5))];

const GATE_OWN: &[Row] = &[
    ("DS", "gate", bare(0.42, 5)),
    ("BS", "gate", bare(0.41, 5)),
    ("D", "gate", bare(0.42, 5)),
    ("BB", "gate", bare(0.38, 5)),
    ("ES", "gate", bare(0.48, 5)),
    ("E", "gate", bare(0.46, 5)),
];

const GATE_OTHER: &[Row] = &[
    ("DS", "gate", bare(0.16, 5)),
    ("BS", "gate", bare(0.15, 5)),
    ("D", "gate", bare(0.16, 5)),
    ("BB", "gate", bare(0.14, 5)),
    ("ES", "gate", bare(0.42, 5)),
    ("E", "gate", bare(0.41, 5)),
];

/// Of ten models.
const AGREEMENT: &[Row] = &[
    ("E", "label-only", bare(0.835, 1)),
    ("E", "diagonal", bare(0.869, 1)),
    ("ES", "label-only", bare(0.819, 1)),
    ("ES", "diagonal", bare(0.898, 1)),
];

/// An earlier figure of ours. GradReg's λ on D, DS, BB and BS was not noted; it stands beside λ = 1.
pub fn earlier(setting: &str, arm: &str, metric: &str) -> Option<Earlier> {
    let rows = match metric {
        super::metric::MAIN => ACCURACY,
        "flip_rate" => FLIPS,
        "input_gradient_mass" => GRADIENT,
        "gate_mass_own" => GATE_OWN,
        "gate_mass_other" => GATE_OTHER,
        "agreement" => AGREEMENT,
        _ => return None,
    };
    rows.iter().find(|(s, a, _)| (*s, *a) == (setting, arm)).map(|(.., figure)| *figure)
}

/// The paper's figure for the comparison that a setting follows. Its data, network and epochs are others.
pub fn paper(setting: &str, arm: &str, metric: &str) -> Option<f64> {
    let [label_only, two_stage] = match (setting, metric) {
        ("E", super::metric::MAIN) => [0.754, 0.874],
        ("EI", super::metric::MAIN) => [0.725, 0.806],
        ("ES", super::metric::MAIN) => [0.561, 0.708],
        ("E", "agreement") => [0.711, 0.949],
        _ => return None,
    };
    match arm {
        "label-only" => Some(label_only),
        "diagonal" => Some(two_stage),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Setting, arm};

    #[test]
    fn every_figure_names_a_setting_and_an_arm_and_none_stands_there_twice() {
        let names = arm::names();
        for rows in [ACCURACY, FLIPS, GRADIENT, GATE_OWN, GATE_OTHER, AGREEMENT] {
            let mut seen = std::collections::BTreeSet::new();
            for (setting, arm, figure) in rows {
                assert!(Setting::named(setting).is_ok() && names.iter().any(|name| name == arm), "{arm}");
                assert!(seen.insert((setting, arm)), "{setting} {arm}");
                assert!((0.0..=1.0).contains(&figure.mean));
            }
        }
    }
}

//! The figures of a cell as columns of a table, each with its definition.

use super::Figures;

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// In CSV and JSON.
    pub key: &'static str,
    /// Above the column.
    pub title: &'static str,
    /// What it is.
    pub definition: &'static str,
    /// Where it is found.
    pub get: fn(&Figures) -> Option<f64>,
}

/// The metric that methods are compared by.
pub const MAIN: &str = "balanced_accuracy";

/// Every metric.
pub const METRICS: [Metric; 17] = [
    Metric {
        key: MAIN,
        title: "balanced accuracy",
        definition: "Test pictures: for each class the share predicted right, averaged over the classes. Generated test sets are balanced and free of the patch, so that accuracy is the same number there.",
        get: |f| f.test.as_ref().map(|s| s.balanced_accuracy),
    },
    Metric {
        key: "accuracy",
        title: "accuracy",
        definition: "Share of the test pictures predicted right.",
        get: |f| f.test.as_ref().map(|s| s.accuracy),
    },
    Metric {
        key: "worst_class",
        title: "worst class",
        definition: "The lowest share predicted right among the classes of the test pictures.",
        get: |f| f.test.as_ref().map(|s| s.worst_class),
    },
    Metric {
        key: "flip_rate",
        title: "flips with the patch",
        definition: "Share of test pictures whose predicted class changes between the patch of class 0 and that of class 1 (digits: between the decoy grey of digit 0 and that of digit 9).",
        get: |f| f.patched.as_ref().map(|p| p.flip_rate),
    },
    Metric {
        key: "misled_accuracy",
        title: "accuracy, misleading patch",
        definition: "Share predicted right of the test pictures with the patch of another class on them.",
        get: |f| f.patched.as_ref().map(|p| p.misled_accuracy),
    },
    Metric {
        key: "worst_group",
        title: "worst group",
        definition: "The lowest share predicted right among the groups class × patch, every test picture with either patch on it.",
        get: |f| f.patched.as_ref().map(|p| p.worst_group),
    },
    Metric {
        key: "input_gradient_mass",
        title: "gradient inside",
        definition: "d log p(predicted class) / dx, squared: the share of its sum over the pixels that lies inside the mask; mean over the first 1,000 explained test pictures.",
        get: |f| f.input_gradient_mass,
    },
    Metric {
        key: "gate_mass_own",
        title: "gate in own mask",
        definition: "The gate averaged over channels: the share of its sum over positions that falls into the picture's own mask, a position counting by the share of mask pixels around its centre.",
        get: |f| f.gate_mass.map(|g| g.own),
    },
    Metric {
        key: "gate_mass_other",
        title: "gate in another's mask",
        definition: "The same share for the mask of another picture.",
        get: |f| f.gate_mass.map(|g| g.other),
    },
    Metric {
        key: "gate_mass_constant",
        title: "constant gate",
        definition: "The same share for a gate that is open everywhere alike.",
        get: |f| f.gate_mass.map(|g| g.constant),
    },
    Metric {
        key: "agreement",
        title: "agreement",
        definition: "Over all pairs of models that differ in initial weights and order of pictures: the share of test pictures to which both give the same class, averaged over the pairs. Constant models agree fully: read it beside balanced accuracy.",
        get: |f| f.agreement.as_ref().map(|a| a.pairwise),
    },
    Metric {
        key: "val_balanced_accuracy",
        title: "validation",
        definition: "Balanced accuracy on validation pictures (generated sets: 1,000 clean and balanced ones, drawn apart from training and test).",
        get: |f| f.val.as_ref().map(|s| s.balanced_accuracy),
    },
    Metric {
        key: "train_accuracy",
        title: "training accuracy",
        definition: "Share of the training pictures predicted right in the last epoch, when their batch came by.",
        get: |f| Some(f.train_accuracy),
    },
    Metric {
        key: "label_loss",
        title: "cross-entropy",
        definition: "Mean cross-entropy of the training batches of the last epoch.",
        get: |f| Some(f.label_loss),
    },
    Metric {
        key: "alignment_loss",
        title: "alignment loss",
        definition: "Mean of what stage 2 minimises over the batches of the last epoch.",
        get: |f| f.alignment_loss,
    },
    Metric { key: "epochs", title: "epochs", definition: "Epochs trained.", get: |f| Some(f.epochs as f64) },
    Metric {
        key: "seconds",
        title: "seconds",
        definition: "Wall-clock seconds of training, without tests. Cells that ran side by side shared the machine.",
        get: |f| Some(f.seconds),
    },
];

/// The metric of that key.
pub fn metric(key: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.key == key)
}

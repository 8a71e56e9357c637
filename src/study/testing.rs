//! Cells without training, for tests of what is computed from them.

use super::{Cell, Figures, Job, Outcome, Scores};

/// Figures of a model that is right on seven of ten pictures.
pub fn figures() -> Figures {
    Figures {
        test: Some(Scores {
            pictures: 10,
            accuracy: 0.7,
            balanced_accuracy: 0.7,
            worst_class: 0.6,
            per_class: vec![Some(0.6), Some(0.8)],
        }),
        val: None,
        train_accuracy: 0.9,
        label_loss: 0.3,
        alignment_loss: None,
        patched: None,
        input_gradient_mass: Some(0.25),
        gate_mass: None,
        agreement: None,
        curve: Vec::new(),
        predictions: Vec::new(),
        epochs: 1,
        seconds: 0.5,
        digest: "0123456789abcdef".to_owned(),
    }
}

/// Figures with this balanced accuracy on test and validation pictures.
pub fn scored(value: f64) -> Outcome {
    let mut figures = figures();
    let scores = Scores { balanced_accuracy: value, accuracy: value, ..figures.test.clone().unwrap() };
    figures.val = Some(scores.clone());
    figures.test = Some(scores);
    Outcome::Done(Box::new(figures))
}

/// A cell that ended so.
pub fn cell(job: &Job, outcome: Outcome) -> Cell {
    Cell {
        job: job.clone(),
        definition: job.definition(),
        program: "test".to_owned(),
        device: "none".to_owned(),
        outcome,
    }
}

use crate::cpu::testing::{Ran, assert_near, run};
use crate::ops::{self, metrics};
use crate::plan::{Plan, PlanError};

fn argmax(dims: &[usize], logits: &[f64]) -> Vec<f64> {
    let [y] = run::<f32, 1>(&[("x", dims, logits)], |plan, x| Ok([metrics::argmax(plan, "m", x[0])?]));
    y
}

#[test]
fn the_first_largest_wins_and_nan_is_no_class() {
    const INF: f64 = f64::INFINITY;
    let rows = [[1.0, 3.0, 3.0], [5.0, 5.0, 5.0], [-INF, -INF, -INF], [0.0, INF, 1.0], [-2.0, -3.0, -1.0]];
    assert_eq!(argmax(&[1, 5, 3], rows.as_flattened()), [1.0, 0.0, 0.0, 1.0, 2.0]);
    let rows = [[f64::NAN, 1.0, 2.0], [1.0, f64::NAN, 2.0], [1.0, 2.0, f64::NAN], [1.0, 2.0, 1.5]];
    assert_eq!(argmax(&[2, 2, 3], rows.as_flattened()), [3.0, 3.0, 3.0, 1.0]);
    assert_eq!(argmax(&[1, 1, 1], &[-7.0]), [0.0]);
}

#[test]
fn predictions_land_in_the_block_of_their_step() {
    let mut plan = Plan::new("test");
    let predictions = ops::index_input(&mut plan, "predictions", &[2, 2]).unwrap();
    let all = ops::index_input(&mut plan, "all", &[2, 6]).unwrap();
    let clock = ops::index_input(&mut plan, "clock", &[1]).unwrap();
    metrics::store(&mut plan, "m", predictions, all, clock).unwrap();
    let mut ran = Ran::<f64>::new(&plan);
    ran.set_index(predictions, &[1, 2, 3, 4]);
    for step in [1, 3, u32::MAX] {
        ran.set_index(clock, &[step]);
        ran.run();
        assert_eq!(ran.get(all), [0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]);
    }
}

#[test]
fn confusion_adds_up_and_skips_padding_and_what_is_no_class() {
    let mut plan = Plan::new("test");
    let predictions = ops::index_input(&mut plan, "predictions", &[2, 4]).unwrap();
    let labels = ops::index_input(&mut plan, "labels", &[2, 4]).unwrap();
    let weight = ops::input(&mut plan, "weight", &[2, 4]).unwrap();
    let counts = ops::index_input(&mut plan, "counts", &[2, 2, 2]).unwrap();
    metrics::confusion(&mut plan, "m", predictions, labels, weight, counts).unwrap();
    let mut ran = Ran::<f64>::new(&plan);
    ran.set_index(predictions, &[0, 1, 1, 0, 1, 1, 2, 0]);
    ran.set_index(labels, &[0, 0, 0, 1, 1, 1, 1, 3]);
    ran.set(weight, &[1.0, 0.5, 2.0, 0.0, 1.0, 1.0, 1.0, 1.0]);
    ran.set_index(counts, &[10, 0, 0, 0, 0, 0, 0, 0]);
    ran.run();
    assert_eq!(ran.get(counts), [11.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]);
    ran.run();
    assert_eq!(ran.get(counts), [12.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0]);
}

#[test]
fn a_mean_loss_lands_in_its_slot() {
    let mut plan = Plan::new("test");
    let losses = ops::input(&mut plan, "losses", &[3, 2, 2]).unwrap();
    let norm = ops::input(&mut plan, "norm", &[3]).unwrap();
    let history = ops::input(&mut plan, "history", &[3, 4]).unwrap();
    let clock = ops::index_input(&mut plan, "clock", &[1]).unwrap();
    metrics::record(&mut plan, "m", losses, norm, history, clock, 1, 2).unwrap();
    let mut ran = Ran::<f64>::new(&plan);
    ran.set(losses, &[1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0, f64::NAN, 1.0, 1.0]);
    ran.set(norm, &[4.0, 0.0, 1.0]);
    ran.set(history, &[7.0; 12]);
    for step in [2, u32::MAX] {
        ran.set_index(clock, &[step]);
        ran.run();
        assert_eq!(ran.get(history), [7.0; 12]);
    }
    ran.set_index(clock, &[1]);
    ran.run();
    let found = ran.get(history);
    assert_near(&found[..11], &[7.0, 7.0, 7.0, 2.5, 7.0, 7.0, 7.0, 0.0, 7.0, 7.0, 7.0], 0.0, 0.0);
    assert!(found[11].is_nan());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut plan = Plan::new("test");
    let losses = ops::input(&mut plan, "losses", &[1, 4]).unwrap();
    let norm = ops::input(&mut plan, "norm", &[1]).unwrap();
    let history = ops::input(&mut plan, "history", &[1, 4]).unwrap();
    let clock = ops::index_input(&mut plan, "clock", &[1]).unwrap();
    let error = metrics::record(&mut plan, "m", losses, norm, history, clock, 2, 2).unwrap_err();
    assert!(matches!(error, PlanError::Settings { .. }));
    let error = metrics::record(&mut plan, "m", losses, norm, history, clock, 0, 3).unwrap_err();
    assert!(matches!(error, PlanError::Shape { .. }));
}

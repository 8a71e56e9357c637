use crate::cpu::testing::{assert_near, normals, run, slopes};
use crate::ops::log_probability;

const DIMS: [usize; 3] = [2, 3, 4];
const WEIGHT: [f64; 6] = [1.0, 1.0, 0.0, 1.0, 0.5, 1.0];

fn gradient(logits: &[f64]) -> Vec<f64> {
    let inputs = [("logits", &DIMS[..], logits), ("weight", &DIMS[..2], &WEIGHT)];
    let [d_logits] =
        run::<f64, 1>(&inputs, |plan, x| Ok([log_probability::backward(plan, "log p", x[0], x[1])?]));
    d_logits
}

#[test]
fn backward_is_the_slope_of_the_summed_log_probabilities() {
    let logits = normals(1, 24);
    let expected = slopes(&logits, |logits| {
        let rows = logits.chunks(4).zip(WEIGHT).filter(|(_, weight)| *weight != 0.0);
        rows.map(|(z, _)| z.iter().sum::<f64>() - 4.0 * z.iter().map(|z| z.exp()).sum::<f64>().ln()).sum()
    });
    assert_near(&gradient(&logits), &expected, 1e-8, 1e-9);
}

#[test]
fn second_backward_adds_the_slope_of_the_gradient_along_t() {
    let (logits, t, before) = (normals(1, 24), normals(2, 24), normals(3, 24));
    let slope = slopes(&logits, |logits| gradient(logits).iter().zip(&t).map(|(v, t)| v * t).sum());
    let inputs = [
        ("logits", &DIMS[..], &logits[..]),
        ("weight", &DIMS[..2], &WEIGHT),
        ("t", &DIMS, &t),
        ("d_logits", &DIMS, &before),
    ];
    let [found] = run::<f64, 1>(&inputs, |plan, x| {
        log_probability::second_backward(plan, "log p", x[0], x[1], x[2], x[3])?;
        Ok([x[3]])
    });
    let expected: Vec<f64> = before.iter().zip(&slope).map(|(a, b)| a + b).collect();
    assert_near(&found, &expected, 1e-8, 1e-9);
    assert_eq!(found[8..12], before[8..12], "a row without weight");
}

#[test]
fn a_row_without_weight_hides_its_nan_and_any_other_shows_it() {
    let mut logits = normals(1, 24);
    (logits[9], logits[17]) = (f64::NAN, f64::NAN);
    let found = gradient(&logits);
    assert_eq!(found[8..12], [0.0; 4]);
    assert!(found[16..20].iter().all(|v| v.is_nan()));
}

use crate::cpu::testing::{Alignment, assert_is_an_alignment_loss, assert_near, normals};
use crate::ops::jensen_shannon;

#[test]
fn d_z_is_the_slope_of_the_mean_loss() {
    assert_is_an_alignment_loss(jensen_shannon::forward);
}

#[test]
fn the_loss_is_symmetric_and_that_of_its_definition() {
    let (a, b) = (normals(1, 9), normals(2, 9));
    let row = Alignment::row(jensen_shannon::forward, &[1, 1, 9]);
    let [there, _] = row.forward::<f64>(&a, &b);
    let [back, _] = row.forward::<f64>(&b, &a);
    assert_near(&there, &back, 1e-14, 0.0);
    let softmax = |x: &[f64]| -> Vec<f64> {
        let sum: f64 = x.iter().map(|x| x.exp()).sum();
        x.iter().map(|x| x.exp() / sum).collect()
    };
    let entropy = |p: &[f64]| -p.iter().map(|p| p * p.ln()).sum::<f64>();
    let (p, q) = (softmax(&a), softmax(&b));
    let middle: Vec<f64> = p.iter().zip(&q).map(|(p, q)| 0.5 * (p + q)).collect();
    // The entropy of the mean less the mean of the entropies.
    let expected = entropy(&middle) - 0.5 * (entropy(&p) + entropy(&q));
    assert_near(&there, &[expected], 1e-13, 0.0);
}

#[test]
fn two_distributions_without_common_support_are_ln_2_apart() {
    let row = Alignment::row(jensen_shannon::forward, &[1, 1, 2]);
    for zero in [-1e4, -1e30, f64::NEG_INFINITY] {
        let [losses, d_z] = row.forward::<f32>(&[0.0, zero], &[zero, 0.0]);
        assert_near(&losses, &[2f64.ln()], 1e-6, 0.0);
        assert_eq!(d_z, [0.0, 0.0], "flat out there");
        // p = (1, 0), q = (1/2, 1/2).
        let [losses, d_z] = row.forward::<f32>(&[0.0, zero], &[0.0, 0.0]);
        assert_near(&losses, &[0.5 * (4f64 / 3.0).ln() + 0.25 * ((2f64 / 3.0).ln() + 2f64.ln())], 1e-6, 0.0);
        let slope = 0.125 * ((2f64 / 3.0).ln() - 2f64.ln());
        assert_near(&d_z, &[slope, -slope], 1e-6, 0.0);
    }
}

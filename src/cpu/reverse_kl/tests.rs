use crate::cpu::testing::{Alignment, assert_is_an_alignment_loss, assert_near, normals};
use crate::ops::{kl_divergence, reverse_kl};

#[test]
fn d_z_is_the_slope_of_the_mean_loss() {
    assert_is_an_alignment_loss(reverse_kl::forward);
}

#[test]
fn the_loss_is_kl_with_its_sides_exchanged() {
    let (a, b) = (normals(1, 36), normals(2, 36));
    let dims = [1, 4, 9];
    let of = |loss, target: &[f64], z: &[f64]| {
        let shape = Alignment { weight: &[1.0; 4], ..Alignment::row(loss, &dims) };
        let [losses, _] = shape.forward::<f64>(target, z);
        losses
    };
    assert_near(&of(reverse_kl::forward, &a, &b), &of(kl_divergence::forward, &b, &a), 1e-13, 0.0);
}

#[test]
fn zeros_of_q_add_nothing_and_zeros_of_p_are_far_away_but_finite() {
    let row = Alignment::row(reverse_kl::forward, &[1, 1, 2]);
    // q = (1, 0), p = (1/2, 1/2): ln 2, and no slope left.
    for zero in [-1e4, -1e30, f64::NEG_INFINITY] {
        let [losses, d_z] = row.forward::<f32>(&[0.0, 0.0], &[0.0, zero]);
        assert_near(&losses, &[2f64.ln()], 1e-6, 0.0);
        assert_eq!(d_z, [0.0, 0.0]);
    }
    // p underflows under a live q: its logarithm does not.
    let [losses, d_z] = row.forward::<f32>(&[0.0, -1e4], &[0.0, 0.0]);
    assert_near(&losses, &[5e3 - 2f64.ln()], 1e-6, 0.0);
    assert_near(&d_z, &[-2.5e3, 2.5e3], 1e-6, 0.0);
    // Infinitely far is infinitely bad, and has no slope.
    let [losses, d_z] = row.forward::<f32>(&[0.0, f64::NEG_INFINITY], &[0.0, 0.0]);
    assert_eq!(losses, [f64::INFINITY]);
    assert!(d_z.iter().any(|d| !d.is_finite()));
}

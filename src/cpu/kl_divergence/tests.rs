use crate::cpu::testing::{assert_near, golden, normals, run, slopes};
use crate::exec::TwinOf;
use crate::ops::kl_divergence;
use crate::ops::softmax::Axis;

struct Shape<'a> {
    dims: &'a [usize],
    weight: &'a [f64],
    norm: &'a [f64],
    axis: Axis,
    temperature: f32,
}

impl Shape<'_> {
    /// losses and d_z
    fn forward<T: TwinOf>(&self, target: &[f64], z: &[f64]) -> [Vec<f64>; 2] {
        let inputs = [
            ("target", self.dims, target),
            ("z", self.dims, z),
            ("weight", &self.dims[..2], self.weight),
            ("norm", &self.dims[..1], self.norm),
        ];
        run::<T, 2>(&inputs, |plan, x| {
            let (axis, t) = (self.axis, self.temperature);
            let (losses, d_z) = kl_divergence::forward(plan, "kl", x[0], x[1], x[2], x[3], axis, t)?;
            Ok([losses, d_z])
        })
    }
}

/// One row, weight and norm 1.
fn row(d: &[usize]) -> Shape<'_> {
    Shape { dims: d, weight: &[1.0], norm: &[1.0], axis: Axis::Features, temperature: 1.0 }
}

#[test]
fn losses_and_gradient_are_those_of_pytorch() {
    for i in 0..2 {
        let key = |name: &str| golden(&format!("softmax_kl/{i}/{name}"));
        let shape = Shape { dims: &[1, 4, 9], weight: &[1.0; 4], norm: &[4.0], ..row(&[]) };
        let [losses, d_z] = shape.forward::<f64>(&key("target"), &key("z"));
        assert_near(&losses, &key("rows"), 1e-12, 1e-14);
        assert_near(&[losses.iter().sum::<f64>() / 4.0], &key("loss"), 1e-12, 0.0);
        assert_near(&d_z, &key("d_z"), 1e-12, 1e-16);
    }
}

#[test]
fn d_z_is_the_slope_of_the_mean_loss() {
    for (axis, temperature) in [(Axis::Features, 0.5), (Axis::Positions, 1.0), (Axis::Positions, 2.0)] {
        let dims = [2, 2, 3, 2, 4];
        let (weight, norm) = ([1.0, 0.5, 0.0, 2.0], [1.5, 4.0]);
        let shape = Shape { dims: &dims, weight: &weight, norm: &norm, axis, temperature };
        let (target, z) = (normals(1, 96), normals(2, 96));
        let [losses, d_z] = shape.forward::<f64>(&target, &z);
        let groups = losses.len() / 4;
        let expected = slopes(&z, |z| {
            let [losses, _] = shape.forward::<f64>(&target, z);
            losses.iter().enumerate().map(|(i, loss)| loss / norm[i / (2 * groups)]).sum()
        });
        assert_near(&d_z, &expected, 1e-8, 1e-9);
        assert!(losses.iter().all(|&loss| loss >= 0.0));
        assert!(d_z[48..72].iter().all(|&d| d == 0.0));
    }
}

#[test]
fn closed_forms() {
    // p = (1/4, 3/4), q = (1/2, 1/2)
    let [losses, d_z] = row(&[1, 1, 2]).forward::<f64>(&[0.0, 3f64.ln()], &[7.0, 7.0]);
    assert_near(&losses, &[0.25 * 0.5f64.ln() + 0.75 * 1.5f64.ln()], 1e-14, 0.0);
    assert_near(&d_z, &[0.25, -0.25], 1e-14, 0.0);
    // Equal up to a constant: no divergence, no gradient.
    let [losses, d_z] = row(&[1, 1, 3]).forward::<f64>(&[1.0, 2.0, 3.0], &[11.0, 12.0, 13.0]);
    assert_near(&losses, &[0.0], 0.0, 1e-15);
    assert_near(&d_z, &[0.0; 3], 0.0, 1e-15);
    // One value: p = q = 1.
    let [losses, d_z] = row(&[1, 1, 1]).forward::<f64>(&[-4.0], &[9.0]);
    assert_eq!((losses, d_z), (vec![0.0], vec![0.0]));
}

#[test]
fn a_loss_is_not_negative_beyond_rounding() {
    for seed in 0..20 {
        let target = normals(seed, 512);
        let z: Vec<f64> = target.iter().zip(normals(seed + 100, 512)).map(|(t, e)| t + 1e-3 * e).collect();
        let [losses, _] = row(&[1, 1, 512]).forward::<f32>(&target, &z);
        let [exact, _] = row(&[1, 1, 512]).forward::<f64>(&target, &z);
        assert!(exact[0] > 0.0);
        assert!(losses[0] > -1e-5, "{losses:?}");
    }
}

#[test]
fn zeros_in_the_target_add_nothing_and_nothing_is_clamped() {
    const INF: f64 = f64::INFINITY;
    for zero in [-1e4, -1e30, -INF] {
        // p = (1, 0): the loss is −log q_0; q may be 0 where p is.
        let [losses, d_z] = row(&[1, 1, 2]).forward::<f32>(&[0.0, zero], &[0.0, 0.0]);
        assert_near(&losses, &[2f64.ln()], 1e-6, 0.0);
        assert_eq!(d_z, [-0.5, 0.5]);
        let [losses, d_z] = row(&[1, 1, 2]).forward::<f32>(&[0.0, zero], &[0.0, zero]);
        assert_eq!((losses, d_z), (vec![0.0], vec![0.0, 0.0]));
    }
    // q underflows under a live p: its logarithm does not, and infinitely far is infinitely bad.
    let [losses, d_z] = row(&[1, 1, 2]).forward::<f32>(&[0.0, 0.0], &[0.0, -1e6]);
    assert_near(&losses, &[5e5 - 2f64.ln()], 1e-6, 0.0);
    assert_eq!(d_z, [0.5, -0.5]);
    let [losses, d_z] = row(&[1, 1, 2]).forward::<f32>(&[0.0, 0.0], &[0.0, -INF]);
    assert_eq!((losses, d_z), (vec![INF], vec![0.5, -0.5]));
    // Denormals are as good as 0.
    let [losses, _] = row(&[1, 1, 2]).forward::<f32>(&[1e-40, 0.0], &[0.0, 1e-40]);
    assert_eq!(losses, [0.0]);
}

#[test]
fn nan_spreads_over_its_row_only_and_weight_or_norm_of_zero_stops_it() {
    for bad in [f64::NAN, f64::INFINITY] {
        for in_target in [false, true] {
            let values = [1.0, bad, 2.0, 3.0, 4.0, 5.0];
            let (target, z) = if in_target { (&values, &[0.5; 6]) } else { (&[0.5; 6], &values) };
            let run = |weight: [f64; 2], norm: [f64; 1]| {
                let shape = Shape { dims: &[1, 2, 3], weight: &weight, norm: &norm, ..row(&[]) };
                shape.forward::<f32>(target, z)
            };
            let [losses, d_z] = run([1.0, 1.0], [2.0]);
            assert!(losses[0].is_nan() && d_z[..3].iter().all(|d| d.is_nan()), "{losses:?} {d_z:?}");
            assert!(losses[1].is_finite() && d_z[3..].iter().all(|d| d.is_finite()));
            let [losses, d_z] = run([0.0, 1.0], [1.0]);
            assert!(losses[0] == 0.0 && d_z[..3] == [0.0; 3] && losses[1] != 0.0);
            let [losses, d_z] = run([1.0, 1.0], [0.0]);
            assert!(losses == [0.0; 2] && d_z == [0.0; 6]);
        }
    }
}

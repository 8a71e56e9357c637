use crate::cpu::testing::{assert_near, normals, run, slopes};
use crate::exec::TwinOf;
use crate::ops::gate;

const DIMS: [usize; 5] = [1, 2, 3, 2, 2];

/// y, d_s at this slope, d_h with the gate held constant, d_h with the branch added.
fn all<T: TwinOf>(h: &[f64], s: &[f64], d_y: &[f64], branch: &[f64], slope: f32) -> [Vec<f64>; 4] {
    let dims = [h.len()];
    let inputs = [("h", &dims[..], h), ("s", &dims, s), ("d_y", &dims, d_y), ("d_branch", &dims, branch)];
    run::<T, 4>(&inputs, |plan, x| {
        let outputs = [
            gate::forward(plan, "gate", x[0], x[1])?,
            gate::backward_scale(plan, "gate", x[0], x[1], x[2], slope)?,
            gate::backward_input(plan, "gate", x[1], x[2])?,
            gate::backward_input_sum(plan, "gate", x[1], x[2], x[3])?,
        ];
        // Outputs of the plan, so that they share no memory.
        for (name, tensor) in ["y", "d_s", "d_h", "d_h by both ways"].into_iter().zip(outputs) {
            plan.promote(tensor, name)?;
        }
        Ok(outputs)
    })
}

/// The surrogate: a gate that leaks with `slope` when closed, so that its derivative is what the kernels compute.
fn surrogate(h: &[f64], s: &[f64], d_y: &[f64], slope: f64) -> f64 {
    let leak = |u: f64| if u > 0.0 { u } else { slope * u };
    h.iter().zip(s).zip(d_y).map(|((h, s), d_y)| leak(1.0 + s) * h * d_y).sum()
}

#[test]
fn d_s_is_the_slope_of_a_gate_that_leaks_when_closed() {
    let n = DIMS.iter().product();
    let (h, d_y) = (normals(1, n), normals(3, n));
    // About half of the gates are closed.
    let s: Vec<f64> = normals(2, n).iter().map(|s| s - 1.0).collect();
    for slope in [0.0, 0.25] {
        let [_, d_s, ..] = all::<f64>(&h, &s, &d_y, &d_y, slope);
        let expected = slopes(&s, |s| surrogate(&h, s, &d_y, f64::from(slope)));
        assert_near(&d_s, &expected, 1e-8, 1e-9);
    }
    let closed = s.iter().filter(|&&s| s < -1.0).count();
    assert!(closed > 4 && closed < n - 4, "{closed} of {n}");
}

#[test]
fn d_h_is_the_slope_with_the_gate_held_constant_plus_the_branch() {
    let (h, s, d_y, branch) = (normals(1, 24), normals(2, 24), normals(3, 24), normals(4, 24));
    let [y, _, d_h, sum] = all::<f64>(&h, &s, &d_y, &branch, 0.0);
    let expected = slopes(&h, |h| surrogate(h, &s, &d_y, 0.0));
    assert_near(&d_h, &expected, 1e-8, 1e-9);
    let both: Vec<f64> = d_h.iter().zip(&branch).map(|(a, b)| a + b).collect();
    assert_near(&sum, &both, 0.0, 0.0);
    let total: f64 = y.iter().zip(&d_y).map(|(y, d_y)| y * d_y).sum();
    assert_near(&[total], &[surrogate(&h, &s, &d_y, 0.0)], 1e-14, 0.0);
}

#[test]
fn a_gate_is_open_at_the_start_exactly_closed_below_and_keeps_a_nan() {
    let h = [3.0, 3.0, 3.0, f64::NAN, 3.0];
    let s = [0.0, -1.0, -2.5, 0.0, f64::NAN];
    let [y, d_s, d_h, _] = all::<f32>(&h, &s, &[2.0; 5], &[0.0; 5], 0.25);
    assert_eq!(y[..3], [3.0, 0.0, 0.0]);
    assert!(y[3].is_nan() && y[4].is_nan());
    assert_eq!(d_s[..3], [6.0, 1.5, 1.5], "a gate at exactly 0 is closed");
    assert!(d_s[3].is_nan());
    assert_eq!(d_h[..3], [2.0, 0.0, 0.0]);
    assert!(d_h[4].is_nan());
}

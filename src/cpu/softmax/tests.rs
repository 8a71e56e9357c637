use crate::cpu::testing::{assert_near, golden, normals, run, slopes};
use crate::exec::TwinOf;
use crate::ops::softmax::{self, Axis};
use crate::plan::{Plan, PlanError, TensorId};

type Forward = fn(&mut Plan, &str, TensorId, Axis, f32) -> Result<TensorId, PlanError>;
type Backward = fn(&mut Plan, &str, TensorId, TensorId, Axis, f32) -> Result<TensorId, PlanError>;

fn forward<T: TwinOf>(op: Forward, dims: &[usize], x: &[f64], axis: Axis, t: f32) -> Vec<f64> {
    let [y] = run::<T, 1>(&[("x", dims, x)], |plan, x| Ok([op(plan, "s", x[0], axis, t)?]));
    y
}

fn backward(op: Backward, dims: &[usize], y: &[f64], d_y: &[f64], axis: Axis, t: f32) -> Vec<f64> {
    let inputs = [("y", dims, y), ("d_y", dims, d_y)];
    let [d_x] = run::<f64, 1>(&inputs, |plan, x| Ok([op(plan, "s", x[0], x[1], axis, t)?]));
    d_x
}

#[test]
fn log_softmax_over_features_is_that_of_pytorch() {
    let temperature = golden("log_softmax/temperature")[0] as f32;
    let dims = [1, 5, 9];
    let x = golden("log_softmax/x");
    let y = forward::<f64>(softmax::log_forward, &dims, &x, Axis::Features, temperature);
    // PyTorch computed with x = 3·r in f64 (|x| < 8), the file holds it rounded to f32: 2⁻²² / T in each y.
    assert_near(&y, &golden("log_softmax/y"), 0.0, 2.0 * 2.4e-7 / 0.7);
    let d_y = golden("log_softmax/d_y");
    let d_x = backward(softmax::log_backward, &dims, &y, &d_y, Axis::Features, temperature);
    assert_near(&d_x, &golden("log_softmax/d_x"), 1e-5, 1e-6);
    // From the stored x itself, by the formula without a maximum.
    for (x, (y, (d_y, d_x))) in x.chunks(9).zip(y.chunks(9).zip(d_y.chunks(9).zip(d_x.chunks(9)))) {
        let t = f64::from(temperature);
        let log_sum = x.iter().map(|x| (x / t).exp()).sum::<f64>().ln();
        let expected: Vec<f64> = x.iter().map(|x| x / t - log_sum).collect();
        assert_near(y, &expected, 1e-12, 1e-14);
        let sum: f64 = d_y.iter().sum();
        let expected: Vec<f64> = expected.iter().zip(d_y).map(|(y, d)| (d - y.exp() * sum) / t).collect();
        assert_near(d_x, &expected, 1e-12, 1e-14);
    }
}

#[test]
fn softmax_over_positions_is_that_of_pytorch() {
    let dims = [1, 2, 4, 3, 5];
    let y = forward::<f64>(softmax::forward, &dims, &golden("softmax_positions/x"), Axis::Positions, 1.0);
    assert_near(&y, &golden("softmax_positions/y"), 1e-12, 0.0);
    let d_y = golden("softmax_positions/d_y");
    let d_x = backward(softmax::backward, &dims, &y, &d_y, Axis::Positions, 1.0);
    assert_near(&d_x, &golden("softmax_positions/d_x"), 1e-12, 1e-15);
}

#[test]
fn backward_is_the_slope_of_forward() {
    let pairs: [(Forward, Backward); 2] =
        [(softmax::forward, softmax::backward), (softmax::log_forward, softmax::log_backward)];
    for (op, back) in pairs {
        for (dims, axis, t) in [
            (vec![2, 1, 11], Axis::Features, 0.5),
            (vec![1, 2, 3, 2, 4], Axis::Features, 2.0),
            (vec![1, 2, 3, 2, 4], Axis::Positions, 0.5),
        ] {
            let count = dims.iter().product();
            let (x, d_y) = (normals(1, count), normals(2, count));
            let y = forward::<f64>(op, &dims, &x, axis, t);
            let d_x = backward(back, &dims, &y, &d_y, axis, t);
            let expected = slopes(&x, |x| {
                forward::<f64>(op, &dims, x, axis, t).iter().zip(&d_y).map(|(y, d)| y * d).sum()
            });
            assert_near(&d_x, &expected, 1e-8, 1e-8);
        }
    }
}

#[test]
fn closed_forms() {
    let features = |x: &[f64], t| forward::<f64>(softmax::forward, &[1, 1, x.len()], x, Axis::Features, t);
    assert_eq!(features(&[-3.0], 1.0), [1.0]);
    assert_eq!(features(&[7.0; 4], 1.0), [0.25; 4]);
    // Two values: a sigmoid of their difference over T.
    assert_near(&features(&[0.0, 3f64.ln()], 1.0), &[0.25, 0.75], 1e-15, 0.0);
    assert_near(&features(&[0.0, 3f64.ln()], 0.5), &[0.1, 0.9], 1e-15, 0.0);
    // Positions: each channel has its own sum, and features are those of one picture.
    let y =
        forward::<f64>(softmax::forward, &[1, 1, 1, 2, 2], &[0.0, 5.0, 3f64.ln(), 5.0], Axis::Positions, 1.0);
    assert_near(&y, &[0.25, 0.5, 0.75, 0.5], 1e-15, 0.0);
}

#[test]
fn poison() {
    const INF: f64 = f64::INFINITY;
    let both = |x: &[f64]| {
        let dims = [1, 1, x.len()];
        let y = forward::<f32>(softmax::forward, &dims, x, Axis::Features, 1.0);
        (y, forward::<f32>(softmax::log_forward, &dims, x, Axis::Features, 1.0))
    };
    let (y, log) = both(&[1e30, -1e30, 1e30]);
    assert_eq!(y, [0.5, 0.0, 0.5]);
    assert_near(&log, &[-(2f64.ln()), -2e30, -(2f64.ln())], 1e-6, 0.0);
    assert_eq!(both(&[f64::from(f32::MAX), f64::from(f32::MIN)]).0, [1.0, 0.0]);
    assert_eq!(
        both(&[2.0, -INF, 2.0]),
        (
            vec![0.5, 0.0, 0.5],
            vec![-(2f32.ln()), -f32::INFINITY, -(2f32.ln())].into_iter().map(f64::from).collect()
        )
    );
    assert_eq!(both(&[1e-40, 0.0]).0, [0.5, 0.5]);
    // All of a group is NaN where one of it is; the other group is not touched.
    for bad in [f64::NAN, INF] {
        let x = [bad, 1.0, 2.0, 1.0, 0.0, 1.0];
        let y = forward::<f32>(softmax::forward, &[1, 1, 3, 1, 2], &x, Axis::Positions, 1.0);
        let log = forward::<f32>(softmax::log_forward, &[1, 1, 3, 1, 2], &x, Axis::Positions, 1.0);
        for i in 0..6 {
            assert_eq!((y[i].is_nan(), log[i].is_nan()), (i % 2 == 0, i % 2 == 0));
        }
    }
    // exp underflows, its logarithm does not.
    let (y, log) = both(&[0.0, -200.0]);
    assert_eq!((y, log), (vec![1.0, 0.0], vec![0.0, -200.0]));
}

#[test]
fn a_million_values_sum_to_one() {
    let x: Vec<f64> = normals(3, 1_000_000);
    let y = forward::<f32>(softmax::forward, &[1, 1, 1_000_000], &x, Axis::Features, 1.0);
    assert!((y.iter().sum::<f64>() - 1.0).abs() < 1e-5);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut plan = Plan::new("test");
    let x = crate::ops::input(&mut plan, "x", &[2, 3, 4]).unwrap();
    for t in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = softmax::forward(&mut plan, "s", x, Axis::Features, t).unwrap_err();
        assert!(matches!(error, PlanError::Settings { .. }));
    }
    let error = softmax::forward(&mut plan, "s", x, Axis::Positions, 1.0).unwrap_err();
    assert!(matches!(error, PlanError::Shape { .. }));
    let large = crate::ops::input(&mut plan, "large", &[1, 1, 2_000_000]).unwrap();
    let error = softmax::forward(&mut plan, "s", large, Axis::Features, 1.0).unwrap_err();
    assert!(matches!(error, PlanError::Iterations { .. }));
}

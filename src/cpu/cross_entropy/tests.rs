use crate::cpu::testing::{Ran, assert_near, golden, normals, slopes};
use crate::exec::TwinOf;
use crate::ops::{self, cross_entropy};
use crate::plan::{Plan, PlanError};

struct Batch<'a> {
    dims: [usize; 3],
    labels: &'a [u32],
    weight: &'a [f64],
    norm: &'a [f64],
    scale: f32,
}

impl Batch<'_> {
    /// losses and d_logits
    fn forward<T: TwinOf>(&self, z: &[f64]) -> [Vec<f64>; 2] {
        let mut plan = Plan::new("test");
        let logits = ops::input(&mut plan, "logits", &self.dims).unwrap();
        let labels = ops::index_input(&mut plan, "labels", &self.dims[..2]).unwrap();
        let weight = ops::input(&mut plan, "weight", &self.dims[..2]).unwrap();
        let norm = ops::input(&mut plan, "norm", &self.dims[..1]).unwrap();
        let (losses, d_logits) =
            cross_entropy::forward(&mut plan, "ce", logits, labels, weight, norm, self.scale).unwrap();
        let mut ran = Ran::<T>::new(&plan);
        ran.set(logits, z);
        ran.set_index(labels, self.labels);
        ran.set(weight, self.weight);
        ran.set(norm, self.norm);
        ran.run();
        [ran.get(losses), ran.get(d_logits)]
    }
}

#[test]
fn plain_and_weighted_are_those_of_pytorch() {
    let labels: Vec<u32> = golden("cross_entropy/labels").iter().map(|&x| x as u32).collect();
    let class_weights = golden("cross_entropy/class_weights");
    for (kind, weights) in [("plain", vec![1.0; 4]), ("weighted", class_weights)] {
        let weight: Vec<f64> = labels.iter().map(|&label| weights[label as usize]).collect();
        let norm = [weight.iter().sum::<f64>()];
        let batch = Batch { dims: [1, 6, 4], labels: &labels, weight: &weight, norm: &norm, scale: 1.0 };
        let [losses, d_z] = batch.forward::<f64>(&golden("cross_entropy/z"));
        let loss = losses.iter().sum::<f64>() / norm[0];
        assert_near(&[loss], &golden(&format!("cross_entropy/{kind}/loss")), 1e-12, 0.0);
        assert_near(&d_z, &golden(&format!("cross_entropy/{kind}/d_z")), 1e-12, 1e-16);
    }
}

#[test]
fn d_logits_is_the_slope_of_the_mean_loss() {
    let norm = [1.5, 4.0];
    let batch = Batch {
        dims: [2, 2, 5],
        labels: &[0, 4, 2, 2],
        weight: &[1.0, 0.5, 0.0, 2.0],
        norm: &norm,
        scale: 3.0,
    };
    let z = normals(1, 20);
    let [_, d_z] = batch.forward::<f64>(&z);
    let expected = slopes(&z, |z| {
        let [losses, _] = batch.forward::<f64>(z);
        losses.iter().enumerate().map(|(row, loss)| 3.0 * loss / norm[row / 2]).sum()
    });
    assert_near(&d_z, &expected, 1e-8, 1e-8);
}

#[test]
fn closed_forms_and_huge_logits() {
    let batch = Batch { dims: [1, 1, 2], labels: &[0], weight: &[1.0], norm: &[1.0], scale: 1.0 };
    let [losses, d_z] = batch.forward::<f64>(&[0.0, 3f64.ln()]);
    assert_near(&losses, &[4f64.ln()], 1e-15, 0.0);
    assert_near(&d_z, &[-0.75, 0.75], 1e-15, 0.0);
    let [losses, d_z] = batch.forward::<f32>(&[-1e30, 1e30]);
    assert_near(&losses, &[2e30], 1e-6, 0.0);
    assert_eq!(d_z, [-1.0, 1.0]);
    let [losses, d_z] = batch.forward::<f32>(&[1e30, 1e30]);
    assert_near(&losses, &[2f64.ln()], 1e-6, 0.0);
    assert_eq!(d_z, [-0.5, 0.5]);
    let [losses, d_z] = batch.forward::<f32>(&[1.0, f64::NEG_INFINITY]);
    assert_eq!((losses, d_z), (vec![0.0], vec![0.0, 0.0]));
    let [losses, d_z] = batch.forward::<f32>(&[f64::NEG_INFINITY, 1.0]);
    assert_eq!((losses, d_z), (vec![f64::INFINITY], vec![-1.0, 1.0]));
    // One class: nothing to learn.
    let one = Batch { dims: [1, 1, 1], ..batch };
    assert_eq!(one.forward::<f64>(&[5.0]), [vec![0.0], vec![0.0]]);
}

#[test]
fn nan_stays_in_its_row_and_weight_or_norm_of_zero_stops_it() {
    let z = [f64::NAN, 1.0, 0.0, 1.0];
    let run = |labels: [u32; 2], weight: [f64; 2], norm: f64, z: &[f64]| {
        let batch = Batch { dims: [1, 2, 2], labels: &labels, weight: &weight, norm: &[norm], scale: 1.0 };
        batch.forward::<f32>(z)
    };
    let [losses, d_z] = run([1, 1], [1.0, 1.0], 2.0, &z);
    assert!(losses[0].is_nan() && d_z[0].is_nan() && d_z[1].is_nan());
    assert!(losses[1].is_finite() && d_z[2].is_finite());
    let [losses, d_z] = run([1, 1], [0.0, 1.0], 1.0, &z);
    assert!(losses[0] == 0.0 && d_z[..2] == [0.0; 2] && losses[1] > 0.0);
    assert_eq!(run([1, 1], [0.0, 0.0], 0.0, &z), [vec![0.0; 2], vec![0.0; 4]]);
    // A gradient needs a norm; a label needs to be a class.
    assert_eq!(run([1, 1], [1.0, 1.0], 0.0, &[0.0; 4])[1], [0.0; 4]);
    let [losses, d_z] = run([2, u32::MAX], [1.0, 1.0], 2.0, &[0.0; 4]);
    assert!(losses.iter().chain(&d_z).all(|x| x.is_nan()));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut plan = Plan::new("test");
    let logits = ops::input(&mut plan, "logits", &[1, 2, 3]).unwrap();
    let labels = ops::index_input(&mut plan, "labels", &[1, 2]).unwrap();
    let weight = ops::input(&mut plan, "weight", &[1, 2]).unwrap();
    let norm = ops::input(&mut plan, "norm", &[1]).unwrap();
    let error = cross_entropy::forward(&mut plan, "ce", logits, labels, norm, norm, 1.0).unwrap_err();
    assert!(matches!(error, PlanError::Shape { .. }));
    let error = cross_entropy::forward(&mut plan, "ce", logits, labels, weight, norm, f32::NAN).unwrap_err();
    assert!(matches!(error, PlanError::Settings { .. }));
}

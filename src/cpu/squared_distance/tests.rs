use crate::cpu::testing::{Alignment, assert_is_an_alignment_loss};
use crate::ops::softmax::Axis;
use crate::ops::squared_distance;
use crate::plan::{Plan, PlanError, TensorId};

/// The signature of the divergences; a distance has neither axis nor temperature.
#[allow(clippy::too_many_arguments)]
fn forward(
    plan: &mut Plan,
    label: &str,
    target: TensorId,
    z: TensorId,
    weight: TensorId,
    norm: TensorId,
    _: Axis,
    _: f32,
) -> Result<(TensorId, TensorId), PlanError> {
    squared_distance::forward(plan, label, target, z, weight, norm)
}

#[test]
fn d_z_is_the_slope_of_the_mean_loss() {
    assert_is_an_alignment_loss(forward);
}

#[test]
fn the_loss_is_a_mean_over_the_picture() {
    let shape = Alignment { weight: &[2.0], ..Alignment::row(forward, &[1, 1, 2, 1, 2]) };
    let [losses, d_z] = shape.forward::<f32>(&[1.0, 0.0, 0.0, -1.0], &[3.0, 0.0, 1.0, -1.0]);
    assert_eq!(losses, [2.0 * 5.0 / 4.0]);
    assert_eq!(d_z, [2.0, 0.0, 1.0, 0.0]);
}

//! Shapes for doctor and the tests.

use super::*;
use crate::ops::{Case, Fill, Tolerance, input};
use crate::plan::Variants;

const UNIT: [usize; 2] = [1, 1];

/// Input, C_out and windows of every case.
fn shapes() -> Vec<([usize; 5], usize, Settings)> {
    let settings = |kernel, stride, padding, dilation| Settings { kernel, stride, padding, dilation };
    vec![
        ([1, 1, 1, 1, 1], 1, settings(UNIT, UNIT, [0, 0], UNIT)),
        ([2, 3, 9, 7, 4], 8, settings([3, 3], UNIT, UNIT, UNIT)),
        ([1, 2, 25, 33, 1], 16, settings([5, 5], [2, 2], [2, 2], UNIT)),
        ([3, 1, 9, 7, 13], 4, settings([3, 3], [2, 2], UNIT, UNIT)),
        ([2, 2, 9, 7, 8], 13, settings([3, 2], [1, 2], [0, 1], UNIT)),
        ([1, 3, 25, 33, 4], 4, settings([3, 3], UNIT, [2, 2], [2, 2])),
        ([2, 1, 7, 9, 16], 20, settings([2, 3], [3, 1], [1, 3], [3, 2])),
        ([1, 2, 8, 8, 16], 32, settings([3, 3], UNIT, UNIT, UNIT)),
        ([2, 3, 17, 19, 20], 68, settings([3, 3], UNIT, [3, 4], UNIT)), // blocks side by side, windows of padding
        ([1, 2, 9, 13, 8], 36, settings([3, 3], [2, 1], [2, 1], [2, 1])),
        ([2, 2, 5, 11, 8], 20, settings([3, 3], UNIT, [2, 1], UNIT)), // a run past the end of its row
        ([1, 3, 10, 16, 1], 20, settings([3, 3], [2, 1], [1, 0], [2, 1])),
        ([1, 5, 4, 6, 12], 12, settings(UNIT, UNIT, [0, 0], UNIT)),
        ([1, 1, 3, 3, 4], 4, settings([3, 3], [2, 2], [3, 3], UNIT)), // windows of padding alone
    ]
}

/// Every direction at every shape.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &shapes())
}

/// Dimensions of x, C_out and windows.
pub(crate) type At = ([usize; 5], usize, Settings);

/// Every direction at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[At]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(x_dims, channels_out, settings) in shapes {
        for kernel in ["conv2d_forward", "conv2d_backward_input", "conv2d_backward_weight"] {
            cases.push(case(variants, kernel, x_dims, channels_out, settings)?);
        }
    }
    Ok(cases)
}

fn case(
    variants: &Variants,
    kernel: &'static str,
    x_dims: [usize; 5],
    channels_out: usize,
    settings: Settings,
) -> Result<Case, PlanError> {
    let mut plan = Plan::with_variants(kernel, variants);
    let Settings { kernel: [k_h, k_w], stride, padding, dilation } = settings;
    let [replicas, _, _, _, channels_in] = x_dims;
    let weight_dims = [replicas, k_h, k_w, channels_in, channels_out];
    let x = input(&mut plan, "x", &x_dims)?;
    let weight = input(&mut plan, "weight", &weight_dims)?;
    let bias = input(&mut plan, "bias", &[replicas, channels_out])?;
    let shape = Shape::new(&plan, kernel, &x_dims, weight, settings)?;
    let d_y = input(&mut plan, "d_y", &shape.y_dims())?;
    let (inputs, terms) = match kernel {
        "conv2d_forward" => {
            forward(&mut plan, "conv", x, weight, bias, settings, replicas == 2)?;
            (vec![x, weight, bias], k_h * k_w * channels_in + 1)
        }
        "conv2d_backward_input" => {
            backward_input(&mut plan, "conv", d_y, weight, &x_dims, settings)?;
            (vec![d_y, weight], k_h * k_w * channels_out)
        }
        _ => {
            let d_weight = plan.activation("d_weight", &weight_dims)?;
            backward_weight(&mut plan, "conv", x, d_y, d_weight, settings)?;
            // However the positions are cut, no path is longer than all of them.
            (vec![x, d_y], shape.positions())
        }
    };
    Ok(Case {
        kernel,
        shape: format!(
            "{x_dims:?} to {channels_out}, kernel {k_h}×{k_w}, stride {stride:?}, padding {padding:?}, \
             dilation {dilation:?}"
        ),
        plan,
        inputs: inputs.into_iter().map(|input| (input, Fill::Normal(1.0))).collect(),
        tolerance: Tolerance::Dot { terms },
    })
}

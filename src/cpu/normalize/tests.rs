use super::*;
use crate::cpu::check::{assert_close, call, differences, normal};

/// Two replicas, three pictures, four positions, six channels in three groups.
const P: Normalization = Normalization {
    replicas: 2,
    batch: 3,
    positions: 4,
    channels: 6,
    groups: 3,
    span: 1,
    slices: 1,
    slice_length: 12,
};

fn forward(p: &Normalization, reads: [&[f64]; 4]) -> Vec<f64> {
    call(forward::run::<f64>, p, &reads, 144)
}

#[test]
fn forward_is_its_formula_for_statistics_of_a_picture_and_of_a_batch() {
    let (x, weight, bias) = (normal(144, 1), normal(12, 2), normal(12, 3));
    for (span, groups) in [(1, 3), (3, 6)] {
        let p = Normalization { span, groups, ..P };
        let (span, groups) = (span as usize, groups as usize);
        let statistics = normal(6 / span * groups * 2, 4);
        let expected: Vec<f64> = (0..144)
            .map(|i| {
                let (row, c) = (i / 24, i % 6);
                let at = (row / span * groups + c / (6 / groups)) * 2;
                weight[row / 3 * 6 + c] * (x[i] - statistics[at]) * statistics[at + 1] + bias[row / 3 * 6 + c]
            })
            .collect();
        assert_close(&forward(&p, [&x, &statistics, &weight, &bias]), &expected, 1e-14);
    }
}

#[test]
fn the_gradient_of_the_scale_is_the_slope_and_its_slices_add_up() {
    let (x, statistics, bias) = (normal(144, 1), normal(36, 4), normal(12, 3));
    let (weight, d_y) = (normal(12, 2), normal(144, 5));
    let d_weight = call(backward_weight::run::<f64>, &P, &[&x, &statistics, &d_y], 12);
    let slopes = differences(&weight, &d_y, |weight| forward(&P, [&x, &statistics, weight, &bias]));
    assert_close(&d_weight, &slopes, 1e-9);

    // Slices that end within a picture.
    let cut = Normalization { slices: 3, slice_length: 5, ..P };
    let parts = call(backward_weight::run::<f64>, &cut, &[&x, &statistics, &d_y], 36);
    let sums: Vec<f64> = (0..12).map(|i| (0..3).map(|s| parts[(i / 6 * 3 + s) * 6 + i % 6]).sum()).collect();
    assert_close(&sums, &d_weight, 1e-14);
}

#[test]
fn sums_over_more_positions_than_a_block_hold_each_once() {
    let sums = channel_sums(2, 3..200, |position, sums: &mut [f64]| {
        sums[0] += position as f64;
        sums[1] += 1.0;
    });
    assert_eq!(*sums, [(3..200).sum::<usize>() as f64, 197.0]);
}

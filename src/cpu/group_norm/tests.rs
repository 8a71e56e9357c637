use super::*;
use crate::cpu::check::{assert_close, call, differences, normal};
use crate::cpu::normalize::{self, Normalization};

/// Two replicas of three pictures, 70 positions, six channels in three groups.
const P: GroupNorm = GroupNorm { rows: 6, batch: 3, positions: 70, channels: 6, groups: 3, epsilon: 1e-3 };
const LEN: usize = 6 * 70 * 6;

fn statistics(x: &[f64]) -> Vec<f64> {
    call(statistics::run::<f64>, &P, &[x], 6 * 3 * 2)
}

/// y, with the statistics found anew: what backward_input is the derivative of.
fn whole(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let p = Normalization {
        replicas: 2,
        batch: 3,
        positions: 70,
        channels: 6,
        groups: 3,
        span: 1,
        slices: 1,
        slice_length: 210,
    };
    call(normalize::forward::run::<f64>, &p, &[x, &statistics(x), weight, bias], LEN)
}

#[test]
fn statistics_are_mean_and_inverse_deviation_of_each_group() {
    let x: Vec<f64> = normal(LEN, 1).iter().map(|x| 3.0 + 2.0 * x).collect();
    let found = statistics(&x);
    for (block, found) in found.chunks(2).enumerate() {
        let (row, group) = (block / 3, block % 3);
        let own: Vec<f64> = (0..140).map(|i| x[(row * 70 + i / 2) * 6 + group * 2 + i % 2]).collect();
        let mean = own.iter().sum::<f64>() / 140.0;
        let variance = own.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 140.0;
        let epsilon = f64::from(P.epsilon);
        assert_close(found, &[mean, 1.0 / (variance + epsilon).sqrt()], 1e-13);
    }
}

#[test]
fn a_constant_group_becomes_its_shift() {
    let y = whole(&vec![7.0; LEN], &normal(12, 2), &normal(12, 3));
    let bias = normal(12, 3);
    let expected: Vec<f64> = (0..LEN).map(|i| bias[i / (LEN / 2) * 6 + i % 6]).collect();
    assert_close(&y, &expected, 1e-12);
}

#[test]
fn backward_input_is_the_derivative_through_the_statistics_too() {
    let (x, d_y) = (normal(LEN, 1), normal(LEN, 5));
    let (weight, bias) = (normal(12, 2), normal(12, 3));
    let d_x = call(backward_input::run::<f64>, &P, &[&x, &statistics(&x), &weight, &d_y], LEN);
    // A hundred of the 2,520, from all over.
    let slopes = |picked: &[f64]| {
        let mut moved = x.clone();
        picked.iter().enumerate().for_each(|(i, &value)| moved[i * 25] = value);
        whole(&moved, &weight, &bias)
    };
    let picked: Vec<f64> = x.iter().step_by(25).copied().collect();
    let expected = differences(&picked, &d_y, slopes);
    let found: Vec<f64> = d_x.iter().step_by(25).copied().collect();
    assert_close(&found, &expected, 1e-7);
}

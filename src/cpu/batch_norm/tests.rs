use super::*;
use crate::cpu::check::{Twin, assert_close, call, differences, normal};
use crate::cpu::normalize::{self, Normalization};
use crate::cpu::{Args, Slice};

/// Two replicas, four pictures, three positions, five channels.
const P: BatchNorm = BatchNorm {
    replicas: 2,
    batch: 4,
    positions: 3,
    channels: 5,
    slices: 1,
    slice_length: 12,
    momentum: 0.25,
    epsilon: 1e-3,
};
const LEN: usize = 2 * 4 * 3 * 5;
/// One picture of each replica does not count.
const PRESENT: [f64; 8] = [1.0, 0.0, 2.0, 0.5, 1.0, 1.0, 1.0, 0.0];

fn moments(x: &[f64], present: &[f64]) -> [Vec<f64>; 2] {
    let sums = call(sum::run::<f64>, &P, &[x, present], 10);
    let squares = call(squares::run::<f64>, &P, &[x, present, &sums], 10);
    [sums, squares]
}

/// Statistics, and the running ones after a step from mean 1 and variance 2.
fn finish(x: &[f64], present: &[f64]) -> [Vec<f64>; 3] {
    let [sums, squares] = moments(x, present);
    let (mut statistics, mut mean, mut variance) = (vec![f64::NAN; 20], vec![1.0; 10], vec![2.0; 10]);
    let slices = [
        Slice::Read(&sums),
        Slice::Read(&squares),
        Slice::Read(present),
        Slice::Write(&mut statistics),
        Slice::Write(&mut mean),
        Slice::Write(&mut variance),
    ];
    finish::run::<f64>(&mut Args::new(bytemuck::bytes_of(&P), slices)).unwrap();
    [statistics, mean, variance]
}

fn shared() -> Normalization {
    let (slices, slice_length) = (1, 12);
    Normalization {
        replicas: 2,
        batch: 4,
        positions: 3,
        channels: 5,
        groups: 5,
        span: 4,
        slices,
        slice_length,
    }
}

fn whole(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let [statistics, ..] = finish(x, &PRESENT);
    call(normalize::forward::run::<f64>, &shared(), &[x, &statistics, weight, bias], LEN)
}

#[test]
fn statistics_are_those_of_the_pictures_that_count() {
    let x: Vec<f64> = normal(LEN, 1).iter().map(|x| 4.0 + x).collect();
    let [statistics, mean, variance] = finish(&x, &PRESENT);
    for i in 0..10 {
        let (replica, c) = (i / 5, i % 5);
        let own: Vec<f64> = (0..12)
            .filter(|m| PRESENT[replica * 4 + m / 3] != 0.0)
            .map(|m| x[(replica * 12 + m) * 5 + c])
            .collect();
        assert_eq!(own.len(), 9);
        let average = own.iter().sum::<f64>() / 9.0;
        let squares: f64 = own.iter().map(|x| (x - average) * (x - average)).sum();
        let epsilon = f64::from(P.epsilon);
        assert_close(&statistics[i * 2..][..2], &[average, 1.0 / (squares / 9.0 + epsilon).sqrt()], 1e-13);
        assert_close(&[mean[i], variance[i]], &[0.75 + 0.25 * average, 1.5 + 0.25 * squares / 8.0], 1e-13);
    }
}

#[test]
fn a_batch_without_pictures_moves_nothing() {
    let [statistics, mean, variance] = finish(&normal(LEN, 1), &[0.0; 8]);
    assert!(statistics.iter().all(|x| x.is_finite()));
    assert_eq!((mean, variance), (vec![1.0; 10], vec![2.0; 10]));
}

#[test]
fn slices_add_up() {
    let x = normal(LEN, 1);
    let [sums, squares] = moments(&x, &PRESENT);
    let cut = BatchNorm { slices: 3, slice_length: 5, ..P };
    let add = |twin: Twin, reads: &[&[f64]]| -> Vec<f64> {
        let parts = call(twin, &cut, reads, 30);
        (0..10).map(|i| (0..3).map(|s| parts[(i / 5 * 3 + s) * 5 + i % 5]).sum()).collect()
    };
    assert_close(&add(sum::run::<f64>, &[&x, &PRESENT]), &sums, 1e-14);
    assert_close(&add(squares::run::<f64>, &[&x, &PRESENT, &sums]), &squares, 1e-14);
}

#[test]
fn backward_input_is_the_derivative_through_the_statistics_too() {
    let (x, weight, bias) = (normal(LEN, 1), normal(10, 2), normal(10, 3));
    // A gradient everywhere, also where a picture does not count.
    let d_y = normal(LEN, 4);
    let [statistics, ..] = finish(&x, &PRESENT);
    let d_weight = call(normalize::backward_weight::run::<f64>, &shared(), &[&x, &statistics, &d_y], 10);
    let d_bias: Vec<f64> =
        (0..10).map(|i| (0..12).map(|m| d_y[(i / 5 * 12 + m) * 5 + i % 5]).sum()).collect();
    let reads: [&[f64]; 5] = [&statistics, &weight, &d_weight, &d_bias, &PRESENT];
    let coefficients = call(coefficients::run::<f64>, &P, &reads, 40);
    let d_x = call(backward_input::run::<f64>, &P, &[&x, &coefficients, &d_y, &PRESENT], LEN);
    assert_close(&d_x, &differences(&x, &d_y, |x| whole(x, &weight, &bias)), 1e-7);
}

#[test]
fn with_running_statistics_the_layer_is_linear() {
    let (x, weight, bias, d_y) = (normal(LEN, 1), normal(10, 2), normal(10, 3), normal(LEN, 4));
    let variance: Vec<f64> = normal(10, 6).iter().map(|x| x * x).collect();
    let statistics = call(running::run::<f64>, &P, &[&normal(10, 5), &variance], 20);
    let epsilon = f64::from(P.epsilon);
    assert_close(&statistics[..2], &[normal(10, 5)[0], 1.0 / (variance[0] + epsilon).sqrt()], 1e-14);
    let forward =
        |x: &[f64]| call(normalize::forward::run::<f64>, &shared(), &[x, &statistics, &weight, &bias], LEN);
    let d_x = call(normalize::backward_input::run::<f64>, &shared(), &[&statistics, &weight, &d_y], LEN);
    assert_close(&d_x, &differences(&x, &d_y, forward), 1e-8);
}

use super::*;
use crate::cpu::check::normal;

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&x| x as f32).collect()
}

/// m, k, n: single elements, remainders of every block of rows and register of columns, rows too long to stay.
const SIZES: [[usize; 3]; 10] = [
    [1, 1, 1],
    [4, 3, 8],
    [5, 7, 9],
    [13, 16, 17],
    [3, 40, 2],
    [12, 25, 16],
    [25, 9, 32],
    [7, 11, 48],
    [31, 5, 33],
    [9, 6, 144],
];

#[test]
fn both_kinds_of_right_factor_give_the_defining_sums() {
    for [m, k, n] in SIZES {
        let (a, b, bias) = (normal(m * k, 1), normal(k * n, 2), normal(n, 3));
        let expected: Vec<f64> = (0..m * n)
            .map(|at| (0..k).fold(bias[at % n], |sum, i| sum + a[at / n * k + i] * b[i * n + at % n]))
            .collect();
        let b_t: Vec<f64> = (0..n * k).map(|at| b[at % k * n + at / k]).collect();
        let (rows, terms) = (even(m, k), even(k, 1));
        let left = Left { data: &a, rows: &rows, terms: &terms };
        let finish = Finish { bias: Some(&bias), relu: false };
        for right in [Right::rows(&b, n), Right::transposed(&b_t, n, k, &terms)] {
            let mut c = vec![f64::NAN; m * n];
            multiply_rows(left, &right, finish, &mut c, 2);
            assert_eq!(c, expected, "{m}×{k}×{n}");
        }
    }
}

#[test]
fn f32_stays_within_the_bound_of_its_sums() {
    const U: f64 = 1.0 / (1u64 << 24) as f64;
    for [m, k, n] in SIZES {
        let (a, b, bias) = (narrow(&normal(m * k, 1)), narrow(&normal(k * n, 2)), narrow(&normal(n, 3)));
        let (rows, terms) = (even(m, k), even(k, 1));
        let left = Left { data: &a, rows: &rows, terms: &terms };
        // Rows of c in reverse, one element apart, which no one may touch.
        let places: Vec<usize> = (0..m).rev().map(|i| i * (n + 1)).collect();
        for relu in [false, true] {
            let mut c = vec![f32::NAN; m * (n + 1)];
            multiply(left, &Right::rows(&b, n), Finish { bias: Some(&bias), relu }, &mut c, &places);
            for (i, &place) in places.iter().enumerate() {
                assert!(c[place + n].is_nan());
                for j in 0..n {
                    let terms = (0..k).map(|t| f64::from(a[i * k + t]) * f64::from(b[t * n + j]));
                    let start = f64::from(bias[j]);
                    let sum = terms.clone().sum::<f64>() + start;
                    let size = terms.map(f64::abs).sum::<f64>() + start.abs();
                    let expected = if relu { sum.max(0.0) } else { sum };
                    let error = (f64::from(c[place + j]) - expected).abs();
                    assert!(error <= (k + 2) as f64 * U * size * 1.0001, "{m}×{k}×{n} at {i}, {j}: {error}");
                }
            }
        }
    }
}

#[test]
fn a_row_has_the_same_bits_wherever_it_stands() {
    let [m, k, n] = [31, 37, 40];
    let (a, b) = (narrow(&normal(m * k, 1)), narrow(&normal(k * n, 2)));
    let (rows, terms, right) = (even(m, k), even(k, 1), Right::rows(&b, n));
    let mut whole = vec![0.0; m * n];
    multiply_rows(Left { data: &a, rows: &rows, terms: &terms }, &right, Finish::PLAIN, &mut whole, m);
    for (&row, whole) in rows.iter().zip(whole.chunks_exact(n)) {
        let mut alone = vec![0.0; n];
        multiply(Left { data: &a, rows: &[row], terms: &terms }, &right, Finish::PLAIN, &mut alone, &[0]);
        assert_eq!(alone, whole);
    }
}

#[test]
fn a_nan_and_an_infinity_come_through() {
    let a = [1.0f32, f32::NAN, f32::NEG_INFINITY, -1.0];
    let mut c = [0.0f32; 4];
    let left = Left { data: &a, rows: &[0, 1, 2, 3], terms: &[0] };
    multiply_rows(left, &Right::rows(&[1.0], 1), Finish { bias: None, relu: true }, &mut c, 4);
    assert!(c[1].is_nan());
    assert_eq!([c[0], c[2], c[3]], [1.0, 0.0, 0.0]);
}

#[test]
fn a_sum_of_no_terms_is_its_start() {
    let mut c = [f32::NAN; 4];
    let left = Left { data: &[0.0f32; 2], rows: &[0, 1], terms: &[] };
    let right = Right::transposed(&[], 2, 1, &[]);
    multiply(left, &right, Finish { bias: Some(&[3.0, -4.0]), relu: true }, &mut c, &[0, 2]);
    assert_eq!(c, [3.0, 0.0, 3.0, 0.0]);
}

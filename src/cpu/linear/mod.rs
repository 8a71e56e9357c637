//! Linear layer: y = x W + b.

pub mod backward_input;
pub mod backward_weight;
pub mod forward;

use super::parallel;

/// Rows of a product to a chunk of work, of which there are many.
const ROWS: usize = 24;

/// Pictures to a chunk of work. Each chunk reads all of the weights, so there are as few as there are threads, or a multiple
/// where a chunk would have more pictures than stay in a cache beside them; whole blocks of 12.
fn pictures(batch: usize) -> usize {
    let threads = parallel::threads();
    let chunks = threads * batch.div_ceil(threads * 4 * ROWS).max(1);
    batch.div_ceil(chunks).next_multiple_of(12).max(ROWS)
}

crate::params! {
    /// Uniform of all three directions.
    pub struct Linear {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// D_in.
        features_in: u32,
        /// D_out.
        features_out: u32,
        /// S, backward_weight only.
        slices: u32,
        /// Pictures per slice, backward_weight only.
        slice_length: u32,
        /// 1 for a ReLU behind the forward direction.
        relu: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::{Twin, assert_close, call, differences, normal};

    const FORWARD: Twin = forward::run::<f64>;
    const P: Linear = Linear {
        replicas: 2,
        batch: 5,
        features_in: 7,
        features_out: 3,
        slices: 1,
        slice_length: 5,
        relu: 0,
    };

    #[test]
    fn forward_is_x_w_plus_b() {
        let (x, weight, bias) = (normal(70, 1), normal(42, 2), normal(6, 3));
        let expected: Vec<f64> = (0..30)
            .map(|at| {
                let (n, o, r) = (at / 3, at % 3, at / 15);
                let products = (0..7).map(|i| x[n * 7 + i] * weight[r * 21 + i * 3 + o]);
                bias[r * 3 + o] + products.sum::<f64>()
            })
            .collect();
        assert_close(&call(FORWARD, &P, &[&x, &weight, &bias], 30), &expected, 1e-14);
        let clipped: Vec<f64> = expected.iter().map(|y| y.max(0.0)).collect();
        let relu = Linear { relu: 1, ..P };
        assert_close(&call(FORWARD, &relu, &[&x, &weight, &bias], 30), &clipped, 1e-14);
    }

    #[test]
    fn backward_agrees_with_central_differences() {
        let (x, weight, bias, d_y) = (normal(70, 1), normal(42, 2), normal(6, 3), normal(30, 4));
        let d_x = call(backward_input::run::<f64>, &P, &[&d_y, &weight], 70);
        let expected = differences(&x, &d_y, |x| call(FORWARD, &P, &[x, &weight, &bias], 30));
        assert_close(&d_x, &expected, 1e-9);

        let d_weight = call(backward_weight::run::<f64>, &P, &[&x, &d_y], 42);
        let expected = differences(&weight, &d_y, |weight| call(FORWARD, &P, &[&x, weight, &bias], 30));
        assert_close(&d_weight, &expected, 1e-9);

        let cut = Linear { slices: 2, slice_length: 3, ..P };
        let parts = call(backward_weight::run::<f64>, &cut, &[&x, &d_y], 84);
        let sums: Vec<f64> =
            (0..42).map(|i| parts[i / 21 * 42 + i % 21] + parts[i / 21 * 42 + 21 + i % 21]).collect();
        assert_close(&sums, &d_weight, 1e-14);
    }
}

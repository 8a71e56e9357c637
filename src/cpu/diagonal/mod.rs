//! Diagonal linear layer: z = w ⊙ x + b, one weight and one bias per feature.

pub mod backward_input;
pub mod backward_weight;
pub mod forward;

crate::params! {
    /// Uniform of all three directions.
    pub struct Diagonal {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// D.
        features: u32,
        /// S, backward_weight only.
        slices: u32,
        /// Pictures per slice, backward_weight only.
        slice_length: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::{Twin, assert_close, call, differences, normal};

    const FORWARD: Twin = forward::run::<f64>;
    const P: Diagonal = Diagonal { replicas: 2, batch: 3, features: 5, slices: 1, slice_length: 3 };

    #[test]
    fn forward_and_its_derivatives() {
        let (x, weight, bias, d_z) = (normal(30, 1), normal(10, 2), normal(10, 3), normal(30, 4));
        let expected: Vec<f64> =
            (0..30).map(|i| weight[i / 15 * 5 + i % 5] * x[i] + bias[i / 15 * 5 + i % 5]).collect();
        assert_close(&call(FORWARD, &P, &[&x, &weight, &bias], 30), &expected, 1e-15);

        let d_x = call(backward_input::run::<f64>, &P, &[&d_z, &weight], 30);
        let by_differences = differences(&x, &d_z, |x| call(FORWARD, &P, &[x, &weight, &bias], 30));
        assert_close(&d_x, &by_differences, 1e-9);

        let d_weight = call(backward_weight::run::<f64>, &P, &[&x, &d_z], 10);
        let by_differences = differences(&weight, &d_z, |weight| call(FORWARD, &P, &[&x, weight, &bias], 30));
        assert_close(&d_weight, &by_differences, 1e-9);

        let cut = Diagonal { slices: 2, slice_length: 2, ..P };
        let parts = call(backward_weight::run::<f64>, &cut, &[&x, &d_z], 20);
        let sums: Vec<f64> =
            (0..10).map(|i| parts[i / 5 * 10 + i % 5] + parts[i / 5 * 10 + 5 + i % 5]).collect();
        assert_close(&sums, &d_weight, 1e-15);
    }
}

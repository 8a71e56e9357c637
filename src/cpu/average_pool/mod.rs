//! Global average pooling: the mean of each channel over all positions.

pub mod backward;
pub mod forward;

crate::params! {
    /// Uniform of both directions.
    pub struct AveragePool {
        /// R · N.
        images: u32,
        /// H · W.
        positions: u32,
        /// C.
        channels: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::check::{assert_close, call, differences, normal};

    #[test]
    fn means_and_their_derivative() {
        let p = AveragePool { images: 2, positions: 6, channels: 3 };
        let (x, d_y) = (normal(36, 1), normal(6, 2));
        let y = call(forward::run::<f64>, &p, &[&x], 6);
        let expected: Vec<f64> =
            (0..6).map(|i| (0..6).map(|at| x[i / 3 * 18 + at * 3 + i % 3]).sum::<f64>() / 6.0).collect();
        assert_close(&y, &expected, 1e-14);
        let d_x = call(backward::run::<f64>, &p, &[&d_y], 36);
        let by_differences = differences(&x, &d_y, |x| call(forward::run::<f64>, &p, &[x], 6));
        assert_close(&d_x, &by_differences, 1e-8);
    }
}

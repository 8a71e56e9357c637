//! Error bounds for kernels with exp, log and division, from what WGSL promises of its functions (WebGPU Shading
//! Language, "Accuracy of Concrete Floating Point Expressions"): sums and products correctly rounded, division
//! within 2.5 ULP, exp(x) within 3 + 2·|x| ULP, log within 3 ULP or 2⁻²¹ near 1, square roots as 1 / inverseSqrt,
//! 2 + 2.5 ULP.

use crate::cpu::lanes::LANES;

/// A unit in the last place, relative to the value.
pub const ULP: f64 = 1.0 / (1u32 << 23) as f64;

/// Relative error of exp((x − max) / T) where |x − max| / T ≤ `range`: that of exp, and the difference's rounding and
/// the quotient's in the exponent.
pub fn exp_of_quotient(range: f64) -> f64 {
    (3.0 + 2.0 * range + 3.0 * range) * ULP
}

/// Error of a sum of `len` values over 64 lanes and a tree, relative to the sum of their absolute values.
pub fn lanes_sum(len: usize) -> f64 {
    (len.div_ceil(LANES) + LANES.ilog2() as usize) as f64 * 0.5 * ULP
}

/// Relative error of a softmax over `len` values.
pub fn softmax(len: usize, range: f64) -> f64 {
    2.0 * exp_of_quotient(range) + lanes_sum(len) + 2.5 * ULP
}

/// Absolute error of a log-softmax over `len` values: of the quotient, of the sum, of its logarithm.
pub fn log_softmax(len: usize, range: f64) -> f64 {
    let log_sum = (len as f64).ln();
    let log = f64::max(1.0 / (1u32 << 21) as f64, 3.0 * log_sum * ULP);
    3.5 * range * ULP + exp_of_quotient(range) + lanes_sum(len) + log + 0.5 * log_sum * ULP
}

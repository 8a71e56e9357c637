//! Softmax at a temperature, within groups of values; its uniform serves `log_softmax` too.

pub mod backward;
pub mod forward;

use super::{Real, lanes};

crate::params! {
    /// Uniform of softmax and log-softmax: a tensor `[rows, length, inner]` cut into rows · inner groups.
    pub struct Softmax {
        /// rows · inner.
        groups: u32,
        /// Values in a group.
        length: u32,
        /// Distance of the values of a group: 1, or the number of channels.
        inner: u32,
        /// T, by which logits are divided.
        temperature: f32,
    }
}

/// max and log Σ exp((x − max) / T) of the values x(i), i < length. A NaN that max drops comes back in the sum.
pub(super) fn log_sum_exp<T: Real>(length: usize, temperature: T, x: impl Fn(usize) -> T) -> (T, T) {
    let largest = lanes::max(length, &x);
    (largest, lanes::sum(length, |i| ((x(i) - largest) / temperature).exp()).ln())
}

#[cfg(test)]
mod tests;

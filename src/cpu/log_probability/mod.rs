//! The summed log-probabilities Σ_k log p_k of a row of logits: their gradient, and how that gradient moves.

pub mod backward;
pub mod second_backward;

use super::Real;

crate::params! {
    /// Uniform of both kernels.
    pub struct LogProbability {
        /// R·N.
        rows: u32,
        /// K.
        classes: u32,
    }
}

/// exp(z − max z) of a row into `out`; returns the sum.
fn exponentials<T: Real>(z: &[T], out: &mut [T]) -> T {
    let largest = z.iter().fold(T::NEG_INFINITY, |a, &b| a.max(b));
    let mut sum = T::ZERO;
    for (e, &z) in out.iter_mut().zip(z) {
        *e = (z - largest).exp();
        sum += *e;
    }
    sum
}

#[cfg(test)]
mod tests;

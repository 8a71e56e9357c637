//! Group normalisation (Wu and He 2018): every picture for itself, its channels in groups.

use super::{Real, Scratch};

pub mod backward_input;
pub mod statistics;

crate::params! {
    /// Uniform of both kernels.
    pub struct GroupNorm {
        /// R·N.
        rows: u32,
        /// N.
        batch: u32,
        /// P = H·W.
        positions: u32,
        /// C.
        channels: u32,
        /// G.
        groups: u32,
        /// Added to the variance.
        epsilon: f32,
    }
}

/// The sums of each group from those of its channels.
pub(super) fn of_groups<T: Real>(sums: &[T], groups: usize) -> Scratch<T> {
    let total = |group: &[T]| group.iter().fold(T::ZERO, |sum, &x| sum + x);
    sums.chunks_exact(sums.len() / groups).map(total).collect()
}

#[cfg(test)]
mod tests;

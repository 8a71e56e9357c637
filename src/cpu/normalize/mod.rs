//! What group and batch normalisation share: the normalised map with scale and shift, and the gradient of the scale.

use super::{Real, Scratch};

pub mod backward_input;
pub mod backward_weight;
pub mod forward;

crate::params! {
    /// Uniform of both directions.
    pub struct Normalization {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// P = H·W.
        positions: u32,
        /// C.
        channels: u32,
        /// G, each of C / G neighbouring channels.
        groups: u32,
        /// Pictures that share their statistics: 1, or N.
        span: u32,
        /// S, backward_weight only.
        slices: u32,
        /// Rows per slice, backward_weight only.
        slice_length: u32,
    }
}

impl Normalization {
    /// Mean and inverse deviation of every channel in picture `row` = r·N + n, for statistics `[R·N / span, G, 2]`.
    pub(super) fn channels<T: Real>(&self, statistics: &[T], row: usize) -> [Scratch<T>; 2] {
        let (groups, channels) = (self.groups as usize, self.channels as usize);
        let own = &statistics[row / self.span as usize * groups * 2..][..groups * 2];
        [0, 1].map(|field| (0..channels).map(|c| own[c / (channels / groups) * 2 + field]).collect())
    }
}

/// Sums over positions that `add` adds to, one per channel: 64 positions at a time, so that long sums stay accurate.
#[inline(always)]
pub(super) fn channel_sums<T: Real>(
    channels: usize,
    positions: std::ops::Range<usize>,
    mut add: impl FnMut(usize, &mut [T]),
) -> Scratch<T> {
    let zeros = || Scratch::filled(channels, T::ZERO);
    let (mut total, mut part) = (zeros(), zeros());
    for first in positions.clone().step_by(64) {
        part.fill(T::ZERO);
        for position in first..(first + 64).min(positions.end) {
            add(position, &mut part);
        }
        total.iter_mut().zip(&part).for_each(|(total, &part)| *total += part);
    }
    total
}

#[cfg(test)]
mod tests;

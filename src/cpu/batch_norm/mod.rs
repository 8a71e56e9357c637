//! Batch normalisation (Ioffe and Szegedy 2015): each channel over the pictures of a batch that count.

use super::normalize::channel_sums;
use super::{Real, Scratch};

pub mod backward_input;
pub mod coefficients;
pub mod finish;
pub mod running;
pub mod squares;
pub mod sum;

crate::params! {
    /// Uniform of all kernels.
    pub struct BatchNorm {
        /// R.
        replicas: u32,
        /// N.
        batch: u32,
        /// P = H·W.
        positions: u32,
        /// C.
        channels: u32,
        /// S of a cut sum.
        slices: u32,
        /// Rows per slice.
        slice_length: u32,
        /// Share of the running statistics that a batch replaces.
        momentum: f32,
        /// Added to the variance.
        epsilon: f32,
    }
}

impl BatchNorm {
    /// Values of a channel that count: positions of the pictures of a replica whose weight is not 0.
    fn values<T: Real>(&self, present: &[T], replica: usize) -> usize {
        let own = &present[replica * self.batch as usize..][..self.batch as usize];
        own.iter().filter(|&&weight| weight != T::ZERO).count() * self.positions as usize
    }

    /// The sums of one slice over the rows that count, a function of a row's values added for each.
    fn slice<T: Real>(&self, present: &[T], i: usize, mut add: impl FnMut(usize, &mut [T])) -> Scratch<T> {
        let (replica, slice) = (i / self.slices as usize, i % self.slices as usize);
        let (batch, positions) = (self.batch as usize, self.positions as usize);
        let first = slice * self.slice_length as usize;
        let end = (first + self.slice_length as usize).min(batch * positions);
        channel_sums(self.channels as usize, first..end, |m, sums: &mut [T]| {
            if present[replica * batch + m / positions] != T::ZERO {
                add(replica * batch * positions + m, sums);
            }
        })
    }
}

#[cfg(test)]
mod tests;

//! Where training is: a pass of an epoch, a batch of the pass, a command of the batch. Touches no device.

use std::ops::Range;

use crate::exec::{Costs, Loaded};
use crate::model::Dimensions;
use crate::random::Random;
use crate::train::{PADDING, padded};

/// The place that training goes on from.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cursor {
    /// Epochs done.
    pub(super) epoch: usize,
    /// Passes of the epoch that are done.
    pub(super) pass: usize,
    /// Batches of the pass that are done.
    pub(super) batch: usize,
    /// Commands of the batch that are done.
    pub(super) command: usize,
    /// Batches since the trainer was made.
    pub(super) steps: u64,
    /// The pictures of the epoch, in the order of their numbers, padding for those that were removed since; empty before it begins.
    pub(super) pictures: Vec<u32>,
}

/// Commands of one pass that make up a submission, and where they lead.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) plan: Loaded,
    /// Ranges of the plan's commands, batch after batch.
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) then: Cursor,
    pub(super) seconds: f64,
    pub(super) ends_pass: bool,
}

impl Cursor {
    /// Whether it stands between two batches.
    pub(super) fn between_batches(&self) -> bool {
        self.command == 0
    }

    /// Batches of a pass of this epoch.
    pub(super) fn batches(&self, batch: usize) -> usize {
        self.pictures.len().div_ceil(batch)
    }

    /// The order of a pass's pictures that a stream gives, padded to the length of `train.order`.
    pub(super) fn order(&self, seed: u64, stream: u64, dimensions: &Dimensions) -> Vec<u32> {
        let permutation = Random::new(seed, stream).permutation(self.pictures.len());
        padded(permutation.into_iter().map(|i| self.pictures[i as usize]), dimensions)
    }

    /// For each batch of an order, whether some picture of it is explained.
    pub(super) fn explained(&self, order: &[u32], batch: usize, explained: &[bool]) -> Vec<bool> {
        let is = |&i: &u32| i != PADDING && explained.get(i as usize).copied().unwrap_or(false);
        order.chunks(batch).take(self.batches(batch)).map(|batch| batch.iter().any(is)).collect()
    }

    /// The commands of a pass that fit into so many seconds, at least one; up to the end of the pass, or of the batch at hand.
    pub(super) fn chunk(
        &self,
        plan: Loaded,
        costs: &Costs,
        batches: usize,
        seconds: f64,
        within_batch: bool,
    ) -> Chunk {
        let mut then = self.clone();
        let (mut ranges, mut left, mut any) = (Vec::new(), seconds, false);
        while then.batch < batches {
            let mut end = costs.fitting(then.command, left);
            if end == then.command {
                if any {
                    break;
                }
                end += 1;
            }
            any = true;
            left -= costs.estimate(then.command..end);
            ranges.push(then.command..end);
            then.command = end;
            if end < costs.len() {
                break;
            }
            (then.command, then.batch, then.steps) = (0, then.batch + 1, then.steps + 1);
            if within_batch {
                break;
            }
        }
        Chunk { plan, ranges, ends_pass: then.batch == batches, then, seconds: seconds - left }
    }

    /// The start of the next pass, or of the next epoch.
    pub(super) fn next_pass(&mut self, passes: usize) {
        (self.pass, self.batch, self.command) = (self.pass + 1, 0, 0);
        if self.pass == passes {
            (self.epoch, self.pass) = (self.epoch + 1, 0);
            self.pictures.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five commands of 1 µs, and where chunks of so many of them end.
    fn walk(batches: usize, commands_at_once: f64, within_batch: bool) -> Vec<(usize, usize, usize)> {
        let costs = Costs::new([800.0; 5].into_iter());
        let mut cursor = Cursor { pictures: vec![0; 6], ..Cursor::default() };
        let mut seen = Vec::new();
        loop {
            let chunk = cursor.chunk(Loaded(0), &costs, batches, commands_at_once * 1.0001e-6, within_batch);
            let count = chunk.ranges.iter().map(|range| range.len()).sum();
            seen.push((chunk.then.batch, chunk.then.command, count));
            cursor = chunk.then;
            if chunk.ends_pass {
                return seen;
            }
        }
    }

    #[test]
    fn chunks_hold_what_fits_and_at_least_one_command() {
        assert_eq!(walk(1, 0.1, false), [(0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 4, 1), (1, 0, 1)]);
        assert_eq!(walk(1, 2.0, false), [(0, 2, 2), (0, 4, 2), (1, 0, 1)]);
        assert_eq!(walk(2, 4.0, false), [(0, 4, 4), (1, 3, 4), (2, 0, 2)]);
        assert_eq!(walk(2, 100.0, false), [(2, 0, 10)]);
        assert_eq!(walk(2, 100.0, true), [(1, 0, 5), (2, 0, 5)]);
    }

    #[test]
    fn a_pass_ends_an_epoch_after_the_last() {
        let mut cursor = Cursor { pictures: vec![3, 4], batch: 1, ..Cursor::default() };
        cursor.next_pass(2);
        assert_eq!((cursor.epoch, cursor.pass, cursor.batch, cursor.pictures.len()), (0, 1, 0, 2));
        cursor.next_pass(2);
        assert_eq!((cursor.epoch, cursor.pass, cursor.pictures.len()), (1, 0, 0));
    }

    #[test]
    fn an_order_holds_each_picture_once_and_padding() {
        let cursor = Cursor { pictures: vec![1, 4, 6], ..Cursor::default() };
        let dimensions = Dimensions { count: 9, batch: 2, steps: 4, packed: true, augmented: false };
        let mut order = cursor.order(7, 0, &dimensions);
        assert_eq!(order.len(), 8);
        assert_eq!(order, cursor.order(7, 0, &dimensions));
        let explained: Vec<bool> = (0..9).map(|i| i == 4).collect();
        let taken = cursor.explained(&order, 2, &explained);
        assert_eq!(taken.len(), 2);
        assert_eq!(taken.iter().filter(|&&taken| taken).count(), 1);
        order.sort_unstable();
        assert_eq!(order, [1, 4, 6, PADDING, PADDING, PADDING, PADDING, PADDING]);
    }
}

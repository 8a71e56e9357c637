//! Reductions in the order of `shaders/shared/tree.wgsl`: 64 lanes that stride through the values, then a tree.

use super::{Real, Scratch};

/// Invocations of a workgroup that reduces.
pub const LANES: usize = 64;

/// Σ value(i) over i < len.
pub fn sum<T: Real>(len: usize, value: impl FnMut(usize) -> T) -> T {
    reduce(len, T::ZERO, value, |a, b| a + b)
}

/// The largest value(i) over i < len; a NaN counts as missing.
pub fn max<T: Real>(len: usize, value: impl FnMut(usize) -> T) -> T {
    reduce(len, T::NEG_INFINITY, value, larger)
}

/// The larger one, where `a` is not NaN; a NaN counts as missing.
#[inline(always)]
pub fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

fn reduce<T: Real>(
    len: usize,
    start: T,
    mut value: impl FnMut(usize) -> T,
    combine: impl Fn(T, T) -> T,
) -> T {
    let mut lanes = [start; LANES];
    for stride in (0..len).step_by(LANES) {
        for (lane, i) in lanes.iter_mut().zip(stride..len) {
            *lane = combine(*lane, value(i));
        }
    }
    tree(&mut lanes, combine)
}

#[inline(always)]
fn tree<T: Real>(lanes: &mut [T], combine: impl Fn(T, T) -> T) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (a, &b) in low.iter_mut().zip(&*high) {
            *a = combine(*a, b);
        }
        width /= 2;
    }
    lanes[0]
}

/// All groups of a row `[length, inner]` at once: chunk after chunk of [`Groups::width`] values is combined lane by lane,
/// so that neighbours share a vector register. The lanes are the channels, or those of the one group of the row, which
/// then come together in a tree; either way a lane holds its group's result in the end.
#[derive(Clone, Copy, Debug)]
pub struct Groups {
    inner: usize,
}

impl Groups {
    /// Groups of values that are `inner` apart, 1 or the number of channels.
    pub fn new(inner: usize) -> Self {
        Self { inner }
    }

    /// Lanes.
    pub fn width(self) -> usize {
        if self.inner == 1 { LANES } else { self.inner }
    }

    /// Combines the values of each group.
    #[inline(always)]
    pub fn reduce<T: Real>(self, values: &[T], start: T, combine: impl Fn(T, T) -> T) -> Scratch<T> {
        let mut lanes = Scratch::filled(self.width(), start);
        for values in values.chunks(self.width()) {
            for (lane, &value) in lanes.iter_mut().zip(values) {
                *lane = combine(*lane, value);
            }
        }
        if self.inner == 1 {
            let result = tree(&mut lanes, combine);
            lanes.fill(result);
        }
        lanes
    }

    /// A function of each group's result.
    #[inline(always)]
    pub fn each<T: Real>(self, results: &[T], f: impl Fn(T) -> T) -> Scratch<T> {
        if self.inner == 1 {
            Scratch::filled(LANES, f(results[0]))
        } else {
            results.iter().map(|&x| f(x)).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_value_counts_once_at_any_length() {
        for len in [0, 1, 2, 63, 64, 65, 128, 1000] {
            assert_eq!(super::sum(len, |i| i as f64), (0..len).sum::<usize>() as f64);
            assert_eq!(super::max(len, |i| -(i as f64)), if len == 0 { f64::NEG_INFINITY } else { 0.0 });
        }
    }

    #[test]
    fn groups_are_reduced_side_by_side() {
        for (length, inner) in [(1, 1), (65, 1), (1000, 1), (7, 3), (100, 70)] {
            let values: Vec<f64> = (0..length * inner).map(|i| (i * 37 % 101) as f64).collect();
            let groups = super::Groups::new(inner);
            let sums = groups.reduce(&values, 0.0, |a, b| a + b);
            let largest = groups.reduce(&values, f64::NEG_INFINITY, super::larger);
            for lane in 0..groups.width() {
                let own = || values.iter().skip(lane % inner).step_by(inner);
                assert_eq!(sums[lane], own().sum::<f64>());
                assert_eq!(largest[lane], own().copied().fold(0.0, f64::max));
            }
            assert_eq!(*groups.each(&sums, |x| -x), sums.iter().map(|x| -x).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_nan_is_kept_by_the_sum_and_skipped_by_the_maximum() {
        let values = [1.0f32, f32::NAN, 3.0];
        assert!(super::sum(3, |i| values[i]).is_nan());
        assert_eq!(super::max(3, |i| values[i]), 3.0);
    }
}

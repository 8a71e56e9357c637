//! Reductions in the order of `shaders/shared/tree.wgsl`: 64 lanes that stride through the values, then a tree.

use super::Real;

/// Invocations of a workgroup that reduces.
pub const LANES: usize = 64;

/// Σ value(i) over i < len.
pub fn sum<T: Real>(len: usize, value: impl FnMut(usize) -> T) -> T {
    reduce(len, T::ZERO, value, |a, b| a + b)
}

/// The largest value(i) over i < len; a NaN counts as missing.
pub fn max<T: Real>(len: usize, value: impl FnMut(usize) -> T) -> T {
    reduce(len, T::NEG_INFINITY, value, T::max)
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
    fn a_nan_is_kept_by_the_sum_and_skipped_by_the_maximum() {
        let values = [1.0f32, f32::NAN, 3.0];
        assert!(super::sum(3, |i| values[i]).is_nan());
        assert_eq!(super::max(3, |i| values[i]), 3.0);
    }
}

//! Dispatch sizes: pure arithmetic, no device.

/// Workgroups per dimension that every WebGPU device allows.
pub const MAX_GROUPS: u64 = 65_535;

/// A grid of at least `groups` workgroups, folded near-square into y past 65,535 of them; `None` past 65,535².
/// Kernels take their index from `group_index` (shaders/shared/grid.wgsl) and leave when it is too large.
pub fn fold(groups: u64) -> Option<[u32; 3]> {
    if groups <= MAX_GROUPS {
        return Some([groups.max(1) as u32, 1, 1]);
    }
    let mut x = (groups as f64).sqrt().ceil() as u64;
    while x * x < groups {
        x += 1;
    }
    let y = groups.div_ceil(x);
    (x <= MAX_GROUPS).then_some([x as u32, y as u32, 1])
}

/// Into how many slices a reduction over `len` elements is cut, so that one invocation takes at most
/// `per_slice` steps. At least 1.
pub fn slices(len: usize, per_slice: usize) -> usize {
    len.div_ceil(per_slice.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_grids_stay_flat() {
        assert_eq!(fold(0), Some([1, 1, 1]));
        assert_eq!(fold(65_535), Some([65_535, 1, 1]));
        assert_eq!(fold(65_536), Some([256, 256, 1]));
        assert_eq!(fold(MAX_GROUPS * MAX_GROUPS), Some([65_535, 65_535, 1]));
        assert_eq!(fold(MAX_GROUPS * MAX_GROUPS + 1), None);
    }

    proptest! {
        #[test]
        fn a_fold_covers_and_wastes_less_than_a_row(groups in 1u64..=MAX_GROUPS * MAX_GROUPS) {
            let [x, y, z] = fold(groups).unwrap().map(u64::from);
            prop_assert_eq!(z, 1);
            prop_assert!(x <= MAX_GROUPS && y <= MAX_GROUPS);
            prop_assert!(x * y >= groups && x * y - groups < x);
        }
    }
}

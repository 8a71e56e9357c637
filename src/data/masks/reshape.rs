//! Masks of another shape: grown, boxed, moved, blurred. Pictures without an explanation stay as they are.

use crate::data::{Dataset, RELEVANT};
use crate::random::Random;

/// Rewrites the mask of every explained picture: `write(i, old, new)`, where `new` starts as zeros.
fn rewritten(data: &Dataset, mut write: impl FnMut(usize, &[u8], &mut [u8])) -> Dataset {
    let mut result = data.clone();
    let area = data.height * data.width;
    for i in data.explained_pictures() {
        let new = &mut result.masks[i * area..(i + 1) * area];
        new.fill(0);
        write(i, data.mask(i), new);
    }
    result
}

/// Rows and columns around (y, x), cut at the frame.
fn around(data: &Dataset, y: usize, x: usize, reach: usize) -> impl Iterator<Item = usize> + use<> {
    let (height, width) = (data.height, data.width);
    let rows = y.saturating_sub(reach)..(y + reach + 1).min(height);
    let columns = x.saturating_sub(reach)..(x + reach + 1).min(width);
    rows.flat_map(move |y| columns.clone().map(move |x| y * width + x))
}

/// Every mask grown by `pixels` in all directions, diagonals included: the largest value within reach.
pub fn dilated(data: &Dataset, pixels: usize) -> Dataset {
    rewritten(data, |_, old, new| {
        for (at, value) in new.iter_mut().enumerate() {
            let near = around(data, at / data.width, at % data.width, pixels);
            *value = near.map(|at| old[at]).max().unwrap_or(0);
        }
    })
}

/// Every mask as the smallest upright box around its relevant pixels; an empty one stays empty.
pub fn boxed(data: &Dataset) -> Dataset {
    rewritten(data, |_, old, new| {
        let relevant = || (0..old.len()).filter(|&at| old[at] >= RELEVANT);
        let rows = relevant().map(|at| at / data.width);
        let columns = relevant().map(|at| at % data.width);
        let (top, bottom) = (rows.clone().min(), rows.max());
        let (left, right) = (columns.clone().min(), columns.max());
        if let (Some(top), Some(bottom), Some(left), Some(right)) = (top, bottom, left, right) {
            for y in top..=bottom {
                new[y * data.width + left..=y * data.width + right].fill(255);
            }
        }
    })
}

/// Every mask moved by `pixels` along one of the eight directions, drawn for each picture. What leaves the frame is
/// lost, what comes in is irrelevant.
pub fn shifted(data: &Dataset, pixels: usize, seed: u64) -> Dataset {
    const DIRECTIONS: [(isize, isize); 8] =
        [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)];
    rewritten(data, |i, old, new| {
        let (down, right) = DIRECTIONS[Random::new(seed, i as u64).below(DIRECTIONS.len())];
        let (down, right) = (down * pixels as isize, right * pixels as isize);
        for (at, value) in new.iter_mut().enumerate() {
            let from_y = (at / data.width).checked_add_signed(-down).filter(|&y| y < data.height);
            let from_x = (at % data.width).checked_add_signed(-right).filter(|&x| x < data.width);
            if let (Some(y), Some(x)) = (from_y, from_x) {
                *value = old[y * data.width + x];
            }
        }
    })
}

/// Every mask in shades: the mean of the mask within `reach` pixels (of those inside of the frame), rounded.
pub fn softened(data: &Dataset, reach: usize) -> Dataset {
    rewritten(data, |_, old, new| {
        for (at, value) in new.iter_mut().enumerate() {
            let near = around(data, at / data.width, at % data.width, reach);
            let (sum, count) =
                near.fold((0u32, 0u32), |(sum, count), at| (sum + u32::from(old[at]), count + 1));
            *value = ((sum + count / 2) / count.max(1)) as u8;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    /// One explained picture of 4×5 with this mask, and one without an explanation.
    fn data(mask: [&str; 4]) -> Dataset {
        let own = mask.iter().flat_map(|row| row.chars()).map(|c| if c == '#' { 255 } else { 0 });
        Dataset {
            height: 4,
            width: 5,
            channels: 1,
            classes: vec!["a".into(), "b".into()],
            pixels: Pixels::Byte(vec![0; 40]),
            labels: vec![0, 1],
            masks: own.chain([7; 20]).collect(),
            explained: vec![true, false],
            names: vec![String::new(); 2],
            groups: Default::default(),
        }
    }

    fn show(data: &Dataset) -> Vec<String> {
        assert_eq!(data.mask(1), [7; 20], "a picture without an explanation is left alone");
        let shade = |value: &u8| if *value >= RELEVANT { '#' } else { '.' };
        data.mask(0).chunks(5).map(|row| row.iter().map(shade).collect()).collect()
    }

    #[test]
    fn masks_grow_in_all_directions_and_stop_at_the_frame() {
        let dot = data(["#....", ".....", ".....", "...#."]);
        assert_eq!(show(&dilated(&dot, 0)), show(&dot));
        assert_eq!(show(&dilated(&dot, 1)), ["##...", "##...", "..###", "..###"]);
        assert_eq!(show(&dilated(&dot, 9)), ["#####"; 4]);
    }

    #[test]
    fn a_box_is_the_smallest_and_an_empty_mask_stays_empty() {
        assert_eq!(
            show(&boxed(&data([".....", ".#...", "..#..", "....."]))),
            [".....", ".##..", ".##..", "....."]
        );
        assert_eq!(show(&boxed(&data(["....."; 4]))), ["....."; 4]);
    }

    #[test]
    fn a_shift_moves_by_its_length_in_one_of_eight_directions() {
        let dot = data([".....", "..#..", ".....", "....."]);
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let moved = shifted(&dot, 1, seed);
            assert_eq!(moved, shifted(&dot, 1, seed));
            let at: Vec<usize> = (0..20).filter(|&at| moved.mask(0)[at] == 255).collect();
            assert_eq!(at.len(), 1);
            seen.insert(at[0]);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [1, 2, 3, 6, 8, 11, 12, 13]);
        assert!(show(&shifted(&dot, 9, 1)).iter().all(|row| row == "....."));
    }

    #[test]
    fn soft_masks_are_means_over_what_is_inside_of_the_frame() {
        let dot = data(["#....", ".....", ".....", "....."]);
        let soft = softened(&dot, 1);
        // The corner has 4 neighbours with itself, the edge 6, the inside 9.
        assert_eq!(&soft.mask(0)[..3], [64, 43, 0]);
        assert_eq!(soft.mask(0)[6], 28);
    }
}

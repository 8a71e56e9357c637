//! Masks for the control experiments: does the explanation help, or would any mask do?

use super::{DataError, Dataset};
use crate::random::Random;

/// Every explained picture gets a mask that keeps all of it.
pub fn all_ones(data: &Dataset) -> Dataset {
    let mut result = data.clone();
    let area = data.height * data.width;
    for (i, _) in data.explained.iter().enumerate().filter(|(_, explained)| **explained) {
        result.masks[i * area..(i + 1) * area].fill(255);
    }
    result
}

/// Every explained picture gets the mask of another explained picture, of any class; each mask is used once.
pub fn shuffled(data: &Dataset, seed: u64) -> Result<Dataset, DataError> {
    let explained: Vec<usize> = (0..data.len()).filter(|&i| data.explained[i]).collect();
    if explained.len() < 2 {
        return Err(DataError::TooFewExplained { explained: explained.len() });
    }
    // Sattolo's shuffle gives one single cycle, so nobody keeps their own.
    let mut givers = explained.clone();
    let mut random = Random::new(seed, 0);
    for i in (1..givers.len()).rev() {
        givers.swap(i, random.below(i));
    }
    let mut result = data.clone();
    let area = data.height * data.width;
    for (&to, &from) in explained.iter().zip(&givers) {
        result.masks[to * area..(to + 1) * area].copy_from_slice(data.mask(from));
    }
    Ok(result)
}

/// No picture has an explanation.
pub fn without(data: &Dataset) -> Dataset {
    let mut result = data.clone();
    result.masks.fill(0);
    result.explained.fill(false);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;
    use proptest::prelude::*;

    /// Picture i has the mask `[i + 1]` where it is explained.
    fn data(explained: Vec<bool>) -> Dataset {
        let n = explained.len();
        Dataset {
            height: 1,
            width: 1,
            channels: 1,
            classes: vec!["a".into(), "b".into()],
            pixels: Pixels::Float((0..n).map(|i| i as f32 / 256.0).collect()),
            labels: (0..n).map(|i| i as u32 % 2).collect(),
            masks: explained.iter().zip(1..).map(|(&has, mark)| if has { mark } else { 0 }).collect(),
            explained,
            names: vec![String::new(); n],
        }
    }

    proptest! {
        #[test]
        fn shuffled_masks_are_a_derangement(explained in prop::collection::vec(any::<bool>(), 2..60), seed: u64) {
            let data = data(explained);
            let outcome = shuffled(&data, seed);
            if data.explained_count() < 2 {
                let refused = matches!(outcome, Err(DataError::TooFewExplained { .. }));
                prop_assert!(refused);
                return Ok(());
            }
            let outcome = outcome.unwrap();
            for i in 0..data.len() {
                if data.explained[i] {
                    prop_assert_ne!(outcome.masks[i], data.masks[i]);
                } else {
                    prop_assert_eq!(outcome.masks[i], 0);
                }
            }
            let sorted = |masks: &[u8]| { let mut m = masks.to_vec(); m.sort_unstable(); m };
            prop_assert_eq!(sorted(&outcome.masks), sorted(&data.masks));
            prop_assert_eq!(Dataset { masks: data.masks.clone(), ..outcome }, data);
        }
    }

    #[test]
    fn another_seed_gives_another_order() {
        let data = data(vec![true; 20]);
        assert_eq!(shuffled(&data, 1).unwrap(), shuffled(&data, 1).unwrap());
        assert_ne!(shuffled(&data, 1).unwrap(), shuffled(&data, 2).unwrap());
    }

    #[test]
    fn the_other_controls_change_masks_alone() {
        let data = data(vec![true, false, true]);
        let ones = all_ones(&data);
        assert_eq!(ones.masks, [255, 0, 255]);
        assert_eq!(ones.explained, data.explained);
        let none = without(&data);
        assert_eq!((none.explained_count(), none.masks), (0, vec![0; 3]));
        assert_eq!((ones.pixels, none.pixels), (data.pixels.clone(), data.pixels));
    }
}

//! Masks for the control experiments: does the explanation help, or would any mask do? And masks with errors.

use super::{DataError, Dataset, split};
use crate::random::Random;

mod reshape;

pub use reshape::{boxed, dilated, shifted, softened};

/// Every explained picture gets a mask that keeps all of it.
pub fn all_ones(data: &Dataset) -> Dataset {
    let mut result = data.clone();
    let area = data.height * data.width;
    for i in data.explained_pictures() {
        result.masks[i * area..(i + 1) * area].fill(255);
    }
    result
}

/// Every explained picture gets the mask of another explained picture, of any class; each mask is used once.
pub fn shuffled(data: &Dataset, seed: u64) -> Result<Dataset, DataError> {
    let explained: Vec<usize> = data.explained_pictures().collect();
    exchanged(data, explained, seed)
}

/// A share of the explained pictures, drawn class by class, exchange their masks among each other.
pub fn partly_shuffled(data: &Dataset, share: f64, seed: u64) -> Result<Dataset, DataError> {
    let chosen = drawn(data, share, seed)?;
    if chosen.is_empty() { Ok(data.clone()) } else { exchanged(data, chosen, seed) }
}

/// Only a share of the explained pictures, drawn class by class, keep their explanation.
pub fn kept(data: &Dataset, share: f64, seed: u64) -> Result<Dataset, DataError> {
    let chosen = drawn(data, share, seed)?;
    let mut result = without(data);
    let area = data.height * data.width;
    for i in chosen {
        result.explained[i] = true;
        result.masks[i * area..(i + 1) * area].copy_from_slice(data.mask(i));
    }
    Ok(result)
}

/// That share of the explained pictures of each class, rounded by [`split::stratified`]. The pictures of a smaller
/// share need not be among those of a larger one.
fn drawn(data: &Dataset, share: f64, seed: u64) -> Result<Vec<usize>, DataError> {
    if !(0.0..=1.0).contains(&share) {
        let (option, value) = ("the share of masks", share.to_string());
        return Err(DataError::Option { option, value, allowed: "within 0 and 1" });
    }
    let explained: Vec<usize> = data.explained_pictures().collect();
    if share == 0.0 || share == 1.0 {
        return Ok(if share == 0.0 { Vec::new() } else { explained });
    }
    let parts = split::stratified(&data.subset(&explained)?, &[share, 1.0 - share], seed)?;
    Ok(parts.into_iter().next().unwrap_or_default().into_iter().map(|i| explained[i]).collect())
}

/// The masks of these pictures go round among them; nobody keeps their own.
fn exchanged(data: &Dataset, explained: Vec<usize>, seed: u64) -> Result<Dataset, DataError> {
    if explained.len() < 2 {
        return Err(DataError::TooFewExplained { explained: explained.len() });
    }
    let givers = Random::new(seed, 0).cycle(explained.len());
    let mut result = data.clone();
    let area = data.height * data.width;
    for (&to, &giver) in explained.iter().zip(&givers) {
        let from = explained[giver as usize];
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
            groups: Default::default(),
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
    fn a_share_keeps_or_exchanges_its_masks_and_no_others() {
        let data = data((0..40).map(|i| i % 4 != 3).collect());
        for share in [0.0, 0.1, 0.5, 1.0] {
            let expected = (30.0 * share) as usize;
            let kept = kept(&data, share, 5).unwrap();
            assert_eq!(kept.explained_count(), expected, "{share}");
            for i in 0..40 {
                assert_eq!(kept.masks[i], if kept.explained[i] { data.masks[i] } else { 0 });
            }
            let wrong = partly_shuffled(&data, share, 5).unwrap();
            assert_eq!(wrong.explained, data.explained);
            let changed = (0..40).filter(|&i| wrong.masks[i] != data.masks[i]).count();
            assert_eq!(changed, expected, "{share}");
        }
        assert!(kept(&data, 1.5, 0).is_err() && partly_shuffled(&data, f64::NAN, 0).is_err());
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

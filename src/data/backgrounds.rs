//! The same pictures with other values where their explanation says that nothing matters.
//!
//! A pixel is irrelevant where the mask of an explained picture is below one half. Pictures without an explanation,
//! labels and masks stay as they are.

use super::{DataError, Dataset, Pixels, RELEVANT};
use crate::random::Random;

/// The numbers of the irrelevant pixels of a picture, `h · width + w`; none where it has no explanation.
pub fn irrelevant(data: &Dataset, picture: usize) -> impl Iterator<Item = usize> + '_ {
    let explained = data.explained.get(picture).copied().unwrap_or(false);
    let mask = if explained { data.mask(picture) } else { &[] };
    mask.iter().enumerate().filter(|(_, value)| **value < RELEVANT).map(|(pixel, _)| pixel)
}

/// The places of the irrelevant values among all pixel values.
fn places(data: &Dataset) -> impl Iterator<Item = usize> + '_ {
    let (size, channels) = (data.picture_len(), data.channels);
    (0..data.len()).flat_map(move |picture| {
        irrelevant(data, picture)
            .flat_map(move |pixel| (0..channels).map(move |c| picture * size + pixel * channels + c))
    })
}

/// Every irrelevant value drawn anew, uniform in [0, 1] (bytes: uniform in 0 … 255). Sample `sample` of a seed is
/// always the same.
pub fn sampled(data: &Dataset, seed: u64, sample: u64) -> Dataset {
    let mut random = Random::new(seed, 2 * sample);
    let mut result = data.clone();
    match &mut result.pixels {
        Pixels::Float(values) => places(data).for_each(|at| values[at] = random.unit() as f32),
        Pixels::Byte(values) => places(data).for_each(|at| values[at] = random.below(256) as u8),
    }
    result
}

/// Every irrelevant value black or white.
pub fn constant(data: &Dataset, white: bool) -> Dataset {
    let mut result = data.clone();
    match &mut result.pixels {
        Pixels::Float(values) => places(data).for_each(|at| values[at] = f32::from(u8::from(white))),
        Pixels::Byte(values) => places(data).for_each(|at| values[at] = if white { 255 } else { 0 }),
    }
    result
}

/// Every explained picture gets the background of another explained one, of any class: each pixel that is irrelevant in
/// both takes the other one's value. A pixel that is part of the other one's reason stays, so that no reason is moved.
/// Returns the pictures and, for each, whose background it has (its own number where it is not explained).
pub fn swapped(data: &Dataset, seed: u64, swap: u64) -> Result<(Dataset, Vec<usize>), DataError> {
    let explained: Vec<usize> = data.explained_pictures().collect();
    if explained.len() < 2 {
        return Err(DataError::TooFewExplained { explained: explained.len() });
    }
    let givers = Random::new(seed, 2 * swap + 1).cycle(explained.len());
    let (size, channels) = (data.picture_len(), data.channels);
    let mut result = data.clone();
    let mut from: Vec<usize> = (0..data.len()).collect();
    for (&to, &giver) in explained.iter().zip(&givers) {
        let giver = explained[giver as usize];
        from[to] = giver;
        for pixel in irrelevant(data, to).filter(|&pixel| data.mask(giver)[pixel] < RELEVANT) {
            let [to, giver] = [to, giver].map(|picture| picture * size + pixel * channels);
            match (&mut result.pixels, &data.pixels) {
                (Pixels::Float(new), Pixels::Float(old)) => {
                    new[to..to + channels].copy_from_slice(&old[giver..giver + channels]);
                }
                (Pixels::Byte(new), Pixels::Byte(old)) => {
                    new[to..to + channels].copy_from_slice(&old[giver..giver + channels]);
                }
                _ => {}
            }
        }
    }
    Ok((result, from))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pictures of 2×2×3; the last one has no explanation. Picture i holds i + 1 at every place.
    fn data(bytes: bool) -> Dataset {
        let values = (0..36).map(|at| at / 12 + 1);
        Dataset {
            height: 2,
            width: 2,
            channels: 3,
            classes: vec!["a".into(), "b".into()],
            pixels: match bytes {
                true => Pixels::Byte(values.collect()),
                false => Pixels::Float(values.map(|value| f32::from(value) / 8.0).collect()),
            },
            labels: vec![0, 1, 0],
            masks: vec![255, 0, 127, 128, 255, 255, 0, 0, 0, 0, 0, 0],
            explained: vec![true, true, false],
            names: vec![String::new(); 3],
            groups: Default::default(),
        }
    }

    /// The values at irrelevant places, and at all others.
    fn parted(data: &Dataset, of: &Dataset) -> (Vec<f32>, Vec<f32>) {
        let all: Vec<f32> = (0..of.len()).flat_map(|i| of.picture(i)).collect();
        let inside: Vec<usize> = places(data).collect();
        let pick = |wanted: bool| {
            let at = (0..all.len()).filter(|at| inside.contains(at) == wanted);
            at.map(|at| all[at]).collect::<Vec<f32>>()
        };
        (pick(true), pick(false))
    }

    #[test]
    fn only_irrelevant_values_of_explained_pictures_change() {
        for bytes in [true, false] {
            let data = data(bytes);
            assert_eq!(irrelevant(&data, 0).collect::<Vec<_>>(), [1, 2]);
            assert_eq!(irrelevant(&data, 2).count(), 0);
            let (_, kept) = parted(&data, &data);
            let black = constant(&data, false);
            let white = constant(&data, true);
            assert_eq!(parted(&data, &black), (vec![0.0; 12], kept.clone()));
            assert_eq!(parted(&data, &white), (vec![1.0; 12], kept.clone()));
            let (drawn, rest) = parted(&data, &sampled(&data, 7, 3));
            assert_eq!(rest, kept);
            assert!(drawn.iter().all(|value| (0.0..=1.0).contains(value)));
            assert_eq!(sampled(&data, 7, 3), sampled(&data, 7, 3));
            assert_ne!(sampled(&data, 7, 3), sampled(&data, 7, 4));
            assert_ne!(sampled(&data, 7, 3), sampled(&data, 8, 3));
            for other in [&black, &white] {
                assert_eq!(Dataset { pixels: data.pixels.clone(), ..other.clone() }, data);
            }
        }
    }

    #[test]
    fn samples_are_uniform() {
        let mut data = data(false);
        data.masks.fill(0);
        let values: Vec<f32> = (0..500).flat_map(|k| parted(&data, &sampled(&data, 1, k)).0).collect();
        // 12,000 values: mean 1/2 and mean square 1/3, each within five standard errors.
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let square = values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / n;
        assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(), "{mean}");
        assert!((square - 1.0 / 3.0).abs() < 5.0 * (4.0 / 45.0 / n).sqrt(), "{square}");
    }

    #[test]
    fn a_background_comes_from_another_picture_and_brings_no_reason() {
        for bytes in [true, false] {
            let data = data(bytes);
            let (swapped, from) = swapped(&data, 3, 0).unwrap();
            assert_eq!(from, [1, 0, 2]);
            // Picture 0 is irrelevant at pixels 1 and 2, picture 1 at 2 and 3: pixel 2 alone is so in both.
            for (to, giver) in [(0, 1), (1, 0)] {
                let (old, new, other) = (data.picture(to), swapped.picture(to), data.picture(giver));
                for pixel in 0..4 {
                    let expected = if pixel == 2 { &other } else { &old };
                    assert_eq!(new[pixel * 3..][..3], expected[pixel * 3..][..3], "{to}, pixel {pixel}");
                }
            }
            assert_eq!(swapped.picture(2), data.picture(2));
            assert_eq!(Dataset { pixels: data.pixels.clone(), ..swapped }, data);
        }
    }

    #[test]
    fn one_explained_picture_has_nobody_to_swap_with() {
        let mut data = data(true);
        data.explained[1] = false;
        assert!(matches!(swapped(&data, 0, 0), Err(DataError::TooFewExplained { explained: 1 })));
    }
}

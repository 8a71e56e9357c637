//! Decoy digits after Ross, Hughes and Doshi-Velez 2017: clean handwriting from a folder, decoys drawn anew for every
//! seed.
//!
//! The decoy is a 4×4 patch in a random corner. In training its grey is 255 − 25 · label, in the test that of a random
//! digit. The mask is the digit's own pixels (above 0) grown by one, without the decoy.

use std::path::Path;

use super::pictures::{CellData, VALIDATION_PICTURES};
use super::{Job, Judge, StudyError};
use crate::data::triangles::balanced;
use crate::data::{DataError, Dataset, Pixels, ReadOptions, Shares, idx, masks, read_folder};
use crate::random::Random;

/// Training pictures of a seed.
const TRAIN: usize = 1000;
/// Height and width of the decoy.
const DECOY: usize = 4;
/// Digits whose decoys the flip rate compares: the brightest grey and the darkest.
const COMPARED: [usize; 2] = [0, 9];

/// Clean digits to draw from.
#[derive(Clone, Debug)]
pub struct Digits {
    train: Dataset,
    test: Dataset,
}

/// What grey a decoy has.
#[derive(Clone, Copy)]
enum Decoy {
    None,
    OfLabel,
    Random,
    Of(usize),
}

impl Digits {
    /// Reads a folder with the four IDX files, or with `train/<digit>/` and `test/<digit>/`.
    pub fn read(root: &Path) -> Result<Self, StudyError> {
        let [train, test] = if idx::is_idx(root) {
            idx::read_idx(root)?
        } else {
            let shares = Shares { train: 0.7, val: 0.0, test: 0.3 };
            let options = ReadOptions { channels: Some(1), shares, ..ReadOptions::default() };
            let splits = read_folder(root, &options)?;
            [splits.train, splits.test]
        };
        Self::new(train, test)
    }

    /// From two parts; their masks, if there are any, are not used.
    pub fn new(train: Dataset, test: Dataset) -> Result<Self, StudyError> {
        if train.classes.len() != 10 || test.classes != train.classes {
            return Err(StudyError::Option {
                option: "--data",
                value: format!("a set of {} classes", train.classes.len()),
                remedy: "the decoys are made for the ten digits: give one folder for each".to_owned(),
            });
        }
        Ok(Self { train, test })
    }

    /// The pictures of one seed, with decoys or without.
    pub fn draw(&self, decoys: bool, job: &Job, seed: u64) -> Result<CellData, StudyError> {
        let train = job.change.train_pictures.unwrap_or(TRAIN);
        let val = if job.needs_validation() { VALIDATION_PICTURES } else { 0 };
        let parts = drawn(&self.train, "training", &[train, val], seed, 0)?;
        let kind = |decoy| if decoys { decoy } else { Decoy::None };
        let train = decorated(&parts[0], kind(Decoy::OfLabel), seed, 1);
        let val = (val > 0).then(|| decorated(&parts[1], kind(Decoy::Random), seed, 2));
        if job.judge == Judge::Validation {
            return Ok(CellData { train, val, test: None, patched: None });
        }
        // As many as there are, where a folder has fewer than asked for.
        let fewest = self.test.class_counts().into_iter().min().unwrap_or(0);
        let pictures = job.test_pictures.min(fewest * self.test.classes.len());
        let test = drawn(&self.test, "test", &[pictures], seed, 3)?.remove(0);
        let patched = |class| (class, decorated(&test, Decoy::Of(class), seed, 4));
        Ok(CellData {
            train,
            val,
            patched: decoys.then(|| COMPARED.map(patched)),
            test: Some(decorated(&test, kind(Decoy::Random), seed, 4)),
        })
    }
}

/// Parts of so many pictures, the classes in equal numbers, no picture twice.
fn drawn(
    pool: &Dataset,
    what: &str,
    counts: &[usize],
    seed: u64,
    stream: u64,
) -> Result<Vec<Dataset>, StudyError> {
    let classes = pool.classes.len();
    let mut parts = vec![Vec::new(); counts.len()];
    for class in 0..classes {
        let mut members: Vec<usize> = (0..pool.len()).filter(|&i| pool.labels[i] as usize == class).collect();
        Random::new(seed, 1000 + stream * 100 + class as u64).shuffle(&mut members);
        let wanted: Vec<usize> = counts.iter().map(|&count| balanced(count, classes)[class]).collect();
        if wanted.iter().sum::<usize>() > members.len() {
            return Err(StudyError::Option {
                option: "--data",
                value: format!("{} {what} pictures of the digit {}", members.len(), pool.classes[class]),
                remedy: format!(
                    "{} are needed, {}; add pictures",
                    wanted.iter().sum::<usize>(),
                    wanted.iter().map(usize::to_string).collect::<Vec<_>>().join(" + ")
                ),
            });
        }
        let mut rest = members.as_slice();
        for (part, count) in parts.iter_mut().zip(wanted) {
            let (own, others) = rest.split_at(count);
            part.extend_from_slice(own);
            rest = others;
        }
    }
    let subsets: Result<Vec<Dataset>, DataError> = parts.iter().map(|part| pool.subset(part)).collect();
    Ok(subsets?)
}

/// Masks, and decoys on top. Corners are the same for every kind of decoy.
fn decorated(data: &Dataset, decoy: Decoy, seed: u64, stream: u64) -> Dataset {
    let mut result = data.clone();
    let (height, width) = (data.height, data.width);
    let values: Vec<u8> = match &data.pixels {
        Pixels::Byte(values) => values.clone(),
        Pixels::Float(values) => values.iter().map(|value| (value * 255.0).round() as u8).collect(),
    };
    result.masks = values.iter().map(|&value| if value > 0 { 255 } else { 0 }).collect();
    result.explained.fill(true);
    let mut result = masks::dilated(&result, 1);
    let mut values = values;
    for i in 0..data.len() {
        let mut random = Random::new(seed, (stream << 40) | i as u64);
        let (right, bottom, other) = (random.below(2) == 1, random.below(2) == 1, random.below(10));
        let class = match decoy {
            Decoy::None => continue,
            Decoy::OfLabel => data.labels[i] as usize,
            Decoy::Random => other,
            Decoy::Of(class) => class,
        };
        let grey = 255 - 25 * class as u8;
        for at in 0..DECOY * DECOY {
            let y = if bottom { height.saturating_sub(DECOY) } else { 0 } + at / DECOY;
            let x = if right { width.saturating_sub(DECOY) } else { 0 } + at % DECOY;
            if y < height && x < width {
                values[(i * height + y) * width + x] = grey;
                result.masks[(i * height + y) * width + x] = 0;
            }
        }
    }
    result.pixels = Pixels::Byte(values);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Arm, Pictures, Setting};

    /// `each` digits per class of 10×10, one bright pixel in the middle that tells nothing.
    fn pool(each: usize) -> Dataset {
        let n = each * 10;
        let mut pixels = vec![0u8; n * 100];
        (0..n).for_each(|i| pixels[i * 100 + 55] = 1 + (i % 200) as u8);
        Dataset {
            height: 10,
            width: 10,
            channels: 1,
            classes: (0..10).map(|class| class.to_string()).collect(),
            pixels: Pixels::Byte(pixels),
            labels: (0..n).map(|i| (i % 10) as u32).collect(),
            masks: vec![0; n * 100],
            explained: vec![false; n],
            names: (0..n).map(|i| i.to_string()).collect(),
            groups: Default::default(),
        }
    }

    fn job() -> Job {
        let setting = Setting::of(Pictures::Digits);
        let arm = Arm::named("label-only", &setting).unwrap();
        Job { curve: true, ..Job::new(&setting, &arm, 1) }
    }

    fn corner(data: &Dataset, i: usize) -> (usize, u8) {
        let picture = data.picture(i);
        let corners = [0, 9, 90, 99].map(|at| (picture[at] * 255.0).round() as u8);
        let marked: Vec<usize> = (0..4).filter(|&c| corners[c] > 0).collect();
        assert_eq!(marked.len(), 1, "one decoy in one corner");
        (marked[0], corners[marked[0]])
    }

    #[test]
    fn decoys_follow_the_label_in_training_and_nothing_in_the_test() {
        let digits = Digits::new(pool(250), pool(50)).unwrap();
        let data = digits.draw(true, &job(), 7).unwrap();
        assert_eq!(data.train.class_counts(), [100; 10]);
        assert!((0..1000).all(|i| corner(&data.train, i).1 == 255 - 25 * data.train.labels[i] as u8));
        let test = data.test.unwrap();
        assert_eq!(test.class_counts(), [50; 10], "as many as there are");
        let follows = (0..500).filter(|&i| corner(&test, i).1 == 255 - 25 * test.labels[i] as u8).count();
        assert!((20..90).contains(&follows), "chance is 50 of 500: {follows}");
        // The same corners under every decoy, and no picture that the clean ones do not have.
        let [(zero, first), (nine, second)] = data.patched.unwrap();
        assert_eq!((zero, nine), (0, 9));
        assert!((0..500).all(|i| corner(&first, i).0 == corner(&test, i).0 && corner(&second, i).1 == 30));
        let val = data.val.unwrap();
        assert!(data.train.names.iter().all(|name| !val.names.contains(name)));
        // The mask is the pixel near the middle with its neighbours, less what the decoy of the last corner covers.
        assert!(data.train.explained.iter().all(|explained| *explained));
        for i in 0..100 {
            let relevant = data.train.mask(i).iter().filter(|value| **value == 255).count();
            assert_eq!(relevant, if corner(&data.train, i).0 == 3 { 8 } else { 9 });
        }
    }

    #[test]
    fn seeds_vary_and_too_small_a_pool_says_its_numbers() {
        let digits = Digits::new(pool(250), pool(50)).unwrap();
        let names = |seed| digits.draw(false, &job(), seed).unwrap().train.names;
        assert_eq!(names(1), names(1));
        assert_ne!(names(1), names(2));
        let small = Digits::new(pool(150), pool(50)).unwrap();
        let message = small.draw(true, &job(), 1).unwrap_err().to_string();
        assert!(
            message.contains("150 training pictures of the digit 0") && message.contains("200"),
            "{message}"
        );
        assert!(small.draw(true, &Job { curve: false, ..job() }, 1).is_ok());
    }
}

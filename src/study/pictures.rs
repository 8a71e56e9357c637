//! The pictures of a cell: drawn or read for a setting and a seed, changed as the cell asks, shared while in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, Weak};

use serde::{Deserialize, Serialize};

use super::{Job, Judge, Setting, StudyError};
use crate::data::triangles::{Part, PatchRule, balanced, generate};
use crate::data::{DataError, Dataset, Splits, masks};
use crate::random::Seeds;

/// What is done to the masks of the training pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskChange {
    /// Nothing.
    #[default]
    None,
    /// Only this share of the pictures keeps its explanation.
    Kept(f64),
    /// This share of the pictures exchanges masks.
    Wrong(f64),
    /// Moved by so many pixels, each picture in a direction of its own.
    Shifted(usize),
    /// In shades: the mean within so many pixels.
    Softened(usize),
}

/// How the training pictures differ from the setting's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Another number of training pictures, shared out among the classes as in the setting.
    pub train_pictures: Option<usize>,
    /// Other masks.
    pub masks: MaskChange,
}

/// All pictures of a cell.
#[derive(Debug)]
pub struct CellData {
    /// To learn from.
    pub train: Dataset,
    /// For choices; clean and balanced where it is generated.
    pub val: Option<Dataset>,
    /// To be judged by; absent where the cell is judged by validation.
    pub test: Option<Dataset>,
    /// The test pictures with the patch of one class and with that of another, and which classes these are.
    pub patched: Option<[(usize, Dataset); 2]>,
}

/// What settings draw from, beside the generators.
#[derive(Debug, Default)]
pub struct Library {
    /// Clean digits.
    pub digits: Option<super::digits::Digits>,
    /// A user's folder, split anew for every seed.
    pub folders: HashMap<u64, Splits>,
    /// Cells on the same pictures share them as long as one of them runs.
    shared: Mutex<HashMap<String, Weak<CellData>>>,
}

/// Validation pictures of a generated set.
pub const VALIDATION_PICTURES: usize = 1000;

/// Counts of each class in the proportions of `counts`, `pictures` in all.
fn proportional(counts: &[usize], pictures: usize) -> Vec<usize> {
    let all: usize = counts.iter().sum();
    let mut given = 0;
    let mut seen = 0;
    counts
        .iter()
        .map(|count| {
            seen += count;
            let upto = (seen * pictures + all / 2) / all.max(1);
            let own = upto - given;
            given = upto;
            own
        })
        .collect()
}

impl Library {
    /// The pictures of a job.
    pub fn pictures(&self, job: &Job) -> Result<Arc<CellData>, StudyError> {
        let key = format!(
            "{} {} {:?} {:?} {} {}",
            job.setting.name,
            job.seed,
            job.change,
            job.judge,
            job.test_pictures,
            job.needs_validation()
        );
        let lock = || self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = lock().get(&key).and_then(Weak::upgrade) {
            return Ok(found);
        }
        let data = Arc::new(self.draw(job)?);
        let mut shared = lock();
        shared.retain(|_, data| data.strong_count() > 0);
        shared.insert(key, Arc::downgrade(&data));
        Ok(data)
    }

    fn draw(&self, job: &Job) -> Result<CellData, StudyError> {
        let seed = Seeds::from_seed(job.seed).data;
        let mut data = match job.setting.pictures.triangles() {
            Some(_) => self.triangles(job, seed)?,
            None => match &job.setting.pictures {
                super::Pictures::Folder => self.folder(job)?,
                kind => {
                    let digits = self.digits.as_ref().ok_or_else(no_digits)?;
                    digits.draw(*kind == super::Pictures::Digits, job, seed)?
                }
            },
        };
        data.train = changed(data.train, &job.change, seed)?;
        Ok(data)
    }

    fn triangles(&self, job: &Job, seed: u64) -> Result<CellData, StudyError> {
        let Setting { pictures, .. } = &job.setting;
        let Some(set) = pictures.triangles() else { return Err(no_digits()) };
        let definition = set.definition();
        let counts = match job.change.train_pictures {
            None => definition.train_counts.to_vec(),
            Some(pictures) => proportional(definition.train_counts, pictures),
        };
        if counts.contains(&0) {
            return Err(StudyError::Option {
                option: "the number of training pictures",
                value: counts.iter().sum::<usize>().to_string(),
                remedy: format!("{} has {} classes, and each needs a picture", definition.name, counts.len()),
            });
        }
        let train = generate(set, &counts, seed, Part::Train, definition.train_patch)?;
        let clean = |pictures, part, patch| {
            generate(set, &balanced(pictures, definition.classes()), seed, part, patch)
        };
        let val = match job.needs_validation() {
            true => Some(clean(VALIDATION_PICTURES, Part::Val, PatchRule::None)?),
            false => None,
        };
        let judged = job.judge != Judge::Validation;
        let test = |patch| clean(job.test_pictures, Part::Test, patch);
        let patched = match judged && job.setting.has_patch() {
            true => Some([(0, test(PatchRule::Always(0))?), (1, test(PatchRule::Always(1))?)]),
            false => None,
        };
        Ok(CellData { train, val, test: judged.then(|| test(PatchRule::None)).transpose()?, patched })
    }

    fn folder(&self, job: &Job) -> Result<CellData, StudyError> {
        let splits = self.folders.get(&job.seed).ok_or_else(|| {
            StudyError::Data(DataError::Option {
                option: "the seed of the folder's split",
                value: job.seed.to_string(),
                allowed: "one of the seeds that the folder was read for",
            })
        })?;
        let test = (job.judge != Judge::Validation).then(|| splits.test.clone());
        Ok(CellData { train: splits.train.clone(), val: splits.val.clone(), test, patched: None })
    }
}

fn no_digits() -> StudyError {
    StudyError::Option {
        option: "--data",
        value: "missing".to_owned(),
        remedy: "the digits are no part of the program: give a folder with train/<digit>/ and test/<digit>/, or one with the four IDX files"
            .to_owned(),
    }
}

/// Applies what the cell asks of the training masks.
fn changed(train: Dataset, change: &Change, seed: u64) -> Result<Dataset, DataError> {
    Ok(match change.masks {
        MaskChange::None => train,
        MaskChange::Kept(share) => masks::kept(&train, share, seed)?,
        MaskChange::Wrong(share) => masks::partly_shuffled(&train, share, seed)?,
        MaskChange::Shifted(pixels) => masks::shifted(&train, pixels, seed),
        MaskChange::Softened(pixels) => masks::softened(&train, pixels),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_their_proportions_and_their_sum() {
        assert_eq!(proportional(&[250, 250], 50), [25, 25]);
        assert_eq!(proportional(&[450, 50], 100), [90, 10]);
        for pictures in [50, 51, 99, 2000] {
            assert_eq!(proportional(&[125; 4], pictures).iter().sum::<usize>(), pictures);
        }
    }
}

//! Image folders: `root/<class>/<image>` or `root/{train,val,test}/<class>/<image>`, with masks where there are any.
//!
//! A mask lies in a `masks` tree under the same relative path (beside the class folders, beside `train`, or inside
//! a class folder), or beside its picture as `name.mask.png`, `name_mask.png` or `name_segmentation.png`. Its
//! extension may be another one, and upper and lower case count as equal.

use super::split::{Shares, Splits, take_out, three_ways};
use super::{DataError, Dataset, Extent, Pixels};
use decode::{Loaded, Outcome};
use scan::{Item, Section};
use serde::{Deserialize, Serialize};
use std::path::Path;

mod decode;
mod scan;

pub use decode::read_picture;
pub use scan::pictures_in;

/// What the bright pixels of a mask file mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskPolarity {
    /// White is relevant.
    #[default]
    White,
    /// Black is relevant: values are turned while reading.
    Black,
}

/// How to read an image folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FolderOptions {
    /// Height and width to resize every picture to; without it all must have one size.
    pub size: Option<(usize, usize)>,
    /// 1 (grey) or 3 (colour); without it grey if every picture is grey, else colour.
    pub channels: Option<usize>,
    /// What the bright pixels of a mask file mean.
    pub mask_polarity: MaskPolarity,
    /// Go on without files that do not decode, with a warning.
    pub skip_unreadable: bool,
    /// How to split what has no folder of its own; a `val` share of 0 asks for no validation set.
    pub shares: Shares,
    /// The data seed, for the split.
    pub seed: u64,
}

/// Reads an image folder.
///
/// Pixels are bytes; masks keep their grey values. Classes are the folder names of `train` in natural order, and
/// labels of the other parts go by name. Without a `test` folder the test set is split off, without a `val` folder
/// the validation set is taken from `train`, both by [`FolderOptions::shares`].
pub fn read_folder(root: &Path, options: &FolderOptions) -> Result<Splits, DataError> {
    check(options)?;
    let mut warnings = Vec::new();
    let sections = scan::sections(root, &mut warnings)?;
    let classes = classes_by_name(&sections, &mut warnings)?;
    let extent = match options.size {
        Some((height, width)) => (width as u32, height as u32),
        None => common_size(&sections, options.skip_unreadable)?,
    };

    let mut loaded = Vec::with_capacity(sections.len());
    for section in &sections {
        loaded.push(load(section, extent, options)?);
    }
    report(&sections, &loaded, &mut warnings);
    let colour = loaded.iter().flatten().any(|outcome| outcome.loaded().is_some_and(|it| it.colour));
    let channels = options.channels.unwrap_or(if colour { 3 } else { 1 });

    let mut parts = [None, None, None];
    for (section, loaded) in sections.iter().zip(loaded) {
        parts[section.part as usize] = Some(assemble(section, loaded, &classes, extent, channels)?);
    }
    let [train, val, test] = parts;
    let train = train.ok_or_else(|| DataError::NoImages { path: root.to_path_buf() })?;
    let (shares, seed) = (options.shares, options.seed);
    let mut splits = match (val, test) {
        (None, None) => three_ways(&train, shares, seed)?,
        (val @ Some(_), None) => {
            let (train, test) = take_out(&train, shares.train, shares.test, seed)?;
            Splits { train, val, test, warnings: Vec::new() }
        }
        (None, Some(test)) if shares.val > 0.0 => {
            let (train, val) = take_out(&train, shares.train, shares.val, seed)?;
            Splits { train, val: Some(val), test, warnings: Vec::new() }
        }
        (val, Some(test)) => Splits { train, val, test, warnings: Vec::new() },
    };
    splits.warnings = warnings;
    Ok(splits)
}

fn check(options: &FolderOptions) -> Result<(), DataError> {
    options.shares.check()?;
    if let Some((height, width)) = options.size
        && !((1..=8192).contains(&height) && (1..=8192).contains(&width))
    {
        let value = format!("{height}x{width}");
        return Err(DataError::Option { option: "--size", value, allowed: "from 1x1 to 8192x8192" });
    }
    match options.channels {
        None | Some(1 | 3) => Ok(()),
        Some(other) => {
            let (option, value) = ("the number of channels", other.to_string());
            Err(DataError::Option { option, value, allowed: "1 (grey) or 3 (colour)" })
        }
    }
}

/// The classes of train, after a check that the other parts bring no new ones.
fn classes_by_name(sections: &[Section], warnings: &mut Vec<String>) -> Result<Vec<String>, DataError> {
    let Some((train, others)) = sections.split_first() else { return Ok(Vec::new()) };
    let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    for other in others {
        if let Some(class) = other.classes.iter().find(|class| !train.classes.contains(class)) {
            return Err(DataError::ClassNotInTrain {
                class: class.clone(),
                part: other.part.to_string(),
                known: list(&train.classes),
                path: other.path.join(class),
            });
        }
        let missing: Vec<String> =
            train.classes.iter().filter(|class| !other.classes.contains(class)).cloned().collect();
        if !missing.is_empty() {
            warnings.push(format!("{} has no pictures of {}", other.part, list(&missing)));
        }
    }
    if let [class] = train.classes.as_slice() {
        return Err(DataError::OneClass { path: train.path.clone(), class: class.clone() });
    }
    Ok(train.classes.clone())
}

/// The one size of all pictures, from their headers alone: no memory is spent before it is known.
fn common_size(sections: &[Section], skip_unreadable: bool) -> Result<Extent, DataError> {
    let items: Vec<&Item> = sections.iter().flat_map(|section| &section.items).collect();
    let mut first: Option<(&Item, Extent)> = None;
    for chunk in items.chunks(1024) {
        for (item, extent) in chunk.iter().zip(in_parallel(chunk, |item| decode::extent(&item.image))) {
            match (extent, first) {
                (Err(_), _) if skip_unreadable => {}
                (Err(error), _) => return Err(error),
                (Ok(extent), None) => first = Some((item, extent)),
                (Ok(extent), Some((reference, size))) if extent != size => {
                    return Err(DataError::SizesDiffer {
                        first: reference.image.clone(),
                        first_size: size,
                        second: item.image.clone(),
                        second_size: extent,
                        suggestion: extent.0.min(extent.1).min(size.0).min(size.1).min(128),
                    });
                }
                _ => {}
            }
        }
    }
    // Without any readable picture the size does not matter: the reader names what it could not read.
    Ok(first.map_or((1, 1), |(_, extent)| extent))
}

/// Decodes in parallel; in chunks, so that an error ends the work early and is always the first in order.
fn load(section: &Section, extent: Extent, options: &FolderOptions) -> Result<Vec<Outcome>, DataError> {
    let mut outcomes = Vec::with_capacity(section.items.len());
    for chunk in section.items.chunks(256) {
        for outcome in in_parallel(chunk, |item| decode::load(item, extent, options)) {
            outcomes.push(outcome?);
        }
    }
    Ok(outcomes)
}

#[cfg(feature = "threads")]
fn in_parallel<T: Sync, U: Send>(items: &[T], work: impl Fn(&T) -> U + Sync + Send) -> Vec<U> {
    use rayon::prelude::*;
    items.par_iter().map(work).collect()
}

#[cfg(not(feature = "threads"))]
fn in_parallel<T, U>(items: &[T], work: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(work).collect()
}

fn assemble(
    section: &Section,
    outcomes: Vec<Outcome>,
    classes: &[String],
    (width, height): Extent,
    channels: usize,
) -> Result<Dataset, DataError> {
    let (width, height) = (width as usize, height as usize);
    let area = width * height;
    let mut seen = vec![0usize; section.classes.len()];
    let mut values = Vec::with_capacity(outcomes.len() * area * channels);
    let (mut labels, mut masks, mut explained, mut names) = (vec![], vec![], vec![], vec![]);
    masks.reserve_exact(outcomes.len() * area);
    for (item, outcome) in section.items.iter().zip(outcomes) {
        let Outcome::Loaded(loaded) = outcome else { continue };
        seen[item.class] += 1;
        let class = &section.classes[item.class];
        labels.push(classes.iter().position(|known| known == class).unwrap_or_default() as u32);
        if channels == 3 && loaded.values.len() == area {
            values.extend(loaded.values.iter().flat_map(|&grey| [grey; 3]));
        } else {
            values.extend_from_slice(&loaded.values);
        }
        explained.push(loaded.mask.is_some());
        match &loaded.mask {
            Some(mask) => masks.extend_from_slice(&mask.values),
            None => masks.resize(masks.len() + area, 0),
        }
        names.push(item.name.clone());
    }
    if let Some(class) = seen.iter().position(|&count| count == 0) {
        return Err(DataError::ClassUnreadable {
            class: section.classes[class].clone(),
            part: section.part.to_string(),
            count: section.items.iter().filter(|item| item.class == class).count(),
        });
    }
    let (classes, pixels) = (classes.to_vec(), Pixels::Byte(values));
    let data = Dataset { height, width, channels, classes, pixels, labels, masks, explained, names };
    data.validate()?;
    Ok(data)
}

/// Warnings about what was skipped and about masks that look wrong.
fn report(sections: &[Section], outcomes: &[Vec<Outcome>], warnings: &mut Vec<String>) {
    let all = || {
        let items = sections.iter().flat_map(|section| &section.items);
        items.zip(outcomes.iter().flatten())
    };
    let skipped: Vec<&str> = all().filter_map(|(_, outcome)| outcome.skipped_image()).collect();
    if let Some(first) = skipped.first() {
        warnings.push(format!("{} unreadable images were left out; the first: {first}", skipped.len()));
    }
    let loaded = || all().filter_map(|(item, outcome)| Some((item, outcome.loaded()?)));
    let skipped: Vec<&str> = loaded().filter_map(|(_, it)| it.skipped_mask.as_deref()).collect();
    if let Some(first) = skipped.first() {
        let n = skipped.len();
        warnings.push(format!(
            "{n} unreadable masks: their pictures have no explanation now; the first: {first}"
        ));
    }

    let masks = || loaded().filter_map(|(item, it)| Some((item.mask.as_ref()?, it.mask.as_ref()?)));
    let pixels: u64 = masks().map(|(_, mask)| mask.pixels).sum();
    let between: u64 = masks().map(|(_, mask)| mask.between).sum();
    if between * 100 > pixels {
        let share = 100.0 * between as f64 / pixels as f64;
        warnings.push(format!(
            "{share:.1} % of the mask pixels are neither 0 nor 255: masks are used as they are, and above 127 counts as relevant"
        ));
    }
    let empty: Vec<_> = masks().filter(|(_, mask)| mask.values.iter().all(|&value| value <= 127)).collect();
    if let Some((path, mask)) = empty.first() {
        let hint = match mask.brightest {
            1..=127 => format!(" (its brightest value is {}: 255 means relevant)", mask.brightest),
            _ => String::new(),
        };
        let n = empty.len();
        warnings.push(format!("{n} masks mark nothing as relevant; the first: {}{hint}", path.display()));
    }
    let full: Vec<_> = masks().filter(|(_, mask)| mask.values.iter().all(|&value| value > 127)).collect();
    if let Some((path, _)) = full.first() {
        let n = full.len();
        warnings.push(format!("{n} masks mark the whole picture as relevant; the first: {}", path.display()));
    }
}

impl Outcome {
    fn loaded(&self) -> Option<&Loaded> {
        match self {
            Self::Loaded(loaded) => Some(loaded),
            Self::Skipped(_) => None,
        }
    }

    fn skipped_image(&self) -> Option<&str> {
        match self {
            Self::Loaded(_) => None,
            Self::Skipped(reason) => Some(reason),
        }
    }
}

#[cfg(test)]
mod tests;

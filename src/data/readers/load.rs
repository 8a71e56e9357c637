//! From a catalog to pictures in memory: sizes, decoding in parallel, parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Progress;
use super::catalog::{Catalog, Item, Part};
use super::masks::{self, RawMask};
use super::options::ReadOptions;
use super::{decode, unreadable};
use crate::data::split::{Splits, take_out, three_ways};
use crate::data::{DataError, Dataset, Extent, Groups, Pixels, UNLABELLED};

mod report;

/// What became of one item.
enum Outcome {
    Loaded(Loaded),
    /// The message of the error that was passed over.
    Skipped(String),
}

/// A decoded picture of the wanted size.
struct Loaded {
    /// Whether `values` has three channels.
    colour: bool,
    values: Vec<u8>,
    mask: Option<LoadedMask>,
    /// The message of the error when the mask was passed over.
    skipped_mask: Option<String>,
}

/// A mask of the wanted size, and what its file held.
struct LoadedMask {
    values: Vec<u8>,
    pixels: u64,
    between: u64,
    brightest: u8,
    any: bool,
    all: bool,
    reaches_out: bool,
}

/// Decodes everything and parts what has no parts.
pub(super) fn splits(
    catalog: &Catalog,
    options: &ReadOptions,
    progress: Option<Progress>,
) -> Result<Splits, DataError> {
    let (classes, mut warnings) = classes_by_name(catalog)?;
    let size = match options.size {
        Some((height, width)) => Size { extent: (width as u32, height as u32), of: None },
        None => first_size(&catalog.items, options.skip_unreadable)?,
    };
    let extent = size.extent;
    let outcomes = load(&catalog.items, size, options, progress)?;
    let mut all = report::oddities(catalog);
    all.append(&mut warnings);
    report::masks(&catalog.items, &outcomes, options, &mut all);
    let colour = outcomes.iter().filter_map(Outcome::loaded).any(|it| it.colour);
    let channels = options.channels.unwrap_or(if colour { 3 } else { 1 });

    let mut parts = [const { Vec::new() }; 3];
    for (item, outcome) in catalog.items.iter().zip(outcomes) {
        parts[item.part.unwrap_or(Part::Train) as usize].push((item, outcome));
    }
    let shape = Shape { extent, channels, classes, groups: groups(&catalog.items) };
    let mut assembled = Vec::new();
    for (part, items) in Part::ALL.into_iter().zip(parts) {
        assembled.push(if items.is_empty() { None } else { Some(shape.assemble(part, items)?) });
    }
    let (test, val, train) =
        (assembled.pop().flatten(), assembled.pop().flatten(), assembled.pop().flatten());
    let train = train.ok_or_else(|| DataError::NoImages { path: catalog.root.clone() })?;
    let mut splits = split(train, val, test, options)?;
    splits.warnings = all;
    Ok(splits)
}

fn split(
    train: Dataset,
    val: Option<Dataset>,
    test: Option<Dataset>,
    options: &ReadOptions,
) -> Result<Splits, DataError> {
    let (shares, seed) = (options.shares, options.seed);
    match (val, test) {
        (None, None) => three_ways(&train, shares, seed),
        (val @ Some(_), None) => {
            let (train, test) = take_out(&train, shares.train, shares.test, seed)?;
            Ok(Splits { train, val, test, warnings: Vec::new() })
        }
        (None, Some(test)) if shares.val > 0.0 => {
            let (train, val) = take_out(&train, shares.train, shares.val, seed)?;
            Ok(Splits { train, val: Some(val), test, warnings: Vec::new() })
        }
        (val, Some(test)) => Ok(Splits { train, val, test, warnings: Vec::new() }),
    }
}

/// The classes of train, after a check that the other parts bring no new ones; and what they lack, in sentences.
pub(crate) fn classes_by_name(catalog: &Catalog) -> Result<(Vec<Arc<str>>, Vec<String>), DataError> {
    let list =
        |names: &[Arc<str>]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let train = catalog.classes(Part::Train);
    if train.is_empty() {
        return Err(match catalog.parts().first() {
            Some(part) => DataError::NoTrain { path: catalog.root.clone(), part: part.to_string() },
            None => DataError::NoImages { path: catalog.root.clone() },
        });
    }
    let mut warnings = Vec::new();
    for part in catalog.parts().into_iter().filter(|part| *part != Part::Train) {
        let classes = catalog.classes(part);
        let foreign = |item: &Item| item.class.clone().filter(|class| !train.contains(class));
        if let Some((item, class)) = catalog.of(part).find_map(|item| Some((item, foreign(item)?))) {
            return Err(DataError::ClassNotInTrain {
                class: class.to_string(),
                part: part.to_string(),
                known: list(&train),
                path: item.picture.path().parent().unwrap_or(&catalog.root).to_path_buf(),
            });
        }
        let missing: Vec<Arc<str>> = train.iter().filter(|class| !classes.contains(class)).cloned().collect();
        if !missing.is_empty() {
            warnings.push(format!("{part} has no pictures of {}", list(&missing)));
        }
    }
    if let [class] = train.as_slice() {
        return Err(DataError::OneClass { path: catalog.root.clone(), class: class.to_string() });
    }
    Ok((train, warnings))
}

/// The size that pictures have in the end.
#[derive(Clone, Copy)]
struct Size<'a> {
    extent: Extent,
    /// The picture that it was taken from: all others must have it by themselves.
    of: Option<&'a Item>,
}

/// The size of the first picture, from its header.
fn first_size(items: &[Item], skip_unreadable: bool) -> Result<Size<'_>, DataError> {
    for item in items {
        match decode::extent(&item.picture) {
            Ok(extent) => return Ok(Size { extent, of: Some(item) }),
            Err(_) if skip_unreadable => {}
            Err(error) => return Err(placed(error, item)),
        }
    }
    // Without any readable picture the size does not matter: the reader names what it could not read.
    Ok(Size { extent: (1, 1), of: None })
}

/// Says which list names a file that cannot be read.
pub(crate) fn placed(error: DataError, item: &Item) -> DataError {
    match (error, &item.place) {
        (DataError::Unreadable { path, reason }, Some(place)) => {
            unreadable(&path, format!("{reason}; {place} names it"))
        }
        (error, _) => error,
    }
}

/// Decodes in parallel; in chunks, so that an error ends the work early and is always the first in order.
fn load(
    items: &[Item],
    size: Size<'_>,
    options: &ReadOptions,
    progress: Option<Progress>,
) -> Result<Vec<Outcome>, DataError> {
    let mut outcomes = Vec::with_capacity(items.len());
    let done = AtomicUsize::new(0);
    let work = |item: &Item| {
        let outcome = load_one(item, size, options).map_err(|error| placed(error, item));
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(progress) = progress {
            progress(done, items.len());
        }
        outcome
    };
    for chunk in items.chunks(256) {
        for outcome in in_parallel(chunk, work) {
            outcomes.push(outcome?);
        }
    }
    Ok(outcomes)
}

fn load_one(item: &Item, size: Size<'_>, options: &ReadOptions) -> Result<Outcome, DataError> {
    let picture = match decode::picture(&item.picture) {
        Ok(picture) => picture,
        Err(error) if options.skip_unreadable => {
            return Ok(Outcome::Skipped(placed(error, item).to_string()));
        }
        Err(error) => return Err(error),
    };
    let (own, extent) = ((picture.width(), picture.height()), size.extent);
    if let Some(first) = size.of.filter(|_| own != extent) {
        return Err(DataError::SizesDiffer {
            first: first.picture.path().to_path_buf(),
            first_size: extent,
            second: item.picture.path().to_path_buf(),
            second_size: own,
            suggestion: own.0.min(own.1).min(extent.0).min(extent.1).min(128),
        });
    }
    let (mut mask, mut skipped_mask) = (None, None);
    match masks::read(item, &picture, options) {
        Ok(raw) => mask = raw.map(|raw| LoadedMask::new(&raw, extent)),
        Err(error @ DataError::Unreadable { .. }) if options.skip_unreadable => {
            skipped_mask = Some(error.to_string());
        }
        Err(error) => return Err(error),
    }
    let colour = match options.channels {
        Some(channels) => channels == 3,
        None => decode::has_colour(&picture),
    };
    let values = decode::bytes(picture, extent, colour);
    Ok(Outcome::Loaded(Loaded { colour, values, mask, skipped_mask }))
}

impl LoadedMask {
    fn new(raw: &RawMask, extent: Extent) -> Self {
        let (any, all) = raw.marks();
        let RawMask { between, brightest, reaches_out, .. } = *raw;
        let pixels = raw.values.len() as u64;
        Self { values: raw.fitted(extent), pixels, between, brightest, any, all, reaches_out }
    }
}

#[cfg(feature = "threads")]
pub(crate) fn in_parallel<T: Sync, U: Send>(items: &[T], work: impl Fn(&T) -> U + Sync + Send) -> Vec<U> {
    use rayon::prelude::*;
    items.par_iter().map(work).collect()
}

#[cfg(not(feature = "threads"))]
pub(crate) fn in_parallel<T, U>(items: &[T], work: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().map(work).collect()
}

/// What all parts have in common.
struct Shape {
    extent: Extent,
    channels: usize,
    classes: Vec<Arc<str>>,
    groups: Vec<Arc<str>>,
}

/// The groups of all parts in natural order.
fn groups(items: &[Item]) -> Vec<Arc<str>> {
    let mut groups: Vec<Arc<str>> = items.iter().filter_map(|item| item.group.clone()).collect();
    groups.sort_by(|a, b| natord::compare(a, b).then_with(|| a.cmp(b)));
    groups.dedup();
    groups
}

impl Shape {
    fn assemble(&self, part: Part, items: Vec<(&Item, Outcome)>) -> Result<Dataset, DataError> {
        let (width, height) = (self.extent.0 as usize, self.extent.1 as usize);
        let (area, n) = (width * height, items.len());
        let mut given = vec![[0usize; 2]; self.classes.len()];
        let mut values = Vec::with_capacity(n * area * self.channels);
        let (mut labels, mut masks, mut explained, mut names) = (vec![], vec![], vec![], vec![]);
        let mut groups = Vec::new();
        masks.reserve_exact(n * area);
        for (item, outcome) in items {
            let of =
                |class: &Arc<str>| self.classes.iter().position(|known| known == class).unwrap_or_default();
            let label = item.class.as_ref().map(of);
            if let Some(label) = label {
                given[label][0] += 1;
            }
            let Outcome::Loaded(loaded) = outcome else { continue };
            match label {
                Some(label) => given[label][1] += 1,
                // Its mask was passed over, so it has nothing to teach.
                None if loaded.mask.is_none() => continue,
                None => {}
            }
            labels.push(label.map_or(UNLABELLED, |label| label as u32));
            if self.channels == 3 && loaded.values.len() == area {
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
            if let Some(group) = &item.group {
                groups.extend(self.groups.iter().position(|name| name == group).map(|at| at as u32));
            }
        }
        if let Some(class) = given.iter().position(|&[all, read]| all > 0 && read == 0) {
            let (class, count) = (self.classes[class].to_string(), given[class][0]);
            return Err(DataError::ClassUnreadable { class, part: part.to_string(), count });
        }
        let texts = |names: &[Arc<str>]| names.iter().map(|name| name.to_string()).collect();
        let data = Dataset {
            height,
            width,
            channels: self.channels,
            classes: texts(&self.classes),
            pixels: Pixels::Byte(values),
            labels,
            masks,
            explained,
            names,
            groups: Groups { names: texts(&self.groups), of: groups },
        };
        data.validate()?;
        Ok(data)
    }
}

impl Outcome {
    fn loaded(&self) -> Option<&Loaded> {
        match self {
            Self::Loaded(loaded) => Some(loaded),
            Self::Skipped(_) => None,
        }
    }

    fn skipped(&self) -> Option<&str> {
        match self {
            Self::Loaded(_) => None,
            Self::Skipped(reason) => Some(reason),
        }
    }
}

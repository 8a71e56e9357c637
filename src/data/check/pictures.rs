//! What single pictures and masks show, and what equal ones mean.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

use image::{DynamicImage, ImageFormat};

use super::super::readers::catalog::{Catalog, Explanation, Item, Picture};
use super::super::readers::masks::{self, RawMask};
use super::super::readers::{Fault, MaskThreshold, ReadOptions, decode};
use super::{Cases, part};
use crate::data::{DataError, Extent};

/// Below this standard deviation of its values (of 255) a picture shows nothing.
const CONSTANT: f64 = 1.0;
/// The share of a mask's pixels that may lie between black and white.
const BETWEEN: f64 = 0.01;

/// What is kept of one item after decoding.
pub(super) struct Seen {
    pub(super) picture: Result<Looked, DataError>,
    pub(super) mask: Option<Result<Mask, DataError>>,
}

/// A picture without its pixels.
pub(super) struct Looked {
    pub(super) size: Extent,
    pub(super) colour: bool,
    /// Equal for equal pixels, and for different ones with a chance of 2⁻¹²⁸.
    hash: [u64; 2],
    /// The largest standard deviation of a channel.
    deviation: f64,
    /// The format of the content, where the extension says another.
    other_format: Option<ImageFormat>,
}

/// A mask without its pixels.
pub(super) struct Mask {
    /// The share of relevant pixels.
    pub(super) share: f64,
    any: bool,
    all: bool,
    between: f64,
    brightest: u8,
    reaches_out: bool,
    hash: [u64; 2],
}

impl Seen {
    pub(super) fn of(item: &Item, options: &ReadOptions) -> Self {
        let picture = match decode::picture(&item.picture) {
            Ok(picture) => picture,
            Err(error) => return Self { picture: Err(error), mask: None },
        };
        let mask = masks::read(item, &picture, options).transpose();
        let mask = mask.map(|mask| mask.map(|mask| Mask::of(&mask)));
        let other_format = match &item.picture {
            Picture::File(path) => decode::other_format(path),
            Picture::Grey { .. } => None,
        };
        Self { picture: Ok(Looked::of(picture, other_format)), mask }
    }

    pub(super) fn explained(&self) -> bool {
        matches!(self.mask, Some(Ok(_)))
    }
}

impl Looked {
    fn of(picture: DynamicImage, other_format: Option<ImageFormat>) -> Self {
        let size = (picture.width(), picture.height());
        let colour = decode::has_colour(&picture);
        // In colour, so that a grey picture and its copy with three channels are equal.
        let values = picture.into_rgb8().into_raw();
        let (mut sums, mut squares) = ([0u64; 3], [0u64; 3]);
        for pixel in values.chunks_exact(3) {
            for (c, &value) in pixel.iter().enumerate() {
                sums[c] += u64::from(value);
                squares[c] += u64::from(value) * u64::from(value);
            }
        }
        let n = (values.len() / 3).max(1) as f64;
        let deviation = |c: usize| (squares[c] as f64 / n - (sums[c] as f64 / n).powi(2)).max(0.0).sqrt();
        let deviation = (0..3).map(deviation).fold(0.0, f64::max);
        Self { size, colour, hash: hash(size, &values), deviation, other_format }
    }
}

impl Mask {
    fn of(mask: &RawMask) -> Self {
        let (any, all) = mask.marks();
        let n = mask.values.len().max(1) as f64;
        let relevant = mask.values.iter().filter(|value| **value >= crate::data::RELEVANT).count();
        Self {
            share: relevant as f64 / n,
            any,
            all,
            between: mask.between as f64 / n,
            brightest: mask.brightest,
            reaches_out: mask.reaches_out,
            hash: hash(mask.size, &mask.values),
        }
    }
}

fn hash(size: Extent, values: &[u8]) -> [u64; 2] {
    [0u8, 1].map(|salt| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(salt);
        hasher.write_u32(size.0);
        hasher.write_u32(size.1);
        hasher.write(values);
        hasher.finish()
    })
}

pub(super) fn judge(catalog: &Catalog, seen: &[Seen], options: &ReadOptions, cases: &mut Cases) {
    for (item, seen) in catalog.items.iter().zip(seen) {
        match &seen.picture {
            Ok(looked) => picture(item, looked, cases),
            Err(error) => cases.of(Fault::UnreadablePicture, item, reason(error, item)),
        }
        match &seen.mask {
            Some(Ok(found)) => mask(item, found, options, cases),
            Some(Err(error)) => {
                let fault = match error {
                    DataError::MaskSize { .. } => Fault::MaskSize,
                    DataError::Unreadable { .. } => Fault::UnreadableMask,
                    _ => Fault::BadEntry,
                };
                cases.of(fault, item, reason(error, item));
            }
            None => {}
        }
    }
    copies(catalog, seen, cases);
    same_masks(catalog, seen, cases);
}

/// Without the remedy, which the finding has.
fn reason(error: &DataError, item: &Item) -> String {
    let place = item.place.as_ref().map_or(String::new(), |place| format!(" ({place})"));
    match error {
        DataError::Unreadable { path, reason } => format!("{}: {reason}{place}", path.display()),
        DataError::MaskSize { mask_size, image_size, .. } => format!(
            "the mask is {}×{}, the picture {}×{}{place}",
            mask_size.0, mask_size.1, image_size.0, image_size.1
        ),
        other => other.to_string(),
    }
}

fn picture(item: &Item, looked: &Looked, cases: &mut Cases) {
    if looked.deviation < CONSTANT {
        let detail = format!("standard deviation {:.2} of 255", looked.deviation);
        cases.of(Fault::ConstantPicture, item, detail);
    }
    if let Some(format) = looked.other_format {
        let name = format!("{format:?}").to_uppercase();
        cases.of(Fault::MislabelledFile, item, format!("its content is {name}"));
    }
}

fn mask(item: &Item, mask: &Mask, options: &ReadOptions, cases: &mut Cases) {
    if !mask.any {
        let hint = match mask.brightest {
            brightest @ 1..=254 => format!("its brightest value is {brightest}"),
            _ => String::new(),
        };
        cases.of(Fault::EmptyMask, item, hint);
    }
    if mask.all {
        cases.of(Fault::FullMask, item, "");
    }
    if mask.between > BETWEEN && options.mask_threshold != MaskThreshold::Soft {
        cases.of(Fault::GreyMask, item, format!("{:.1} % of its pixels", 100.0 * mask.between));
    }
    if mask.reaches_out {
        cases.of(Fault::ShapeOutside, item, "");
    }
}

/// Equal pictures: in several parts, of several classes, or merely twice.
fn copies(catalog: &Catalog, seen: &[Seen], cases: &mut Cases) {
    let mut of: BTreeMap<[u64; 2], Vec<&Item>> = BTreeMap::new();
    for (item, seen) in catalog.items.iter().zip(seen) {
        if let Ok(looked) = &seen.picture {
            of.entry(looked.hash).or_default().push(item);
        }
    }
    let mut groups: Vec<Vec<&Item>> = of.into_values().filter(|items| items.len() > 1).collect();
    groups.sort_by(|a, b| a[0].name.cmp(&b[0].name));
    for items in groups {
        let first = items[0];
        for copy in &items[1..] {
            let detail = format!("equals {}", first.name);
            let labels = copy.class.as_ref().zip(first.class.as_ref());
            let fault = if labels.is_some_and(|(copy, first)| copy != first) {
                Fault::ContradictingLabels
            } else if part(copy) != part(first) {
                Fault::DuplicateAcrossSplits
            } else {
                Fault::DuplicatePicture
            };
            cases.of(fault, copy, detail);
        }
    }
}

/// One mask for all is no explanation of any.
fn same_masks(catalog: &Catalog, seen: &[Seen], cases: &mut Cases) {
    let masks: Vec<(&Item, &Mask)> = catalog
        .items
        .iter()
        .zip(seen)
        .filter_map(|(item, seen)| match &seen.mask {
            Some(Ok(mask)) if !matches!(item.explanation, Explanation::None) => Some((item, mask)),
            _ => None,
        })
        .collect();
    let [(first, mask), rest @ ..] = masks.as_slice() else { return };
    // Empty and full masks are told one by one.
    if rest.len() >= 3 && mask.any && !mask.all && rest.iter().all(|(_, other)| other.hash == mask.hash) {
        cases.of(Fault::SameMask, first, format!("{} masks are equal", masks.len()));
    }
}

//! What a user is told about the data that were read, in sentences.

use super::super::catalog::{Catalog, Item};
use super::super::fault::Fault;
use super::super::options::{MaskThreshold, ReadOptions};
use super::{LoadedMask, Outcome};

/// What the reader found odd, one sentence for each kind.
pub(super) fn oddities(catalog: &Catalog) -> Vec<String> {
    let mut warnings = catalog.notes.clone();
    for &fault in Fault::ALL {
        let files: Vec<&str> =
            catalog.oddities.iter().filter(|it| it.fault == fault).map(|it| it.file.as_str()).collect();
        if let Some(first) = files.first() {
            warnings.push(fault.sentence(files.len(), first));
        }
    }
    warnings
}

/// Warnings about what was skipped and about masks that look wrong.
pub(super) fn masks(items: &[Item], outcomes: &[Outcome], options: &ReadOptions, warnings: &mut Vec<String>) {
    let skipped: Vec<&str> = outcomes.iter().filter_map(Outcome::skipped).collect();
    if let Some(first) = skipped.first() {
        warnings.push(format!("{} unreadable images were left out; the first: {first}", skipped.len()));
    }
    let loaded = || items.iter().zip(outcomes).filter_map(|(item, outcome)| Some((item, outcome.loaded()?)));
    let skipped: Vec<&str> = loaded().filter_map(|(_, it)| it.skipped_mask.as_deref()).collect();
    if let Some(first) = skipped.first() {
        let n = skipped.len();
        warnings.push(format!(
            "{n} unreadable masks: their pictures have no explanation now; the first: {first}"
        ));
    }
    let masks = || loaded().filter_map(|(item, it)| Some((item, it.mask.as_ref()?)));
    let pixels: u64 = masks().map(|(_, mask)| mask.pixels).sum();
    let between: u64 = masks().map(|(_, mask)| mask.between).sum();
    if between * 100 > pixels {
        let share = 100.0 * between as f64 / pixels as f64;
        let rule = match options.mask_threshold {
            MaskThreshold::Soft => "masks keep their greys, and above 127 counts as relevant".to_owned(),
            MaskThreshold::Above(value) => {
                format!("above {value} counts as white (--mask-threshold moves that; `soft` keeps the greys)")
            }
        };
        warnings.push(format!("{share:.1} % of the mask pixels are neither 0 nor 255: {rule}"));
    }
    let path = |item: &Item| item.explanation.path().unwrap_or(item.picture.path()).display().to_string();
    let mut tell = |fault: Fault, found: &dyn Fn(&LoadedMask) -> bool| {
        let cases: Vec<_> = masks().filter(|(_, mask)| found(mask)).collect();
        if let Some((item, mask)) = cases.first() {
            let first = match (fault, mask.brightest) {
                (Fault::EmptyMask, brightest @ 1..=254) => {
                    format!("{} (its brightest value is {brightest}: 255 means relevant)", path(item))
                }
                _ => path(item),
            };
            warnings.push(fault.sentence(cases.len(), &first));
        }
    };
    tell(Fault::EmptyMask, &|mask| !mask.any);
    tell(Fault::FullMask, &|mask| mask.all);
    tell(Fault::ShapeOutside, &|mask| mask.reaches_out);
}

//! What tells a class without looking at a picture's content: the size of its mask or of its file's picture, the
//! file's type, colour.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::readers::Fault;
use super::super::readers::catalog::Catalog;
use super::Cases;
use super::pictures::Seen;

/// An AUC further than this from one half is told, if chance alone would hardly bring it about.
const TOLD: f64 = 0.25;
/// The chance of a false report over all classes, at most.
const CHANCE: f64 = 0.01;

/// How well one number tells a class from all others, over all pictures that have it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leak {
    /// `mask size`, `picture size`, `file type` or `colour`.
    pub by: &'static str,
    /// The class that it tells best.
    pub class: String,
    /// The chance that a picture of the class has the larger number than one of another class, equal ones counted
    /// half, or 1 minus that, whichever is larger: 0.5 says nothing about the class, 1 says all.
    pub auc: f64,
    /// Balanced accuracy of the best threshold: the mean of the shares told right in the class and outside of it.
    pub balanced_accuracy: f64,
    /// Pictures of the class, and all others.
    pub pictures: [usize; 2],
    /// Whether it is large, and larger than chance explains.
    pub told: bool,
}

/// A number of some pictures, with their class.
type Values<'a> = Vec<(f64, &'a str)>;

/// Looks for leaks, and tells those that matter.
pub(super) fn judge(catalog: &Catalog, seen: &[Seen], cases: &mut Cases) -> Vec<Leak> {
    let all = || catalog.items.iter().zip(seen);
    let looked =
        || all().filter_map(|(item, seen)| Some((item, item.class.as_deref()?, seen.picture.as_ref().ok()?)));
    let masks: Values = all()
        .filter_map(|(item, seen)| match &seen.mask {
            Some(Ok(mask)) => Some((mask.share, item.class.as_deref()?)),
            _ => None,
        })
        .collect();
    let sizes: Values = looked()
        .map(|(_, class, looked)| (f64::from(looked.size.0) * f64::from(looked.size.1), class))
        .collect();
    let colours: Values =
        looked().map(|(_, class, looked)| (f64::from(u8::from(looked.colour)), class)).collect();
    let extension = |item: &super::Item| {
        let name = item.picture.path().extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match name.as_str() {
            "jpg" | "jpe" => "jpeg".to_owned(),
            _ => name,
        }
    };
    let mut types: BTreeMap<String, usize> = BTreeMap::new();
    catalog.items.iter().for_each(|item| *types.entry(extension(item)).or_default() += 1);
    // The commonest against all others.
    let common = types.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name).unwrap_or_default();
    let types: Values =
        looked().map(|(item, class, _)| (f64::from(u8::from(extension(item) == common)), class)).collect();
    let judged = [
        ("mask size", Fault::MaskPredictsLabel, masks),
        ("picture size", Fault::SizePredictsLabel, sizes),
        ("file type", Fault::TypePredictsLabel, types),
        ("colour", Fault::ColourPredictsLabel, colours),
    ];
    let mut leaks = Vec::new();
    for (by, fault, values) in judged {
        if let Some(leak) = strongest(by, values) {
            if leak.told {
                let detail = format!(
                    "AUC {:.2}: {by} alone tells {:.0} % of the pictures right (balanced; 50 % is chance)",
                    leak.auc,
                    100.0 * leak.balanced_accuracy
                );
                cases.add(fault, leak.class.clone(), detail);
            }
            leaks.push(leak);
        }
    }
    leaks
}

/// The class that a number tells best; `None` without two classes to tell apart.
fn strongest(by: &'static str, mut values: Values) -> Option<Leak> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    values.iter().for_each(|(_, class)| *sizes.entry(class).or_default() += 1);
    if sizes.len() < 2 {
        return None;
    }
    let classes = sizes.len() as f64;
    let mut best: Option<Leak> = None;
    for (class, &own) in &sizes {
        let others = values.len() - own;
        let (auc, balanced_accuracy) = separation(&values, class, [own, others]);
        // Without any leak the Mann-Whitney statistic has this spread; ties only narrow it. A normal variable is
        // beyond z with a chance of at most 2 exp(-z²/2).
        let spread = ((own + others + 1) as f64 / (12.0 * own as f64 * others as f64)).sqrt();
        let z = (2.0 * (2.0 * classes / CHANCE).ln()).sqrt();
        let told = auc - 0.5 > TOLD && auc - 0.5 > z * spread;
        // With few pictures chance reaches far, so that what is told goes before what is larger.
        if best.as_ref().is_none_or(|best| (told, auc) > (best.told, best.auc)) {
            let class = (*class).to_owned();
            best = Some(Leak { by, class, auc, balanced_accuracy, pictures: [own, others], told });
        }
    }
    best
}

/// AUC and the best threshold's balanced accuracy of a class against the rest, over values in ascending order.
fn separation(values: &[(f64, &str)], class: &str, [own, others]: [usize; 2]) -> (f64, f64) {
    let (own, others) = (own as f64, others as f64);
    // Below the value in hand; pairs that are won, ties counted half.
    let (mut own_below, mut others_below, mut won, mut accuracy) = (0.0, 0.0, 0.0, 0.5f64);
    for tie in values.chunk_by(|a, b| a.0 == b.0) {
        let mine = tie.iter().filter(|(_, of)| *of == class).count() as f64;
        let theirs = tie.len() as f64 - mine;
        won += mine * (others_below + theirs / 2.0);
        own_below += mine;
        others_below += theirs;
        // A threshold above this value, either side being the class.
        let right = (own_below / own + 1.0 - others_below / others) / 2.0;
        accuracy = accuracy.max(right).max(1.0 - right);
    }
    let auc = won / (own * others);
    (auc.max(1.0 - auc), accuracy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auc_counts_pairs() {
        // Pairs (a, b): 3 > 1, 3 > 2, 2 > 1, and a tie of 2 with 2: 3.5 of 4.
        let values = vec![(3.0, "a"), (1.0, "b"), (2.0, "a"), (2.0, "b")];
        let leak = strongest("mask size", values).unwrap();
        assert_eq!((leak.auc, leak.balanced_accuracy), (0.875, 0.75));
        assert!(!leak.told, "four pictures are no evidence");
        assert_eq!(strongest("mask size", vec![(1.0, "a"); 5]), None);
        let equal = strongest("mask size", vec![(1.0, "a"), (1.0, "b")]).unwrap();
        assert_eq!((equal.auc, equal.balanced_accuracy), (0.5, 0.5));
    }

    #[test]
    fn a_leak_is_told_when_chance_does_not_explain_it() {
        let parted = |n: usize| (0..n).flat_map(|i| [(i as f64, "a"), ((i + n) as f64, "b")]).collect();
        let strong = strongest("mask size", parted(20)).unwrap();
        assert!(strong.told && strong.auc == 1.0 && strong.balanced_accuracy == 1.0);
        assert!(!strongest("mask size", parted(3)).unwrap().told);
        // Alike but for noise: one after the other.
        let alike = (0..200).map(|i| (f64::from(i), if i % 2 == 0 { "a" } else { "b" })).collect();
        assert!(!strongest("mask size", alike).unwrap().told);
    }
}

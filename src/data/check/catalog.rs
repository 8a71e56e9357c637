//! What classes, parts and names show, without looking at a pixel.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::readers::catalog::{Catalog, Explanation};
use super::super::readers::load::classes_by_name;
use super::super::readers::{AlphaRule, Fault, Part, ReadOptions};
use super::pictures::Seen;
use super::{Cases, ClassCount, part};

/// A class this many times smaller than the largest one is told.
const IMBALANCE: usize = 20;

/// Pictures and explanations of each class in each part.
pub(super) fn counts(catalog: &Catalog, seen: &[Seen]) -> Vec<ClassCount> {
    let mut names = catalog.classes(Part::Train);
    for part in [Part::Val, Part::Test] {
        for class in catalog.classes(part) {
            if !names.contains(&class) {
                names.push(class);
            }
        }
    }
    let at: BTreeMap<&str, usize> = names.iter().enumerate().map(|(i, name)| (&**name, i)).collect();
    let empty = |name: &Arc<str>| ClassCount { class: name.to_string(), pictures: [0; 3], explained: [0; 3] };
    let mut counts: Vec<ClassCount> = names.iter().map(empty).collect();
    for (item, seen) in catalog.items.iter().zip(seen) {
        let Some(class) = &item.class else { continue };
        let count = &mut counts[at[&**class]];
        count.pictures[part(item) as usize] += 1;
        count.explained[part(item) as usize] += usize::from(seen.explained());
    }
    counts
}

pub(super) fn judge(catalog: &Catalog, options: &ReadOptions, cases: &mut Cases) {
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    let labelled = catalog.of(Part::Train).filter_map(|item| item.class.as_ref());
    labelled.for_each(|class| *sizes.entry(class).or_default() += 1);
    // A set of one class has its own finding.
    if let Ok((classes, _)) = classes_by_name(catalog) {
        let largest = sizes.values().copied().max().unwrap_or(0);
        for part in catalog.parts().into_iter().filter(|part| *part != Part::Train) {
            let own = catalog.classes(part);
            for class in classes.iter().filter(|class| !own.contains(class)) {
                cases.add(Fault::ClassNotInPart, class.to_string(), format!("not in {part}"));
            }
        }
        let parts = parts_to_draw(catalog, options);
        for class in &classes {
            let size = sizes.get(&**class).copied().unwrap_or(0);
            if size < parts.max(2) {
                let detail = match parts {
                    0 | 1 => format!("{size} in train, and 2 are the least"),
                    _ => format!("{size}, and {parts} are needed for {parts} parts"),
                };
                cases.add(Fault::SmallClass, class.to_string(), detail);
            } else if size * IMBALANCE <= largest {
                cases.add(Fault::Imbalance, class.to_string(), format!("{size} pictures beside {largest}"));
            }
        }
    }
    explanations(catalog, options, cases);
    collisions(catalog, cases);
}

/// Parts that the pictures of train will be parted into.
fn parts_to_draw(catalog: &Catalog, options: &ReadOptions) -> usize {
    let has = catalog.parts();
    let drawn = |part: Part, share: f64| usize::from(!has.contains(&part) && share > 0.0);
    1 + drawn(Part::Val, options.shares.val) + drawn(Part::Test, options.shares.test)
}

/// Classes that nobody explained.
fn explanations(catalog: &Catalog, options: &ReadOptions, cases: &mut Cases) {
    let mut explained: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    for item in catalog.of(Part::Train) {
        let Some(class) = &item.class else { continue };
        let given = !matches!(item.explanation, Explanation::None);
        *explained.entry(class).or_default() += usize::from(given);
    }
    // Alpha channels are known only after decoding.
    if explained.values().all(|count| *count == 0) {
        if options.alpha == AlphaRule::Ignore {
            cases.add(Fault::NoExplanations, "train", "");
        }
        return;
    }
    for (class, _) in explained.into_iter().filter(|(_, count)| *count == 0) {
        cases.add(Fault::ClassWithoutMasks, class.to_string(), "");
    }
}

/// Classes and files whose names are equal where case does not count.
fn collisions(catalog: &Catalog, cases: &mut Cases) {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    let mut classes: BTreeMap<String, Arc<str>> = BTreeMap::new();
    for item in &catalog.items {
        let known =
            item.class.as_ref().map(|own| (own, classes.entry(plain(own)).or_insert_with(|| own.clone())));
        if let Some((own, class)) = known
            && own != class
        {
            let detail = format!("beside {class}");
            let told = cases
                .0
                .get(&Fault::CaseCollision)
                .is_some_and(|cases| cases.iter().any(|case| case.what == **own && case.detail == detail));
            if !told {
                cases.add(Fault::CaseCollision, own.to_string(), detail);
            }
        } else if let Some(first) = names.insert(plain(&item.name), &item.name)
            && first != item.name
        {
            cases.of(Fault::CaseCollision, item, format!("beside {first}"));
        }
    }
}

//! Which variant of a kernel a command runs, and how a run finds its own choices again.

use std::collections::BTreeMap;

/// Which variant is wanted. A key is the name of a kernel, for a choice that is forced on every shape, or a kernel with
/// the variants that fitted a shape, best first, as [`super::Plan::variants_used`] records them:
/// `conv2d_forward[register_block,narrow_block,direct]`. A kernel that is not named takes the best that fits.
pub type Variants = BTreeMap<String, String>;

/// The key of a choice among the variants that fit.
pub(super) fn key(kernel: &str, fitting: &[&str]) -> String {
    format!("{kernel}[{}]", fitting.join(","))
}

/// The variant to take of those that fit, best first.
pub(super) fn choose(wanted: &Variants, kernel: &str, fitting: &[&'static str]) -> Option<&'static str> {
    let find = |variant: &str| fitting.iter().copied().find(|fits| *fits == variant);
    if let Some(forced) = wanted.get(kernel).and_then(|variant| find(variant)) {
        return Some(forced);
    }
    // One kernel may run several variants in one plan, by shape. Since the record was made, variants may have been
    // added: the entry that knew most of those that fit today is the one of this shape.
    let recorded = wanted
        .iter()
        .filter_map(|(key, variant)| {
            let known = key.strip_prefix(kernel)?.strip_prefix('[')?.strip_suffix(']')?;
            let count = known.split(',').count();
            known.split(',').all(|known| find(known).is_some()).then_some((count, variant))
        })
        .max_by_key(|(count, _)| *count);
    recorded.and_then(|(_, variant)| find(variant)).or(fitting.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_leads_each_shape_to_its_own_variant_again() {
        let shapes: [&[&'static str]; 3] =
            [&["fast", "narrow", "direct"], &["narrow", "direct"], &["direct"]];
        let mut record = Variants::new();
        for fitting in shapes {
            let chosen = choose(&Variants::new(), "k", fitting).unwrap();
            assert_eq!(chosen, fitting[0]);
            record.insert(key("k", fitting), chosen.to_owned());
        }
        for fitting in shapes {
            assert_eq!(choose(&record, "k", fitting), Some(fitting[0]));
            // A variant that came later changes nothing for a run that began without it.
            let newer = [&["newest"], fitting].concat();
            assert_eq!(choose(&record, "k", &newer), Some(fitting[0]));
        }
        assert_eq!(choose(&record, "other", &["newest", "direct"]), Some("newest"));
    }

    #[test]
    fn a_forced_variant_is_taken_where_it_fits() {
        let forced = Variants::from([("k".to_owned(), "direct".to_owned())]);
        assert_eq!(choose(&forced, "k", &["fast", "direct"]), Some("direct"));
        assert_eq!(choose(&forced, "k", &["fast"]), Some("fast"));
        assert_eq!(choose(&forced, "k", &[]), None);
    }
}

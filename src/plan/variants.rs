//! Which variant of a kernel a command runs, and how a run finds its own choices again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Target;

/// Which variants are wanted, and what the device of the plan can run. A key is one of
///
/// - the name of a kernel, for a choice that is forced on every shape;
/// - a kernel with the variants that fitted a shape, best first, and the shape, as [`super::Plan::variants_used`] records
///   them: `linear_forward[register_block,direct]@50x1024x64`;
/// - the same without a shape, for kernels that choose by what fits alone, and from earlier versions:
///   `linear_forward[register_block,direct]`.
///
/// A kernel that is not named takes the best that fits. Two are equal if they want the same, whatever device they are for.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Variants {
    wanted: BTreeMap<String, String>,
    #[serde(skip)]
    target: Target,
}

impl Variants {
    /// Nothing wanted, and a device of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a device.
    pub fn on(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// What the device can run.
    pub fn target(&self) -> Target {
        self.target
    }

    /// What is wanted.
    pub fn wanted(&self) -> &BTreeMap<String, String> {
        &self.wanted
    }

    pub(super) fn insert(&mut self, key: String, variant: &str) {
        self.wanted.insert(key, variant.to_owned());
    }

    /// Takes every choice of another.
    pub fn extend(&mut self, other: Variants) {
        self.wanted.extend(other.wanted);
    }

    /// Whether a shape that both know has another variant in `now`: the device or the program lacks the one recorded.
    pub fn lost_in(&self, now: &Variants) -> bool {
        let split = |key: &str| {
            let (kernel, rest) = key.split_once('[')?;
            let (_, shape) = rest.split_once("]@")?;
            Some((kernel.to_owned(), shape.to_owned()))
        };
        self.wanted.iter().any(|(key, variant)| {
            let place = split(key);
            place.is_some() && now.wanted.iter().any(|(key, now)| split(key) == place && now != variant)
        })
    }

    /// The variant to take of those that fit, best first.
    pub(super) fn choose(&self, kernel: &str, fitting: &[&'static str], shape: &str) -> Option<&'static str> {
        let find = |variant: &str| fitting.iter().copied().find(|fits| *fits == variant);
        if let Some(forced) = self.wanted.get(kernel).and_then(|variant| find(variant)) {
            return Some(forced);
        }
        // One kernel may run several variants in one plan, by shape. Since the record was made, variants may have been
        // added: the entry of this very shape, else the one that knew most of those that fit today, is meant.
        let recorded = self
            .wanted
            .iter()
            .filter_map(|(key, variant)| {
                let (fits, of_shape) = key.strip_prefix(kernel)?.strip_prefix('[')?.split_once(']')?;
                let own = of_shape.strip_prefix('@');
                let meant = own.is_none_or(|of_shape| of_shape == shape);
                let all = fits.split(',').all(|known| find(known).is_some());
                (meant && all).then_some(((own.is_some(), fits.split(',').count()), variant))
            })
            .max_by_key(|(rank, _)| *rank);
        recorded.and_then(|(_, variant)| find(variant)).or(fitting.first().copied())
    }
}

impl PartialEq for Variants {
    fn eq(&self, other: &Self) -> bool {
        self.wanted == other.wanted
    }
}

impl Eq for Variants {}

impl FromIterator<(String, String)> for Variants {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(wanted: I) -> Self {
        Self { wanted: wanted.into_iter().collect(), target: Target::default() }
    }
}

impl<const N: usize> From<[(String, String); N]> for Variants {
    fn from(wanted: [(String, String); N]) -> Self {
        wanted.into_iter().collect()
    }
}

/// The key of a choice among the variants that fit, for a shape if the kernel chooses by it.
pub(super) fn key(kernel: &str, fitting: &[&str], shape: &str) -> String {
    let at = if shape.is_empty() { "" } else { "@" };
    format!("{kernel}[{}]{at}{shape}", fitting.join(","))
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
            let chosen = Variants::new().choose("k", fitting, "").unwrap();
            assert_eq!(chosen, fitting[0]);
            record.insert(key("k", fitting, ""), chosen);
        }
        for fitting in shapes {
            assert_eq!(record.choose("k", fitting, ""), Some(fitting[0]));
            // A variant that came later changes nothing for a run that began without it, nor does a choice by shape.
            let newer = [&["newest"], fitting].concat();
            assert_eq!(record.choose("k", &newer, "2x3"), Some(fitting[0]));
        }
        assert_eq!(record.choose("other", &["newest", "direct"], ""), Some("newest"));
    }

    #[test]
    fn shapes_with_the_same_fitting_variants_keep_their_own_choices() {
        let mut record = Variants::new();
        for (shape, chosen) in [("2x3", "fast"), ("4x4", "direct")] {
            record.insert(key("k", &["fast", "direct"], shape), chosen);
        }
        record.insert("k[direct]".to_owned(), "direct");
        assert_eq!(record.choose("k", &["fast", "direct"], "2x3"), Some("fast"));
        assert_eq!(record.choose("k", &["direct", "fast"], "4x4"), Some("direct"));
        assert_eq!(record.choose("k", &["newest", "fast", "direct"], "2x3"), Some("fast"));
        // A shape that the record does not know: what an earlier version would have taken.
        assert_eq!(record.choose("k", &["fast", "direct"], "9x9"), Some("direct"));
        // A device that lacks what was recorded takes the best that it has.
        assert_eq!(record.choose("k", &["narrow"], "2x3"), Some("narrow"));
        let now = |shape, chosen| Variants::from([(key("k", &["newest", chosen], shape), chosen.to_owned())]);
        assert!(!record.lost_in(&now("2x3", "fast")) && record.lost_in(&now("2x3", "narrow")));
        assert!(!Variants::new().lost_in(&record) && !record.lost_in(&Variants::new()));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Variants>(&text).unwrap(), record);
    }

    #[test]
    fn a_forced_variant_is_taken_where_it_fits() {
        let forced = Variants::from([("k".to_owned(), "direct".to_owned())]);
        assert_eq!(forced.choose("k", &["fast", "direct"], "2x3"), Some("direct"));
        assert_eq!(forced.choose("k", &["fast"], ""), Some("fast"));
        assert_eq!(forced.choose("k", &[], ""), None);
    }
}

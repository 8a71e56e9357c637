//! Parting a data set by shares, class by class.

use super::{DataError, Dataset, UNLABELLED};
use crate::random::Random;

/// What a run trains on, what it may choose by, and what it is judged by.
#[derive(Clone, Debug)]
pub struct Splits {
    /// Trains the model.
    pub train: Dataset,
    /// For choices such as a learning rate; absent when its share is 0 and no such folder exists.
    pub val: Option<Dataset>,
    /// For the final figures alone.
    pub test: Dataset,
    /// What looked odd while reading, one sentence each.
    pub warnings: Vec<String>,
}

/// Shares of the pictures of each class; they need not add up to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shares {
    /// Training share, above 0.
    pub train: f64,
    /// Validation share; 0 for no validation set.
    pub val: f64,
    /// Test share, above 0.
    pub test: f64,
}

impl Default for Shares {
    /// 70 % train, 15 % val, 15 % test.
    fn default() -> Self {
        Self { train: 0.7, val: 0.15, test: 0.15 }
    }
}

impl Shares {
    /// Refuses shares that are negative, not finite, or leave nothing to train on or to test on.
    pub fn check(&self) -> Result<(), DataError> {
        let usable =
            |share: f64, zero_too: bool| share.is_finite() && (share > 0.0 || zero_too && share == 0.0);
        if usable(self.train, false) && usable(self.val, true) && usable(self.test, false) {
            return Ok(());
        }
        Err(DataError::Option {
            option: "the split",
            value: format!("{}/{}/{}", self.train, self.val, self.test),
            allowed: "three finite shares train/val/test, train and test above 0, such as 0.7/0.15/0.15",
        })
    }
}

/// Parts `data` into train, val (when its share is above 0) and test, each class by the same shares.
pub fn three_ways(data: &Dataset, shares: Shares, seed: u64) -> Result<Splits, DataError> {
    shares.check()?;
    let parts = judged(data, &[shares.train, shares.val, shares.test], seed)?;
    Ok(Splits {
        train: data.subset(&parts[0])?,
        val: if shares.val > 0.0 { Some(data.subset(&parts[1])?) } else { None },
        test: data.subset(&parts[2])?,
        warnings: Vec::new(),
    })
}

/// Takes the share `taken / (kept + taken)` of each class out of `data`; returns what is kept and what is taken.
pub fn take_out(data: &Dataset, kept: f64, taken: f64, seed: u64) -> Result<(Dataset, Dataset), DataError> {
    let parts = judged(data, &[kept, taken], seed)?;
    Ok((data.subset(&parts[0])?, data.subset(&parts[1])?))
}

/// The same as [`stratified`], and what has no label in the first part: it cannot be judged, so it trains.
fn judged(data: &Dataset, shares: &[f64], seed: u64) -> Result<Vec<Vec<usize>>, DataError> {
    let mut parts = stratified(data, shares, seed)?;
    parts[0].extend((0..data.len()).filter(|&i| data.labels[i] == UNLABELLED));
    parts[0].sort_unstable();
    Ok(parts)
}

/// Picture numbers of each part, ascending; what has no label is in none. Every part with a share above 0 gets at least one picture of each
/// class that `data` has; beyond that, counts follow the shares by largest remainder.
pub fn stratified(data: &Dataset, shares: &[f64], seed: u64) -> Result<Vec<Vec<usize>>, DataError> {
    let total: f64 = shares.iter().sum();
    if !(total > 0.0 && total.is_finite() && shares.iter().all(|&share| share >= 0.0)) {
        let value = format!("{shares:?}");
        return Err(DataError::Option {
            option: "the split",
            value,
            allowed: "shares of 0 or more, not all 0",
        });
    }
    let mut parts = vec![Vec::new(); shares.len()];
    for (class, name) in data.classes.iter().enumerate() {
        let mut members: Vec<usize> = (0..data.len()).filter(|&i| data.labels[i] as usize == class).collect();
        if members.is_empty() {
            continue;
        }
        let need = shares.iter().filter(|&&share| share > 0.0).count();
        if members.len() < need {
            let asked: Vec<String> = shares.iter().map(f64::to_string).collect();
            let (class, have) = (name.clone(), members.len());
            return Err(DataError::TooFew { class, have, need, asked: asked.join("/") });
        }
        // A stream for each class: pictures added to one class leave the split of the others alone.
        Random::new(seed, class as u64).shuffle(&mut members);
        let mut rest = members.as_slice();
        for (part, count) in parts.iter_mut().zip(part_counts(members.len(), shares)) {
            let (mine, others) = rest.split_at(count.min(rest.len()));
            part.extend_from_slice(mine);
            rest = others;
        }
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Ok(parts)
}

/// `n` parted by `shares`: largest remainder, then one from the largest part for each part left empty.
fn part_counts(n: usize, shares: &[f64]) -> Vec<usize> {
    let total: f64 = shares.iter().sum();
    let exact: Vec<f64> = shares.iter().map(|share| n as f64 * share / total).collect();
    let mut counts: Vec<usize> = exact.iter().map(|x| x.floor() as usize).collect();
    let mut order: Vec<usize> = (0..shares.len()).filter(|&i| shares[i] > 0.0).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let missing = n.saturating_sub(counts.iter().sum());
    for &i in order.iter().cycle().take(missing) {
        counts[i] += 1;
    }
    for &i in &order {
        if counts[i] == 0
            && let Some(&largest) = order.iter().max_by_key(|&&j| counts[j])
        {
            counts[largest] -= 1;
            counts[i] += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;
    use proptest::prelude::*;

    fn data(labels: Vec<u32>) -> Dataset {
        let n = labels.len();
        Dataset {
            height: 1,
            width: 1,
            channels: 1,
            classes: vec!["a".into(), "b".into(), "c".into()],
            pixels: Pixels::Byte(vec![0; n]),
            masks: vec![0; n],
            explained: vec![false; n],
            names: (0..n).map(|i| i.to_string()).collect(),
            groups: Default::default(),
            labels,
        }
    }

    proptest! {
        #[test]
        fn every_picture_is_in_one_part_and_shares_hold(
            labels in prop::collection::vec(0u32..3, 0..200),
            shares in prop::collection::vec(0.05f64..1.0, 1..4),
            seed: u64,
        ) {
            let data = data(labels);
            let have = data.class_counts();
            let parts = match stratified(&data, &shares, seed) {
                Ok(parts) => parts,
                Err(DataError::TooFew { have, need, .. }) => {
                    prop_assert!(have < need && need == shares.len());
                    return Ok(());
                }
                Err(other) => return Err(TestCaseError::fail(other.to_string())),
            };
            let mut all = parts.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..data.len()).collect::<Vec<_>>());
            let total: f64 = shares.iter().sum();
            for (part, share) in parts.iter().zip(&shares) {
                let counts = data.subset(part).unwrap().class_counts();
                for (count, have) in counts.into_iter().zip(&have) {
                    let exact = *have as f64 * share / total;
                    // One for the rounding, one more for each part that would have been empty.
                    prop_assert!((count as f64 - exact).abs() < shares.len() as f64, "{count} for {exact}");
                    prop_assert!(count > 0 || *have == 0);
                }
            }
        }
    }

    #[test]
    fn counts_are_exact_where_the_shares_divide() {
        assert_eq!(part_counts(20, &[0.7, 0.15, 0.15]), [14, 3, 3]);
        assert_eq!(part_counts(10, &[0.7, 0.0, 0.3]), [7, 0, 3]);
        assert_eq!(part_counts(3, &[0.98, 0.01, 0.01]), [1, 1, 1]);
        assert_eq!(part_counts(10, &[1.0, 1.0, 1.0]).iter().sum::<usize>(), 10);
    }

    #[test]
    fn a_seed_is_a_split_and_classes_do_not_disturb_each_other() {
        let few = data([vec![0; 30], vec![1; 30]].concat());
        let more = data([vec![0; 30], vec![1; 40]].concat());
        let split = |data: &Dataset, seed| stratified(data, &[0.5, 0.5], seed).unwrap();
        assert_eq!(split(&few, 4), split(&few, 4));
        assert_ne!(split(&few, 4), split(&few, 5));
        let firsts =
            |parts: Vec<Vec<usize>>| parts[0].iter().copied().filter(|&i| i < 30).collect::<Vec<_>>();
        assert_eq!(firsts(split(&few, 4)), firsts(split(&more, 4)));
    }

    #[test]
    fn too_few_pictures_and_impossible_shares_are_refused_with_numbers() {
        let small = data(vec![0, 0, 0, 1, 1]);
        let message = three_ways(&small, Shares::default(), 0).unwrap_err().to_string();
        assert!(message.contains("`b` has 2 pictures") && message.contains("0.7/0.15/0.15"), "{message}");
        let halves = three_ways(&small, Shares { val: 0.0, ..Shares::default() }, 0).unwrap();
        assert!(halves.val.is_none());
        assert_eq!(halves.train.len() + halves.test.len(), 5);
        for (train, val, test) in [(0.0, 0.1, 0.5), (0.5, -0.1, 0.5), (0.5, 0.1, 0.0), (f64::NAN, 0.1, 0.5)] {
            let refused = three_ways(&small, Shares { train, val, test }, 0);
            assert!(
                matches!(refused, Err(DataError::Option { option: "the split", .. })),
                "{train} {val} {test}"
            );
        }
    }
}

//! Pictures, labels and explanations, before they go to a device.
//!
//! [`triangles`] draws the built-in sets, [`read`] reads a user's pictures, [`check`] looks for what is wrong with them, [`split`] parts one set into
//! several, [`masks`] makes the masks of the control experiments, [`backgrounds`] changes what the masks leave out.

pub mod backgrounds;
#[cfg(feature = "readers")]
pub mod check;
mod error;
pub mod idx;
pub mod masks;
#[cfg(feature = "readers")]
pub mod readers;
#[cfg(feature = "readers")]
pub mod shapes;
pub mod split;
pub mod triangles;

pub use error::{DataError, Extent};
#[cfg(feature = "readers")]
pub use readers::{
    AlphaRule, Format, MaskPolarity, MaskThreshold, ReadOptions, UnknownPixels, pictures_in, read,
    read_folder, read_picture,
};
pub use split::{Shares, Splits};

/// The value from which on a mask says relevant.
pub const RELEVANT: u8 = 128;

/// The label of a training picture that has an explanation and no label: stage 2 alone learns from it.
pub const UNLABELLED: u32 = u32::MAX;

/// Pixel values of a data set, row-major `[n, height, width, channels]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Grey or colour values in [0, 1].
    Float(Vec<f32>),
    /// 8-bit values, 255 = 1.0.
    Byte(Vec<u8>),
}

/// Groups of pictures, such as class × background, for the accuracy of the worst of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    /// Their names.
    pub names: Vec<String>,
    /// `[n]`: the group of each picture; empty where pictures have none.
    pub of: Vec<u32>,
}

impl Groups {
    /// The groups of other pictures behind these, by name; none at all where either side has none.
    fn append(&mut self, other: Groups, own: usize, others: usize) {
        if (self.of.is_empty() && own > 0) || (other.of.is_empty() && others > 0) {
            *self = Groups::default();
            return;
        }
        for &group in &other.of {
            let name = &other.names[group as usize];
            let known = self.names.iter().position(|own| own == name);
            self.of.push(known.unwrap_or(self.names.len()) as u32);
            if known.is_none() {
                self.names.push(name.clone());
            }
        }
    }
}

/// Labelled pictures of one size, some with an explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Height of every picture in pixels.
    pub height: usize,
    /// Width of every picture in pixels.
    pub width: usize,
    /// 1 (grey) or 3 (colour).
    pub channels: usize,
    /// Class names; a label is an index into them.
    pub classes: Vec<String>,
    /// `[n, height, width, channels]`.
    pub pixels: Pixels,
    /// `[n]`; [`UNLABELLED`] where an explained picture has none.
    pub labels: Vec<u32>,
    /// `[n, height, width]`, 255 = relevant; zeros for a picture without an explanation.
    pub masks: Vec<u8>,
    /// `[n]`: whether the picture has an explanation.
    pub explained: Vec<bool>,
    /// `[n]`: where the picture came from, for messages.
    pub names: Vec<String>,
    /// Groups, where they are known.
    pub groups: Groups,
}

impl Dataset {
    /// The number of pictures.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no pictures.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Values of one picture: `height * width * channels`.
    pub fn picture_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Checks that all parts agree: lengths, labels below the number of classes, 1 or 3 channels.
    pub fn validate(&self) -> Result<(), DataError> {
        let expect = |what: &str, found: usize, expected: usize| {
            if found == expected {
                return Ok(());
            }
            Err(DataError::Inconsistent { what: what.to_string(), found, expected })
        };
        let n = self.len();
        let area = self.height * self.width;
        if self.channels != 3 {
            expect("the number of channels (1 or 3)", self.channels, 1)?;
        }
        let values = match &self.pixels {
            Pixels::Float(values) => values.len(),
            Pixels::Byte(values) => values.len(),
        };
        expect("the number of pixel values", values, n * self.picture_len())?;
        expect("the number of mask values", self.masks.len(), n * area)?;
        expect("the number of `explained` flags", self.explained.len(), n)?;
        expect("the number of names", self.names.len(), n)?;
        if !self.groups.of.is_empty() {
            expect("the number of groups of pictures", self.groups.of.len(), n)?;
            let largest = self.groups.of.iter().map(|group| *group as usize + 1).max().unwrap_or(0);
            expect("the number of names of groups", self.groups.names.len().min(largest), largest)?;
        }
        let classes = self.classes.len();
        let unknown = |i: usize| self.labels[i] as usize >= classes && !self.goes_without_label(i);
        match (0..n).find(|&i| unknown(i)) {
            None => Ok(()),
            Some(i) => {
                let what = format!("the label of picture {i} ({classes} classes)");
                expect(&what, self.labels[i] as usize, classes.saturating_sub(1))
            }
        }
    }

    /// Whether a picture has no label, which only an explained one may.
    fn goes_without_label(&self, picture: usize) -> bool {
        self.labels[picture] == UNLABELLED && self.explained[picture]
    }

    /// The number of pictures without a label.
    pub fn unlabelled_count(&self) -> usize {
        self.labels.iter().filter(|&&label| label == UNLABELLED).count()
    }

    /// Leaves out the pictures without a label.
    pub fn retain_labelled(&mut self) -> Result<(), DataError> {
        if self.unlabelled_count() > 0 {
            let labelled: Vec<usize> = (0..self.len()).filter(|&i| self.labels[i] != UNLABELLED).collect();
            *self = self.subset(&labelled)?;
        }
        Ok(())
    }

    /// The name of a picture's class, or that it has none.
    pub fn class_of(&self, picture: usize) -> &str {
        let label = self.labels.get(picture).map(|&label| label as usize);
        label.and_then(|label| self.classes.get(label)).map_or("no label", String::as_str)
    }

    /// The number of pictures of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            if let Some(count) = counts.get_mut(label as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// The numbers of the pictures that have an explanation.
    pub fn explained_pictures(&self) -> impl Iterator<Item = usize> + '_ {
        self.explained.iter().enumerate().filter(|(_, explained)| **explained).map(|(i, _)| i)
    }

    /// At most `limit` of the explained pictures, evenly spread over each class; the share of each class stays what it is.
    pub fn explained_sample(&self, limit: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = self.explained_pictures().collect();
        let all = numbers.len();
        if all > limit {
            numbers.sort_by_key(|&i| self.labels[i]);
            numbers = (0..limit).map(|k| numbers[k * all / limit]).collect();
            numbers.sort_unstable();
        }
        numbers
    }

    /// The number of pictures that have an explanation.
    pub fn explained_count(&self) -> usize {
        self.explained_pictures().count()
    }

    /// The values of picture `index` in [0, 1], `[height, width, channels]`; empty past the end.
    pub fn picture(&self, index: usize) -> Vec<f32> {
        let size = self.picture_len();
        let range = index * size..(index + 1) * size;
        match &self.pixels {
            Pixels::Float(values) => values.get(range).unwrap_or_default().to_vec(),
            Pixels::Byte(values) => {
                values.get(range).unwrap_or_default().iter().map(|&v| f32::from(v) / 255.0).collect()
            }
        }
    }

    /// The same as bytes, 255 = 1.0; empty past the end.
    pub fn picture_bytes(&self, index: usize) -> Vec<u8> {
        let size = self.picture_len();
        match &self.pixels {
            Pixels::Byte(values) => values.get(index * size..(index + 1) * size).unwrap_or_default().to_vec(),
            Pixels::Float(_) => self.picture(index).iter().map(|v| (v * 255.0).round() as u8).collect(),
        }
    }

    /// The mask of picture `index`, `[height, width]`, 255 = relevant; empty past the end.
    pub fn mask(&self, index: usize) -> &[u8] {
        let area = self.height * self.width;
        self.masks.get(index * area..(index + 1) * area).unwrap_or_default()
    }

    /// The pictures with these numbers, in this order; a number may occur more than once.
    pub fn subset(&self, indices: &[usize]) -> Result<Dataset, DataError> {
        let len = self.len();
        if let Some(&index) = indices.iter().find(|&&index| index >= len) {
            return Err(DataError::Index { index, len });
        }
        let (size, area) = (self.picture_len(), self.height * self.width);
        Ok(Dataset {
            height: self.height,
            width: self.width,
            channels: self.channels,
            classes: self.classes.clone(),
            pixels: match &self.pixels {
                Pixels::Float(values) => Pixels::Float(pick(values, size, indices)),
                Pixels::Byte(values) => Pixels::Byte(pick(values, size, indices)),
            },
            labels: pick(&self.labels, 1, indices),
            masks: pick(&self.masks, area, indices),
            explained: pick(&self.explained, 1, indices),
            names: indices.iter().map(|&i| self.names[i].clone()).collect(),
            groups: Groups {
                names: self.groups.names.clone(),
                of: if self.groups.of.is_empty() { Vec::new() } else { pick(&self.groups.of, 1, indices) },
            },
        })
    }

    /// The pictures of another set of the same form behind these.
    pub fn append(&mut self, other: Dataset) -> Result<(), DataError> {
        let form = |data: &Dataset| (data.height, data.width, data.channels, data.classes.len());
        let ((h, w, c, k), (h2, w2, c2, k2)) = (form(self), form(&other));
        for (what, found, expected) in [
            ("the height", h2, h),
            ("the width", w2, w),
            ("the number of channels", c2, c),
            ("the classes", k2, k),
        ] {
            if found != expected {
                return Err(DataError::Inconsistent { what: what.to_owned(), found, expected });
            }
        }
        match (&mut self.pixels, other.pixels) {
            (Pixels::Float(own), Pixels::Float(more)) => own.extend(more),
            (Pixels::Byte(own), Pixels::Byte(more)) => own.extend(more),
            _ => {
                let what = "one kind of pixel values".to_owned();
                return Err(DataError::Inconsistent { what, found: 2, expected: 1 });
            }
        }
        self.groups.append(other.groups, self.labels.len(), other.labels.len());
        self.labels.extend(other.labels);
        self.masks.extend(other.masks);
        self.explained.extend(other.explained);
        self.names.extend(other.names);
        Ok(())
    }

    /// The mean of each channel over all pictures, in [0, 1]; zeros for an empty data set.
    pub fn channel_means(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.channels];
        let mut add = |i: usize, value: f64| sums[i % self.channels] += value;
        match &self.pixels {
            Pixels::Float(values) => values.iter().enumerate().for_each(|(i, &v)| add(i, f64::from(v))),
            Pixels::Byte(values) => {
                values.iter().enumerate().for_each(|(i, &v)| add(i, f64::from(v) / 255.0))
            }
        }
        let count = (self.len() * self.height * self.width).max(1) as f64;
        sums.iter().map(|sum| sum / count).collect()
    }
}

/// Copies the blocks of `size` values with these numbers.
fn pick<T: Copy>(values: &[T], size: usize, indices: &[usize]) -> Vec<T> {
    let mut picked = Vec::with_capacity(indices.len() * size);
    for &i in indices {
        picked.extend_from_slice(&values[i * size..(i + 1) * size]);
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Dataset {
        Dataset {
            height: 1,
            width: 2,
            channels: 3,
            classes: vec!["a".into(), "b".into()],
            pixels: Pixels::Byte((0..18).map(|v| v * 5).collect()),
            labels: vec![0, 1, 0],
            masks: vec![255, 0, 0, 255, 0, 0],
            explained: vec![true, true, false],
            names: vec!["p".into(), "q".into(), "r".into()],
            groups: Groups { names: vec!["in".into(), "out".into()], of: vec![1, 0, 0] },
        }
    }

    #[test]
    fn a_subset_takes_every_part_of_a_picture() {
        let data = tiny();
        let part = data.subset(&[2, 1]).unwrap();
        part.validate().unwrap();
        assert_eq!(part.picture(0), data.picture(2));
        assert_eq!(part.mask(1), [0, 255]);
        assert_eq!((part.labels, part.explained), (vec![0, 1], vec![false, true]));
        assert_eq!(part.names, ["r", "q"]);
        assert_eq!(part.groups, Groups { names: data.groups.names.clone(), of: vec![0, 0] });
        let without = Dataset { groups: Groups::default(), ..data.clone() };
        assert_eq!(without.subset(&[2]).unwrap().groups, Groups::default());
        assert!(matches!(data.subset(&[0, 3]), Err(DataError::Index { index: 3, len: 3 })));
    }

    #[test]
    fn counts_and_means_are_those_computed_by_hand() {
        let data = tiny();
        assert_eq!(data.class_counts(), [2, 1]);
        assert_eq!(data.explained_count(), 2);
        // Channel k holds (k + 3i) · 5 for i in 0..6: mean 5k + 37.5.
        for (k, mean) in data.channel_means().into_iter().enumerate() {
            approx::assert_relative_eq!(mean, (5.0 * k as f64 + 37.5) / 255.0, max_relative = 1e-12);
        }
        assert_eq!(data.picture(0)[2], 10.0 / 255.0);
        assert!(data.picture(3).is_empty());
    }

    #[test]
    fn groups_are_appended_by_name() {
        let mut data = tiny();
        let other = Groups { names: vec!["out".into(), "far".into()], of: vec![1, 1, 0] };
        data.append(Dataset { groups: other, ..tiny() }).unwrap();
        assert_eq!(data.groups.names, ["in", "out", "far"]);
        assert_eq!(data.groups.of, [1, 0, 0, 2, 2, 1]);
        data.validate().unwrap();
        data.append(Dataset { groups: Groups::default(), ..tiny() }).unwrap();
        assert_eq!(data.groups, Groups::default());
    }

    #[test]
    fn a_sample_of_explained_pictures_has_every_class() {
        let n = 60;
        let data = Dataset {
            pixels: Pixels::Byte(vec![0; n * 6]),
            labels: (0..n as u32).map(|i| i % 3).collect(),
            classes: ["a", "b", "c"].map(str::to_owned).to_vec(),
            masks: vec![255; n * 2],
            explained: (0..n).map(|i| i >= 6).collect(),
            names: vec![String::new(); n],
            groups: Groups::default(),
            ..tiny()
        };
        // A stride over the pictures as they come would take one class alone.
        let sample = data.explained_sample(18);
        assert_eq!(data.subset(&sample).unwrap().class_counts(), [6, 6, 6]);
        assert!(sample.is_sorted() && sample.iter().all(|&i| i >= 6));
        assert_eq!(data.explained_sample(100), (6..60).collect::<Vec<_>>());
        assert!(data.explained_sample(0).is_empty());
    }

    #[test]
    fn validation_finds_each_disagreement() {
        tiny().validate().unwrap();
        let broken = |change: fn(&mut Dataset)| {
            let mut data = tiny();
            change(&mut data);
            data.validate().unwrap_err().to_string()
        };
        assert!(broken(|d| d.pixels = Pixels::Float(vec![0.0; 17])).contains("pixel values is 17 where 18"));
        assert!(broken(|d| d.masks.truncate(5)).contains("mask values is 5 where 6"));
        assert!(broken(|d| d.explained.truncate(1)).contains("flags is 1 where 3"));
        assert!(broken(|d| d.names.truncate(2)).contains("names is 2 where 3"));
        assert!(broken(|d| d.groups.of.truncate(2)).contains("groups of pictures is 2 where 3"));
        assert!(broken(|d| d.labels[1] = 2).contains("label of picture 1 (2 classes) is 2"));
        assert!(broken(|d| d.channels = 2).contains("channels"));
        // A picture without a label has an explanation.
        assert!(broken(|d| d.labels[2] = UNLABELLED).contains("label of picture 2"));
        let data = Dataset { labels: vec![0, UNLABELLED, 0], ..tiny() };
        data.validate().unwrap();
        assert_eq!((data.class_counts(), data.unlabelled_count()), (vec![2, 0], 1));
        assert_eq!([data.class_of(0), data.class_of(1)], ["a", "no label"]);
        let labelled = |mut data: Dataset| data.retain_labelled().map(|()| data);
        assert_eq!(labelled(data).unwrap(), tiny().subset(&[0, 2]).unwrap());
        assert_eq!(labelled(tiny()).unwrap(), tiny());
    }
}

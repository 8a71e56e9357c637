//! The data of a run: read or generated, described, and told apart by a digest.

use std::path::Path;

use super::bar::Bar;
use super::config::Config;
use super::error::CliError;
use super::terminal::{self, count, plural};
use crate::data::readers::ReadData;
use crate::data::triangles::{PatchRule, TriangleSet};
use crate::data::{Dataset, Pixels, read};
use crate::hash::Fnv;
use crate::train::Method;
use crate::train::run::tame;

/// Test pictures of a built-in set.
const TEST_PICTURES: usize = 3000;

/// What a run trains on and is judged by.
pub struct Source {
    pub train: Dataset,
    pub val: Option<Dataset>,
    pub test: Dataset,
    /// The test pictures with the patch of class 0 and with that of class 1, for sets that have one.
    pub patched: Option<[Dataset; 2]>,
    /// The format of the files and why it was taken for that.
    pub found: Option<String>,
    pub warnings: Vec<String>,
}

/// The name that stands for the data in a run folder's name.
pub fn name(path: &str) -> String {
    let last = match path.split_once(':') {
        Some(("triangles", set)) => format!("triangles-{}", set.to_uppercase()),
        _ => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
            path.file_name().map_or("data".to_owned(), |name| name.to_string_lossy().into_owned())
        }
    };
    tame(&last).trim_start_matches('.').to_owned()
}

/// Reads the data that a config names. Only for planning: `train_only` leaves the test pictures of built-in sets out.
pub fn load(config: &Config, train_only: bool) -> Result<Source, CliError> {
    let Some(path) = config.data.path.as_deref() else {
        return Err(CliError::Usage(
            "no data: name a folder or a list of pictures, or a built-in set, as in `rationale train triangles:ES`"
                .to_owned(),
        ));
    };
    if let Some(set) = TriangleSet::built_in(path) {
        let set = set?;
        let defaults = super::config::DataSection { path: config.data.path.clone(), ..Default::default() };
        if config.data != defaults {
            return Err(CliError::Config(format!(
                "size, channels, masks and shares of {path} are built in: leave [data] and its flags out"
            )));
        }
        let seed = config.seeds().data;
        let test = |patch| set.test(if train_only { 2 } else { TEST_PICTURES }, seed, patch);
        let has_patch = set.definition().train_patch != PatchRule::None;
        let patched = match has_patch && !train_only {
            true => Some([test(PatchRule::Always(0))?, test(PatchRule::Always(1))?]),
            false => None,
        };
        let (train, test) = (set.train(seed)?, test(PatchRule::None)?);
        return Ok(Source { train, val: None, test, patched, found: None, warnings: Vec::new() });
    }
    let bar = Bar::new("reading");
    let ReadData { format, reason, splits } =
        read(Path::new(path), &config.read_options(), Some(&|done, all| bar.at(done, all)))?;
    drop(bar);
    Ok(Source {
        train: splits.train,
        val: splits.val,
        test: splits.test,
        patched: None,
        found: Some(format!("{format}: {reason}")),
        warnings: splits.warnings,
    })
}

impl Source {
    /// Leaves out the training pictures that `method` cannot learn from, with a warning: those without a label, where there is
    /// no stage 2.
    pub fn fit(&mut self, method: Method) -> Result<(), CliError> {
        let without = self.train.unlabelled_count();
        // Without any label there is an error to come, which says so.
        if without > 0 && without < self.train.len() && !method.has_stage2() {
            self.train.retain_labelled()?;
            self.warnings.push(format!(
                "{} without a label left out: only stage 2 learns from them, which --method {method} does not have",
                plural(without, "training picture")
            ));
        }
        Ok(())
    }

    /// The parts and their names.
    fn parts(&self) -> Vec<(&'static str, &Dataset)> {
        let val = self.val.as_ref().map(|val| ("val", val));
        [Some(("train", &self.train)), val, Some(("test", &self.test))].into_iter().flatten().collect()
    }

    /// Pictures, classes and explanations, for people.
    pub fn describe(&self, path: &str) {
        let Dataset { height, width, channels, classes, .. } = &self.train;
        let colour = if *channels == 3 { "colour" } else { "grey" };
        terminal::field(
            "data",
            &format!("{path}: {height}×{width} {colour}, {}", plural(classes.len(), "class")),
        );
        if let Some(found) = &self.found {
            terminal::field("format", found);
        }
        let mut rows = vec![["", "pictures", "explained", "per class"].map(str::to_owned).to_vec()];
        for (name, part) in self.parts() {
            rows.push(vec![
                name.to_owned(),
                count(part.len()),
                count(part.explained_count()),
                match (per_class(classes, &part.class_counts()), part.unlabelled_count()) {
                    (classes, 0) => classes,
                    (classes, without) => format!("{classes}; no label: {}", count(without)),
                },
            ]);
        }
        for line in terminal::table(&rows, &[1, 2]).lines() {
            terminal::field("", line);
        }
    }

    /// Changes with any pixel, label or mask of the training pictures.
    pub fn digest(&self) -> String {
        let data = &self.train;
        let mut hash = Fnv::default();
        match &data.pixels {
            Pixels::Byte(bytes) => hash = hash.with(bytes),
            Pixels::Float(values) => {
                for value in values {
                    hash = hash.with(&value.to_bits().to_le_bytes());
                }
            }
        }
        for label in &data.labels {
            hash = hash.with(&label.to_le_bytes());
        }
        hash = hash.with(&data.masks);
        data.classes.iter().for_each(|class| hash = hash.with(class.as_bytes()));
        let explained: Vec<u8> = data.explained.iter().map(|&explained| u8::from(explained)).collect();
        hash.with(&explained).to_string()
    }
}

/// `250 each`, `up: 450, down: 50`, or the range where there are many classes.
fn per_class(classes: &[String], counts: &[usize]) -> String {
    let (least, most) = (counts.iter().min(), counts.iter().max());
    let (least, most) = (least.copied().unwrap_or(0), most.copied().unwrap_or(0));
    if least == most {
        return format!("{} each", count(least));
    }
    if classes.len() > 10 {
        return format!("{} to {}", count(least), count(most));
    }
    let each = classes.iter().zip(counts).map(|(class, &n)| format!("{class}: {}", count(n)));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fit_for_a_folder() {
        assert_eq!(name("triangles:es"), "triangles-ES");
        assert_eq!(name("/data/my pictures/"), "my-pictures");
        assert_eq!(name("a/.hidden"), "hidden");
    }

    #[test]
    fn a_digest_sees_pixels_labels_and_masks() {
        let mut config = Config::default();
        config.data.path = Some("triangles:ES".to_owned());
        let source = || load(&config, true).unwrap();
        let first = source().digest();
        assert_eq!(source().digest(), first);
        let mut other = source();
        other.train.masks[7] ^= 255;
        assert_ne!(other.digest(), first);
        let mut other = source();
        other.train.labels[0] = 1 - other.train.labels[0];
        assert_ne!(other.digest(), first);
    }

    #[test]
    fn settings_that_cannot_apply_are_refused() {
        let mut config = Config::default();
        config.data.path = Some("triangles:E".to_owned());
        config.data.channels = Some(3);
        assert!(load(&config, true).err().unwrap().to_string().contains("built in"));
    }
}

//! Augmentation: every epoch shows each training picture, and its mask with it, turned in another way.
//!
//! What happens to a picture follows from the order's seed, the epoch and its place in the epoch alone: a replica's
//! pictures are those of its single run, and a resumed run needs no state. The host draws seven words per place, as it
//! draws the order; the device turns the pixels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{TrainConfig, TrainError, upload};
use crate::data::Dataset;
use crate::exec::Device;
use crate::model::{self, Dimensions, ModelConfig, Network};
use crate::ops::augment::{Transform, WORDS};
use crate::plan::Variants;
use crate::random::Random;

/// The stream of the order's seed that the seed of augmentation is drawn from; epochs have the low and the high ones.
const STREAM: u64 = 1 << 63;

/// Which mirror images are shown, each half of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    /// None.
    #[default]
    None,
    /// Left and right change sides.
    Horizontal,
    /// Top and bottom change sides.
    Vertical,
    /// Either, and both.
    Both,
}

/// What is done to training pictures; all of it off by default. Each number is drawn uniformly, anew for each picture in
/// each epoch. Past the edge of a picture its edge goes on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Augmentation {
    /// Mirror images.
    pub flip: Flip,
    /// Whole pixels up, down and to the sides, at most.
    pub shift: usize,
    /// Degrees either way, at most.
    pub rotate: f64,
    /// The least side of a part, as a share of the picture's, that is cut out anywhere and shown at full size; 1 is off.
    pub crop: f64,
    /// Pixel values times 1 − brightness to 1 + brightness, at most white.
    pub brightness: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { flip: Flip::None, shift: 0, rotate: 0.0, crop: 1.0, brightness: 0.0 }
    }
}

impl Augmentation {
    /// Whether pictures stay as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Checks every number for itself.
    pub fn check(&self) -> Result<(), TrainError> {
        let within = |key, value: f64, low: f64, high: f64, example: &str| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            let remedy = format!("use a number from {low} to {high}, such as {example}");
            Err(TrainError::Setting { key, value: value.to_string(), remedy })
        };
        within("augment.shift", self.shift as f64, 0.0, 1024.0, "2")?;
        within("augment.rotate", self.rotate, 0.0, 180.0, "10")?;
        within("augment.crop", self.crop, 0.1, 1.0, "0.8")?;
        within("augment.brightness", self.brightness, 0.0, 1.0, "0.1")
    }

    /// The next picture's transform. Every picture takes as many numbers, so that one setting more or less leaves the
    /// others as they were.
    fn draw(&self, random: &mut Random, [height, width]: [usize; 2]) -> Transform {
        let flips = random.below(4);
        let mut offset = [0.0; 2];
        let mut parts = [0.0; 2];
        for axis in 0..2 {
            offset[axis] = random.below(2 * self.shift + 1) as f64 - self.shift as f64;
            parts[axis] = random.uniform(-0.5, 0.5);
        }
        let (sin, cos) = (self.rotate * random.uniform(-1.0, 1.0)).to_radians().sin_cos();
        let scale = self.crop + (1.0 - self.crop) * random.unit();
        let light = random.uniform(-1.0, 1.0);
        let (flip_y, flip_x) = match self.flip {
            Flip::None => (false, false),
            Flip::Horizontal => (false, flips % 2 == 1),
            Flip::Vertical => (flips / 2 == 1, false),
            Flip::Both => (flips / 2 == 1, flips % 2 == 1),
        };
        let [y, x] = [flip_y, flip_x].map(|flip| if flip { -scale } else { scale });
        for (offset, (part, size)) in offset.iter_mut().zip(parts.into_iter().zip([height, width])) {
            *offset += (1.0 - scale) * part * size as f64;
        }
        Transform {
            matrix: [[cos * y, -sin * x], [sin * y, cos * x]],
            offset,
            brightness: 1.0 + self.brightness * light,
        }
    }

    /// One replica's geometry `[slots, 7]` of the pass that `stream` names, for its first `pictures` places; what is past
    /// them is padding.
    pub(super) fn geometry(
        &self,
        order_seed: u64,
        stream: u64,
        [pictures, slots]: [usize; 2],
        size: [usize; 2],
    ) -> Vec<u32> {
        let seed = Random::new(order_seed, STREAM).next_u64();
        let mut random = Random::new(seed, stream);
        let mut words: Vec<u32> = (0..pictures).flat_map(|_| self.draw(&mut random, size).words()).collect();
        words.resize(slots * WORDS, 0);
        words
    }
}

impl FromStr for Augmentation {
    type Err = String;

    /// `flip,shift=2,rotate=10,crop=0.8,brightness=0.1`, any part of it, or `none`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut augmentation = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !matches!(*part, "" | "none")) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            fn number<T: FromStr>(key: &str, value: &str, example: &str) -> Result<T, String> {
                value.trim().parse().map_err(|_| format!("`{key}` takes a number, such as {key}={example}"))
            }
            match key.trim() {
                "flip" => {
                    augmentation.flip = match value.trim() {
                        "" | "horizontal" => Flip::Horizontal,
                        "vertical" => Flip::Vertical,
                        "both" => Flip::Both,
                        "none" => Flip::None,
                        _ => return Err("`flip` is horizontal, vertical, both or none".to_owned()),
                    }
                }
                "shift" => augmentation.shift = number("shift", value, "2")?,
                "rotate" => augmentation.rotate = number("rotate", value, "10")?,
                "crop" => augmentation.crop = number("crop", value, "0.8")?,
                "brightness" => augmentation.brightness = number("brightness", value, "0.1")?,
                other => {
                    return Err(format!(
                        "there is no augmentation `{other}`; there are flip, shift=PIXELS, rotate=DEGREES, crop=SHARE and \
                         brightness=SHARE"
                    ));
                }
            }
        }
        augmentation.check().map_err(|error| error.to_string())?;
        Ok(augmentation)
    }
}

impl fmt::Display for Augmentation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        match self.flip {
            Flip::None => {}
            Flip::Horizontal => parts.push("flip".to_owned()),
            Flip::Vertical => parts.push("flip=vertical".to_owned()),
            Flip::Both => parts.push("flip=both".to_owned()),
        }
        let off = Self::default();
        for (name, value, off) in [
            ("shift", self.shift as f64, 0.0),
            ("rotate", self.rotate, off.rotate),
            ("crop", self.crop, off.crop),
            ("brightness", self.brightness, off.brightness),
        ] {
            if value != off {
                parts.push(format!("{name}={value}"));
            }
        }
        f.write_str(if parts.is_empty() { "none" } else { "" })?;
        f.write_str(&parts.join(","))
    }
}

/// A few pictures as training would see them.
#[derive(Clone, Debug, PartialEq)]
pub struct Augmented {
    /// `[pictures, versions, H, W, C]` in [0, 1].
    pub pixels: Vec<f32>,
    /// `[pictures, versions, H, W]`, 255 = relevant.
    pub masks: Vec<u8>,
}

/// Every picture of a small data set in so many versions, by the kernels of training.
pub fn augmented(
    device: &Device,
    config: &TrainConfig,
    data: &Dataset,
    versions: usize,
    order_seed: u64,
) -> Result<Augmented, TrainError> {
    const NAME: &str = "augmented";
    data.validate()?;
    config.augment.check()?;
    let places = data.len() * versions;
    let network = Network::new(&ModelConfig::default(), upload::shape(data), data.classes.len(), 1)?;
    let dimensions =
        Dimensions { batch: places, steps: 1, augmented: true, ..upload::dimensions(data, data.len()) };
    let variants = Variants::new().on(device.limits().target);
    let plan = model::batch(&network, NAME, &dimensions, config.hard_masks, &variants)?;
    let mut session = device.session();
    let loaded = session.load(&plan)?;
    upload::write(session.as_mut(), NAME, data, &upload::fill_values(config.fill, data), &[])?;
    let order: Vec<u32> = (0..places).map(|place| (place / versions) as u32).collect();
    session.write_index(&format!("{NAME}.order"), &order)?;
    let size = [data.height, data.width];
    let geometry = config.augment.geometry(order_seed, 0, [places, places], size);
    session.write_index(&format!("{NAME}.geometry"), &geometry)?;
    session.run(loaded, 1)?;
    let [x, outside] = [model::X, model::OUTSIDE].map(|name| session.read_output(loaded, name));
    Ok(Augmented {
        pixels: x?.into_iter().map(|x| (x + 1.0) / 2.0).collect(),
        masks: outside?.into_iter().map(|outside| ((1.0 - outside) * 255.0).round() as u8).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Augmentation {
        "flip=both,shift=2,rotate=10,crop=0.8,brightness=0.1".parse().unwrap()
    }

    #[test]
    fn text_is_read_and_written() {
        assert_eq!(all().to_string(), "flip=both,shift=2,rotate=10,crop=0.8,brightness=0.1");
        assert_eq!("flip".parse::<Augmentation>().unwrap().flip, Flip::Horizontal);
        assert!("none".parse::<Augmentation>().unwrap().is_none());
        assert_eq!(Augmentation::default().to_string(), "none");
        for (text, part) in [
            ("crop=2", "augment.crop is 2: use a number from 0.1 to 1"),
            ("shift=-1", "shift=2"),
            ("rotate=NaN", "augment.rotate is NaN"),
            ("blur=3", "no augmentation `blur`"),
            ("flip=sideways", "horizontal, vertical"),
        ] {
            let error = text.parse::<Augmentation>().unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn draws_stay_in_their_ranges_and_reach_the_ends() {
        let mut random = Random::new(3, 0);
        let (mut shifts, mut flips, mut lights) = ([false; 9], [false; 4], (1.0f64, 1.0f64));
        for _ in 0..4000 {
            let settings = Augmentation { flip: Flip::Both, shift: 4, brightness: 0.2, ..Default::default() };
            let Transform { matrix, offset, brightness } = settings.draw(&mut random, [8, 8]);
            assert!(matrix[0][1] == 0.0 && matrix[1][0] == 0.0);
            flips[usize::from(matrix[0][0] < 0.0) * 2 + usize::from(matrix[1][1] < 0.0)] = true;
            shifts[(offset[0] + 4.0) as usize] = true;
            lights = (lights.0.min(brightness), lights.1.max(brightness));
            let settings = Augmentation { rotate: 30.0, crop: 0.5, ..Default::default() };
            let Transform { matrix: [[yy, yx], [xy, xx]], offset, .. } = settings.draw(&mut random, [8, 20]);
            let scale = (yy * yy + xy * xy).sqrt();
            assert!((0.5..=1.0).contains(&scale) && (yy * xx - yx * xy - scale * scale).abs() < 1e-12);
            assert!(xy.abs() <= scale * 0.5 + 1e-12, "more than 30 degrees");
            // What is cut out lies within the picture.
            assert!(offset[0].abs() <= (1.0 - scale) * 4.0 && offset[1].abs() <= (1.0 - scale) * 10.0);
        }
        assert!(shifts.iter().chain(&flips).all(|&seen| seen));
        assert!(lights.0 < 0.81 && lights.0 >= 0.8 && lights.1 > 1.19 && lights.1 <= 1.2);
    }

    #[test]
    fn one_setting_leaves_the_draws_of_the_others_alone() {
        let shift = |text: &str| {
            let settings: Augmentation = text.parse().unwrap();
            let words = settings.geometry(1, 2, [20, 24], [9, 7]);
            assert_eq!(words.len(), 24 * WORDS);
            assert!(words[20 * WORDS..].iter().all(|&word| word == 0));
            words.chunks(WORDS).map(|slot| slot[4]).collect::<Vec<_>>()
        };
        assert_eq!(shift("shift=3"), shift("shift=3,brightness=0.5,rotate=90"));
        assert_ne!(shift("shift=3"), shift("shift=3,crop=0.5"));
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let geometry = |seed, stream| all().geometry(seed, stream, [5, 5], [9, 7]);
        assert_eq!(geometry(1, 0), geometry(1, 0));
        assert_ne!(geometry(1, 0), geometry(1, 1));
        assert_ne!(geometry(1, 0), geometry(2, 0));
        assert_eq!(Augmentation::default().geometry(1, 0, [1, 1], [9, 7]), Transform::IDENTITY.words());
    }
}

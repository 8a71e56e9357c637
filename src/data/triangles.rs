//! The triangles: small noisy pictures whose class is the way that a triangle points.
//!
//! A picture is drawn in this order: background, distractors, the triangle on top, the spurious patch, noise, clip.
//! Each picture has a random stream of its own, and the patch takes one draw from it whether it is drawn or not.
//! So the same seed, part and counts give the same pictures under every [`PatchRule`], which is how the flip
//! rate is measured, and the first pictures of a large balanced set are those of a small one.
//!
//! Coordinates are those of the image: x to the right, y downward, pixel centres at +0.5. An angle turns
//! clockwise as seen on the screen; at 0° the apex points up.

use super::{DataError, Dataset, Pixels};
use crate::random::Random;
use shapes::{Mask, Picture, Shape};
use std::f64::consts::{PI, TAU};

mod shapes;

/// Height and width of every picture.
pub const SIZE: usize = 32;
/// Height and width of the spurious patch, flush with its corner.
pub const PATCH: usize = 3;

/// A named set of triangles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TriangleSet {
    /// In the centre, balanced.
    E,
    /// E with a spurious patch in every training picture.
    ES,
    /// In the centre, 9:1 imbalanced.
    EI,
    /// E with four classes.
    E4,
    /// Anywhere in the frame, balanced; for networks that end in global average pooling.
    D,
    /// D with a patch that follows the label in 95 % of the training pictures.
    DS,
    /// Anywhere in the frame, hardly any noise.
    BB,
    /// BB with a spurious patch in every training picture.
    BS,
}

/// Where the triangle goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Its bounding box is centred within 3 pixels of the middle.
    Centre,
    /// Its bounding box is anywhere in the frame.
    Uniform,
}

/// Which pictures carry the patch, and in which corner: class 0 top left, 1 top right, 2 bottom right, 3 bottom left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PatchRule {
    /// No picture has a patch.
    None,
    /// Every picture has one: with this probability that of its own class, otherwise that of another class.
    Follows(f64),
    /// Every picture has that of this class.
    Always(usize),
}

/// The part of a data set: each has random streams of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// For training.
    Train,
    /// For choices such as a learning rate.
    Val,
    /// For the final figures.
    Test,
}

/// What a named set is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Definition {
    /// Its name after `triangles:`.
    pub name: &'static str,
    /// One line for a list.
    pub summary: &'static str,
    /// Where the triangle goes.
    pub place: Place,
    /// The fewest and the most distractors.
    pub distractors: (usize, usize),
    /// Standard deviation of the white noise.
    pub noise: f64,
    /// Training pictures of each class.
    pub train_counts: &'static [usize],
    /// The patch in training pictures; test pictures have none.
    pub train_patch: PatchRule,
}

impl Definition {
    /// The number of classes, each turned by an equal share of the circle.
    pub fn classes(&self) -> usize {
        self.train_counts.len()
    }
}

impl TriangleSet {
    /// All sets, in the order of the documentation.
    pub const ALL: [Self; 8] = [Self::E, Self::ES, Self::EI, Self::E4, Self::D, Self::DS, Self::BB, Self::BS];

    /// What the set is made of.
    pub const fn definition(self) -> Definition {
        let e = Definition {
            name: "E",
            summary: "centred, balanced",
            place: Place::Centre,
            distractors: (6, 12),
            noise: 0.35,
            train_counts: &[250, 250],
            train_patch: PatchRule::None,
        };
        let d = Definition {
            name: "D",
            summary: "anywhere, balanced, for pooled networks",
            place: Place::Uniform,
            distractors: (3, 6),
            noise: 0.16,
            ..e
        };
        let bb = Definition {
            name: "BB",
            summary: "anywhere, balanced, little noise",
            distractors: (1, 3),
            noise: 0.03,
            ..d
        };
        let always = PatchRule::Follows(1.0);
        match self {
            Self::E => e,
            Self::ES => Definition {
                name: "ES",
                summary: "E with a spurious patch in training",
                train_patch: always,
                ..e
            },
            Self::EI => Definition {
                name: "EI",
                summary: "centred, 9:1 imbalanced, less noise",
                distractors: (3, 6),
                noise: 0.15,
                train_counts: &[450, 50],
                ..e
            },
            Self::E4 => Definition {
                name: "E4",
                summary: "E with four classes",
                train_counts: &[125, 125, 125, 125],
                ..e
            },
            Self::D => d,
            Self::DS => Definition {
                name: "DS",
                summary: "D with a patch that follows the label in 95 % of training",
                train_patch: PatchRule::Follows(0.95),
                ..d
            },
            Self::BB => bb,
            Self::BS => Definition {
                name: "BS",
                summary: "BB with a spurious patch in training",
                train_patch: always,
                ..bb
            },
        }
    }

    /// The training set: counts and patch as defined, every picture explained.
    pub fn train(self, seed: u64) -> Result<Dataset, DataError> {
        let definition = self.definition();
        generate(self, definition.train_counts, seed, Part::Train, definition.train_patch)
    }

    /// A balanced test set of `n` pictures (3,000 in the studies): [`PatchRule::None`] for the clean one,
    /// [`PatchRule::Always`] for the copies that the flip rate compares.
    pub fn test(self, n: usize, seed: u64, patch: PatchRule) -> Result<Dataset, DataError> {
        generate(self, &balanced(n, self.definition().classes()), seed, Part::Test, patch)
    }

    /// The set that a data argument names, if it starts with `triangles:`; upper and lower case alike.
    pub fn built_in(data: &str) -> Option<Result<Self, DataError>> {
        data.starts_with("triangles:").then(|| data.parse())
    }
}

impl std::str::FromStr for TriangleSet {
    type Err = DataError;

    /// Reads `ES` or `triangles:ES`.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let name = text.strip_prefix("triangles:").unwrap_or(text);
        Self::ALL.into_iter().find(|set| set.definition().name.eq_ignore_ascii_case(name)).ok_or_else(|| {
            let known: Vec<String> =
                Self::ALL.iter().map(|set| format!("triangles:{}", set.definition().name)).collect();
            DataError::UnknownSet { name: text.to_string(), known: known.join(", ") }
        })
    }
}

/// `n` parted equally, the first classes taking the remainder.
pub fn balanced(n: usize, classes: usize) -> Vec<usize> {
    (0..classes).map(|class| n / classes + usize::from(class < n % classes)).collect()
}

/// Draws a set with `counts[class]` pictures of each class, classes in turn, all explained.
///
/// `seed` is the data seed of [`Seeds`](crate::random::Seeds).
pub fn generate(
    set: TriangleSet,
    counts: &[usize],
    seed: u64,
    part: Part,
    patch: PatchRule,
) -> Result<Dataset, DataError> {
    let definition = set.definition();
    let classes = definition.classes();
    if counts.len() != classes {
        return Err(DataError::Counts { name: definition.name, given: counts.len(), classes });
    }
    match patch {
        PatchRule::Follows(p) if !(0.0..=1.0).contains(&p) => {
            let (option, value) = ("the probability of the patch", p.to_string());
            return Err(DataError::Option { option, value, allowed: "within 0 and 1" });
        }
        PatchRule::Always(class) if class >= classes => {
            let (option, value) = ("the class of the patch", class.to_string());
            return Err(DataError::Option { option, value, allowed: "below the number of classes" });
        }
        _ => {}
    }
    let labels = in_turn(counts);
    let (mut pixels, mut masks) = (Vec::new(), Vec::new());
    pixels.reserve_exact(labels.len() * SIZE * SIZE);
    masks.reserve_exact(labels.len() * SIZE * SIZE);
    for (i, &label) in labels.iter().enumerate() {
        let mut random = Random::new(seed, stream(part, i));
        let (picture, mask) = draw(&definition, label as usize, patch, &mut random);
        pixels.extend(picture.values.iter().map(|&value| value.clamp(0.0, 1.0) as f32));
        masks.extend(mask.iter().map(|&relevant| if relevant { 255u8 } else { 0 }));
    }
    let names = ["up", "right", "down", "left"];
    let part = match part {
        Part::Train => "train",
        Part::Val => "val",
        Part::Test => "test",
    };
    Ok(Dataset {
        height: SIZE,
        width: SIZE,
        channels: 1,
        classes: (0..classes).map(|class| names[class * 4 / classes].to_string()).collect(),
        pixels: Pixels::Float(pixels),
        masks,
        explained: vec![true; labels.len()],
        names: (0..labels.len()).map(|i| format!("triangles:{}/{part}/{i}", definition.name)).collect(),
        groups: Default::default(),
        labels,
    })
}

/// The random stream of picture `i`.
fn stream(part: Part, i: usize) -> u64 {
    let part: u64 = match part {
        Part::Train => 1,
        Part::Val => 2,
        Part::Test => 3,
    };
    part << 48 | i as u64
}

/// Labels with these counts, the classes taking turns as evenly as the counts allow.
fn in_turn(counts: &[usize]) -> Vec<u32> {
    let total: usize = counts.iter().sum();
    let mut given = vec![0usize; counts.len()];
    let mut labels = Vec::with_capacity(total);
    for i in 1..=total {
        let lag = |&class: &usize| (counts[class] * i) as i64 - (given[class] * total) as i64;
        let open = (0..counts.len()).rev().filter(|&class| given[class] < counts[class]);
        // `rev` and `max_by_key`, which takes the last of equals: the first class goes first.
        let Some(class) = open.max_by_key(lag) else { break };
        given[class] += 1;
        labels.push(class as u32);
    }
    labels
}

/// One picture before the clip, and its mask.
fn draw(definition: &Definition, class: usize, patch: PatchRule, random: &mut Random) -> (Picture, Mask) {
    let size = SIZE as f64;
    let mut picture = Picture::new(random.uniform(0.0, 0.35));
    let (fewest, most) = definition.distractors;
    for _ in 0..fewest + random.below(most - fewest + 1) {
        let shape = match random.below(3) {
            0 => Shape::Disc { radius: random.uniform(2.0, 5.0) },
            1 => Shape::Rectangle {
                half: [random.uniform(2.0, 5.0), random.uniform(2.0, 5.0)],
                angle: random.uniform(0.0, PI),
            },
            _ => Shape::Rectangle {
                half: [random.uniform(4.0, 12.0), random.uniform(0.5, 1.2)],
                angle: random.uniform(0.0, PI),
            },
        };
        let centre = [random.uniform(0.0, size), random.uniform(0.0, size)];
        picture.fill(&shape.cover(centre), random.uniform(0.2, 1.0));
    }

    let height = random.uniform(8.0, 12.0);
    let base = height * random.uniform(0.9, 1.25);
    let jitter = 20f64.to_radians();
    let angle = TAU * class as f64 / definition.classes() as f64 + random.uniform(-jitter, jitter);
    let triangle = Shape::triangle(height, base, angle);
    let [wide, high] = triangle.extent();
    let middle = match definition.place {
        Place::Centre => [size / 2.0 + random.uniform(-3.0, 3.0), size / 2.0 + random.uniform(-3.0, 3.0)],
        Place::Uniform => {
            [random.uniform(wide / 2.0, size - wide / 2.0), random.uniform(high / 2.0, size - high / 2.0)]
        }
    };
    let cover = triangle.cover(middle);
    picture.fill(&cover, random.uniform(0.55, 1.0));
    let mut mask = shapes::dilate(&cover);

    if let Some(class) = patch_class(patch, class, definition.classes(), random.unit()) {
        let corner = shapes::corner(class);
        picture.fill(&corner, 1.0);
        mask.iter_mut().zip(&corner).for_each(|(mask, patch)| *mask &= !patch);
    }
    picture.values.iter_mut().for_each(|value| *value += definition.noise * random.normal());
    (picture, mask)
}

/// The class whose patch a picture gets, from one uniform draw.
fn patch_class(rule: PatchRule, class: usize, classes: usize, draw: f64) -> Option<usize> {
    match rule {
        PatchRule::None => None,
        PatchRule::Always(class) => Some(class),
        PatchRule::Follows(p) if draw < p => Some(class),
        PatchRule::Follows(p) => {
            let others = classes - 1;
            let step = ((draw - p) / (1.0 - p) * others as f64) as usize;
            Some((class + 1 + step.min(others - 1)) % classes)
        }
    }
}

#[cfg(test)]
mod tests;

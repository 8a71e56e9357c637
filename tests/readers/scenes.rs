//! The pictures that every layout holds: two textures, and an object somewhere on them.

use std::path::{Path, PathBuf};

use image::{GrayImage, Luma, Rgb, RgbImage};

/// Side of every picture.
pub const SIDE: u32 = 16;
/// Pictures of each class.
pub const EACH: u32 = 12;
pub const CLASSES: [&str; 2] = ["Acorn", "bell"];

/// One picture and what is known of it.
pub struct Scene {
    pub class: usize,
    pub number: u32,
    pub image: RgbImage,
    /// x, y, width, height of the object.
    pub object: [u32; 4],
}

impl Scene {
    pub fn class(&self) -> &'static str {
        CLASSES[self.class]
    }

    /// The last third is for the test.
    pub fn is_test(&self) -> bool {
        self.number >= EACH * 2 / 3
    }

    pub fn part(&self) -> &'static str {
        if self.is_test() { "test" } else { "train" }
    }

    /// White where the object is.
    pub fn mask(&self) -> GrayImage {
        let [left, top, width, height] = self.object;
        let inside = |x, y| (left..left + width).contains(&x) && (top..top + height).contains(&y);
        GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]))
    }
}

/// All pictures; objects have the same sizes in both classes, so that nothing but their colour tells the class.
pub fn scenes() -> Vec<Scene> {
    let all = (0..2usize).flat_map(|class| (0..EACH).map(move |number| (class, number)));
    all.map(|(class, number)| {
        let object = [1 + number % 5, 2 + number % 3, 5 + number % 4, 6 + number % 3];
        let [left, top, width, height] = object;
        let image = RgbImage::from_fn(SIDE, SIDE, |x, y| {
            let noise = (x * 37 + y * 59 + number * 101 + class as u32 * 13) % 60;
            let inside = (left..left + width).contains(&x) && (top..top + height).contains(&y);
            let base = [[190, 60, 60], [60, 60, 190]][class];
            Rgb(base.map(|value| (if inside { value } else { 90 } + noise) as u8))
        });
        Scene { class, number, image, object }
    })
    .collect()
}

/// A folder that vanishes at the end of a test.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// A path inside; the folders above it are made.
    pub fn at(&self, name: &str) -> PathBuf {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.at(name), bytes).unwrap();
    }
}

//! Masks as files: the tree `masks/<part>/<class>/<stem>.png` beside the pictures, as the readers of image folders expect it.

use std::fs;
use std::path::{Path, PathBuf};

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder};

use super::canvas::Canvas;
use super::error::StudioError;
use crate::data::readers::catalog::{Explanation, Item, Picture};
use crate::data::readers::masks;
use crate::data::{Dataset, Extent, ReadOptions};
use crate::train::write_atomically;

/// Where the masks of a folder of pictures lie.
#[derive(Clone, Debug)]
pub struct MaskTree {
    /// The folder of the pictures.
    pub root: PathBuf,
    /// Black is relevant.
    pub black: bool,
}

impl MaskTree {
    /// The place of the mask of a picture, whose name is relative to the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join("masks").join(name).with_extension("png")
    }
}

/// Whether a file is PNG by its name.
pub fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Reads a mask as training does, at the size of its file.
pub fn load(path: &Path, options: &ReadOptions) -> Result<Canvas, StudioError> {
    let mask = Picture::File(path.to_owned());
    let size = crate::data::readers::decode::extent(&mask)?;
    let mut item = Item::new(mask, path.display().to_string(), &"".into());
    item.explanation = Explanation::Mask(path.to_owned());
    // Its own size stands in for the picture's: the linter and `train` compare the two.
    let raw = masks::read(&item, &DynamicImage::new_luma8(size.0, size.1), options)?;
    Ok(raw.map_or_else(|| Canvas::new(size), |raw| Canvas::of(raw.size, raw.values)))
}

/// Writes a mask, whole or not at all; folders on the way are made.
pub fn save(path: &Path, canvas: &Canvas, black: bool) -> Result<(), StudioError> {
    let values: Vec<u8> = match black {
        true => canvas.values().iter().map(|value| 255 - value).collect(),
        false => canvas.values().to_vec(),
    };
    make_folder(path)?;
    Ok(write_atomically(path, &png(path, canvas.size(), &values, ExtendedColorType::L8)?)?)
}

/// Removes a mask; one that is not there is removed already.
pub fn remove(path: &Path) -> Result<(), StudioError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(StudioError::File {
            path: path.to_owned(),
            message: format!("cannot be removed ({error}); see to its permissions, or delete it by hand"),
        }),
    }
}

fn make_folder(path: &Path) -> Result<(), StudioError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| StudioError::File {
        path: folder.to_owned(),
        message: format!("this folder cannot be made ({error}); see to its permissions, or save elsewhere"),
    })
}

fn png(path: &Path, size: Extent, values: &[u8], color: ExtendedColorType) -> Result<Vec<u8>, StudioError> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(values, size.0, size.1, color).map_err(|error| {
        let message = format!("cannot be encoded as PNG ({error}); it has {}×{} pixels", size.0, size.1);
        StudioError::File { path: path.to_owned(), message }
    })?;
    Ok(bytes)
}

/// Names of the pictures of one part in a folder that [`write_pictures`] fills: `<part>/<class>/<number>.png`.
pub fn names_in_folder(data: &Dataset, part: &str) -> Vec<String> {
    (0..data.len()).map(|i| format!("{part}/{}/{i:05}.png", data.class_of(i))).collect()
}

/// Writes the pictures of a part as an image folder, 8 bits a channel.
pub fn write_pictures(root: &Path, data: &Dataset, names: &[String]) -> Result<(), StudioError> {
    let size = (data.width as u32, data.height as u32);
    let color = if data.channels == 3 { ExtendedColorType::Rgb8 } else { ExtendedColorType::L8 };
    for (i, name) in names.iter().enumerate() {
        let path = root.join(name);
        make_folder(&path)?;
        // Not flushed one by one: nothing here is worth more than a second try.
        fs::write(&path, png(&path, size, &data.picture_bytes(i), color)?).map_err(|error| {
            StudioError::File {
                message: format!(
                    "cannot be written ({error}); free some space there, or choose another folder"
                ),
                path,
            }
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::triangles::{PatchRule, TriangleSet};
    use crate::data::{MaskPolarity, MaskThreshold, Pixels, read_folder};
    use crate::studio::canvas::INSIDE;

    #[test]
    fn what_is_saved_is_what_train_reads() {
        let folder = tempfile::tempdir().unwrap();
        let data = TriangleSet::ES.test(8, 1, PatchRule::None).unwrap();
        for part in ["train", "val", "test"] {
            write_pictures(folder.path(), &data, &names_in_folder(&data, part)).unwrap();
        }
        let tree = MaskTree { root: folder.path().to_owned(), black: false };
        let names = names_in_folder(&data, "train");
        let mut canvas = Canvas::new((32, 32));
        canvas.stroke([9.0, 12.0], [20.0, 12.0], 3.0, INSIDE);
        save(&tree.path(&names[5]), &canvas, false).unwrap();
        let read = read_folder(folder.path(), &ReadOptions::default()).unwrap();
        let at = read.train.names.iter().position(|name| *name == names[5]).unwrap();
        assert_eq!(read.train.mask(at), canvas.values());
        assert_eq!(read.train.explained_count(), 1);
        // A folder's classes are in the order of their names.
        let class = |data: &Dataset, at: usize| data.classes[data.labels[at] as usize].clone();
        assert_eq!(class(&read.train, at), class(&data, 5));
        let Pixels::Byte(_) = read.train.pixels else { panic!("read as bytes") };
        let largest = read
            .train
            .picture(at)
            .iter()
            .zip(data.picture(5))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(largest <= 0.5 / 255.0 + 1e-6, "{largest}");
        remove(&tree.path(&names[5])).unwrap();
        remove(&tree.path(&names[5])).unwrap();
        assert_eq!(read_folder(folder.path(), &ReadOptions::default()).unwrap().train.explained_count(), 0);
    }

    #[test]
    fn either_polarity_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut canvas = Canvas::new((7, 5));
        canvas.stroke([2.0, 2.0], [4.0, 2.0], 1.0, INSIDE);
        for (black, polarity) in [(false, MaskPolarity::White), (true, MaskPolarity::Black)] {
            let path = folder.path().join(format!("masks/a/{black}.png"));
            save(&path, &canvas, black).unwrap();
            let options = ReadOptions {
                mask_polarity: polarity,
                mask_threshold: MaskThreshold::Above(127),
                ..ReadOptions::default()
            };
            assert_eq!(load(&path, &options).unwrap(), canvas);
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let error = save(&file.join("masks/a.png"), &Canvas::new((2, 2)), false).unwrap_err().to_string();
        assert!(error.contains("masks") && error.contains("save elsewhere"), "{error}");
    }
}

//! The pictures of a session, their masks at the size of training, and where the masks are kept.

use std::path::{Path, PathBuf};

use crate::data::readers::{self, Part, catalog::Explanation, catalog::Picture, decode};
use crate::data::{Dataset, Extent, Format, MaskPolarity, ReadOptions};

use super::canvas::Canvas;
use super::error::StudioError;
use super::mask_tree::{self, MaskTree};

/// The longest side of a mask that is painted; larger pictures get a smaller mask of their own shape.
const LONGEST: u32 = 768;

/// Data as the program reads them for the window.
#[derive(Clone, Debug)]
pub struct Opened {
    /// As it was named.
    pub name: String,
    /// What is trained on, and painted.
    pub train: Dataset,
    /// What accuracy is measured on.
    pub judged: Dataset,
    /// What these are, such as `clean test pictures`.
    pub judged_name: String,
    /// The part that they are: val or test.
    pub judged_part: Part,
    /// The judged pictures with the patch of class 0 and with that of class 1, for sets that have one.
    pub patched: Option<[Dataset; 2]>,
    /// The folder of pictures; `None` for sets whose masks have no place of their own.
    pub folder: Option<PathBuf>,
    /// How the files were read.
    pub options: ReadOptions,
    /// What a user should know.
    pub notes: Vec<String>,
}

/// Files of one picture.
#[derive(Clone, Debug)]
struct Files {
    /// `None` where the picture is painted at the size of training.
    picture: Option<PathBuf>,
    mask: Option<PathBuf>,
}

/// The pictures that are painted.
#[derive(Debug)]
pub struct Album {
    /// As it was named.
    pub name: String,
    /// Pictures and their masks at the size of training.
    pub train: Dataset,
    files: Vec<Option<Files>>,
    tree: Option<MaskTree>,
    options: ReadOptions,
}

/// Which pictures are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    #[default]
    All,
    /// Those with a mask.
    Masked,
    /// Those without.
    Unmasked,
    /// Those that the model with explanations gets wrong now.
    Wrong,
}

impl Filter {
    /// All filters, in order.
    pub const ALL: [Self; 4] = [Self::All, Self::Masked, Self::Unmasked, Self::Wrong];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Masked => "With mask",
            Self::Unmasked => "Without",
            Self::Wrong => "Wrong now",
        }
    }
}

impl Album {
    /// From what was read; the files of a folder are looked up again for their paths and sizes.
    pub fn new(opened: &Opened) -> Result<Self, StudioError> {
        let train = opened.train.clone();
        let mut files = vec![None; train.len()];
        let tree = opened.folder.as_ref().map(|folder| MaskTree {
            root: folder.clone(),
            black: opened.options.mask_polarity == MaskPolarity::Black,
        });
        if let Some(folder) = &opened.folder {
            let catalog = readers::catalog(folder, Format::Folder, &opened.options)?;
            let by_name: std::collections::HashMap<&str, usize> =
                train.names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
            for item in &catalog.items {
                let (Some(&at), Picture::File(picture)) = (by_name.get(item.name.as_str()), &item.picture)
                else {
                    continue;
                };
                let mask = match &item.explanation {
                    Explanation::Mask(path) => Some(path.clone()),
                    _ => None,
                };
                files[at] = Some(Files { picture: Some(picture.clone()), mask });
            }
        }
        let (name, options) = (opened.name.clone(), opened.options.clone());
        Ok(Self { name, train, files, tree, options })
    }

    /// The number of pictures.
    pub fn len(&self) -> usize {
        self.train.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.train.is_empty()
    }

    /// Where masks are kept; `None` while they are in memory alone.
    pub fn folder(&self) -> Option<&Path> {
        self.tree.as_ref().map(|tree| tree.root.as_path())
    }

    /// The name of a picture without its class and folders.
    pub fn short_name(&self, index: usize) -> &str {
        let name = self.train.names.get(index).map_or("", String::as_str);
        name.rsplit('/').next().unwrap_or(name)
    }

    /// The name of the class of a picture.
    pub fn class(&self, index: usize) -> &str {
        let label = self.train.labels.get(index).copied().unwrap_or_default();
        self.train.classes.get(label as usize).map_or("", String::as_str)
    }

    /// The pictures that a filter lists; `wrong` says which ones are wrong now.
    pub fn listed(&self, filter: Filter, wrong: &[bool]) -> Vec<usize> {
        let shown = |&i: &usize| match filter {
            Filter::All => true,
            Filter::Masked => self.train.explained[i],
            Filter::Unmasked => !self.train.explained[i],
            Filter::Wrong => wrong.get(i).copied().unwrap_or(false),
        };
        (0..self.len()).filter(shown).collect()
    }

    /// A picture at the size of training, RGB.
    pub fn thumbnail(&self, index: usize) -> (Extent, Vec<u8>) {
        let bytes = self.train.picture_bytes(index);
        let rgb = match self.train.channels {
            3 => bytes,
            _ => bytes.into_iter().flat_map(|grey| [grey; 3]).collect(),
        };
        ((self.train.width as u32, self.train.height as u32), rgb)
    }

    /// Width over height of the pictures at the size of training.
    pub fn thumbnail_aspect(&self) -> f32 {
        self.train.width as f32 / self.train.height.max(1) as f32
    }

    /// Whether the mask of a picture is read from its file when it is taken up.
    pub fn is_in_files(&self, index: usize) -> bool {
        self.file(index).is_some()
    }

    fn file(&self, index: usize) -> Option<Picture> {
        self.files.get(index)?.as_ref()?.picture.clone().map(Picture::File)
    }

    /// A picture as large as its mask is painted, RGB.
    pub fn picture(&self, index: usize) -> Result<(Extent, Vec<u8>), StudioError> {
        match self.file(index) {
            None => Ok(self.thumbnail(index)),
            Some(file) => {
                let size = painted_size(decode::extent(&file)?);
                Ok((size, decode::bytes(decode::picture(&file)?, size, true)))
            }
        }
    }

    /// The mask of a picture, as large as it is painted.
    pub fn canvas(&self, index: usize) -> Result<Canvas, StudioError> {
        let trained = Canvas::of(self.extent(), self.train.mask(index).to_vec());
        let Some(file) = self.file(index) else { return Ok(trained) };
        let size = painted_size(decode::extent(&file)?);
        let mask = self.files[index].as_ref().and_then(|files| files.mask.as_ref());
        let saved = match mask {
            Some(path) if self.train.explained[index] => mask_tree::load(path, &self.options)?,
            _ => trained,
        };
        Ok(Canvas::of(size, saved.fitted(size)))
    }

    fn extent(&self) -> Extent {
        (self.train.width as u32, self.train.height as u32)
    }

    /// Takes a painted mask over at the size of training and returns that: `None` for one that marks nothing, which is no mask.
    pub fn set_mask(&mut self, index: usize, canvas: &Canvas) -> Option<Vec<u8>> {
        let area = self.train.height * self.train.width;
        let mask = canvas.marks_any().then(|| canvas.fitted(self.extent()));
        let place = &mut self.train.masks[index * area..(index + 1) * area];
        match &mask {
            Some(mask) => place.copy_from_slice(mask),
            None => place.fill(0),
        }
        self.train.explained[index] = mask.is_some();
        mask
    }

    /// The file that the mask of a picture is kept in, once there is a folder: the one that is there, or its place in the tree.
    pub fn mask_file(&mut self, index: usize) -> Result<Option<PathBuf>, StudioError> {
        let Some(tree) = &self.tree else { return Ok(None) };
        let found = self.files.get(index).and_then(Option::as_ref).and_then(|files| files.mask.clone());
        let path = match found {
            Some(path) if mask_tree::is_png(&path) => path,
            Some(path) => {
                let message = "is the mask of this picture and no PNG file, so it is left alone and the stroke is not saved; \
                               turn it into PNG, or move it out of the data, and open the data again"
                    .to_owned();
                return Err(StudioError::File { path, message });
            }
            None => tree.path(&self.train.names[index]),
        };
        if let Some(files) = &mut self.files[index] {
            files.mask = Some(path.clone());
        }
        Ok(Some(path))
    }

    /// Whether masks are saved with black as relevant.
    pub fn black(&self) -> bool {
        self.tree.as_ref().is_some_and(|tree| tree.black)
    }

    /// Keeps masks in this folder from now on, whose pictures have been written there under these names.
    pub fn move_to(&mut self, root: PathBuf, names: Vec<String>) {
        self.name = root.display().to_string();
        // The files are still being written, and hold what is in memory.
        self.files = names.iter().map(|_| Some(Files { picture: None, mask: None })).collect();
        self.train.names = names;
        self.tree = Some(MaskTree { root, black: false });
    }

    /// Forgets that a picture has a mask file, after it was removed.
    pub fn forget_mask_file(&mut self, index: usize) {
        if let Some(files) = self.files.get_mut(index).and_then(Option::as_mut) {
            files.mask = None;
        }
    }
}

/// The size at which the mask of a picture is painted.
fn painted_size((width, height): Extent) -> Extent {
    let longest = width.max(height);
    if longest <= LONGEST {
        return (width, height);
    }
    let scaled =
        |side: u32| ((f64::from(side) * f64::from(LONGEST) / f64::from(longest)).round() as u32).max(1);
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::triangles::{PatchRule, TriangleSet};
    use crate::studio::canvas::INSIDE;

    fn album() -> Album {
        let mut train = TriangleSet::ES.test(6, 1, PatchRule::None).unwrap();
        train.explained.fill(false);
        train.masks.fill(0);
        let opened = Opened {
            name: "triangles:ES".to_owned(),
            judged: train.clone(),
            judged_name: "test pictures".to_owned(),
            judged_part: Part::Test,
            train,
            patched: None,
            folder: None,
            options: ReadOptions::default(),
            notes: Vec::new(),
        };
        Album::new(&opened).unwrap()
    }

    #[test]
    fn a_painted_mask_is_an_explanation_and_an_empty_one_is_none() {
        let mut album = album();
        let mut canvas = album.canvas(2).unwrap();
        canvas.stroke([16.5, 16.5], [16.5, 16.5], 3.0, INSIDE);
        assert_eq!(album.set_mask(2, &canvas).as_deref(), Some(canvas.values()));
        assert_eq!(album.listed(Filter::Masked, &[]), [2]);
        assert_eq!(album.listed(Filter::Unmasked, &[]), [0, 1, 3, 4, 5]);
        assert_eq!(album.canvas(2).unwrap(), canvas);
        canvas.clear(0);
        assert_eq!(album.set_mask(2, &canvas), None);
        assert!(album.listed(Filter::Masked, &[]).is_empty());
        assert_eq!(album.listed(Filter::Wrong, &[false, true]), [1]);
        assert_eq!(album.mask_file(2).unwrap(), None);
    }

    #[test]
    fn large_pictures_are_painted_in_their_own_shape() {
        assert_eq!(painted_size((640, 480)), (640, 480));
        assert_eq!(painted_size((3072, 1024)), (768, 256));
        assert_eq!(painted_size((1, 100_000)), (1, 768));
    }
}

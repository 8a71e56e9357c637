//! What can be wrong with data, in sentences that name the file and the remedy.

use std::path::PathBuf;

/// Width and height of an image in pixels.
pub type Extent = (u32, u32);

/// A data set that cannot be read, made or split.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Nothing lies at the path.
    #[error("{path} does not exist: check the path, or name a built-in set such as triangles:ES")]
    NotFound {
        /// The path as given.
        path: PathBuf,
    },
    /// The path is not a folder.
    #[error("{path} is a file, not a folder: give the folder that holds one sub-folder for each class")]
    NotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The system refused to list a folder.
    #[error("cannot list {path} ({source}): check its permissions")]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There are `val` or `test` folders but no `train`.
    #[error(
        "{path} has a `{part}` folder but no `train` folder: add `train`, or move the class folders into {path} itself to have them split"
    )]
    NoTrain {
        /// The root of the data set.
        path: PathBuf,
        /// The folder that is there.
        part: String,
    },
    /// No image anywhere.
    #[error(
        "no images under {path}: expected {path}/<class>/<image> or {path}/{{train,val,test}}/<class>/<image>, in a format such as PNG or JPEG"
    )]
    NoImages {
        /// The root of the data set, or one of its parts.
        path: PathBuf,
    },
    /// A class folder that holds no image.
    #[error("the class folder {path} holds no images: add some, or remove the folder")]
    EmptyClass {
        /// The class folder.
        path: PathBuf,
    },
    /// Every image of a class was unreadable and skipped.
    #[error(
        "none of the {count} images of class `{class}` in {part} can be read: replace them, or remove the class"
    )]
    ClassUnreadable {
        /// The class.
        class: String,
        /// `train`, `val` or `test`.
        part: String,
        /// How many images were skipped.
        count: usize,
    },
    /// There is nothing to tell apart.
    #[error(
        "{path} has one class only, `{class}`: training needs at least two class folders, each with its images"
    )]
    OneClass {
        /// The folder with the class folders.
        path: PathBuf,
        /// The only class.
        class: String,
    },
    /// A class that could never be learned.
    #[error(
        "class `{class}` is in {part} but not in train (which has {known}): add training images for it, or rename or remove {path}"
    )]
    ClassNotInTrain {
        /// The class.
        class: String,
        /// `val` or `test`.
        part: String,
        /// The classes of train.
        known: String,
        /// The class folder.
        path: PathBuf,
    },
    /// An image or a mask that does not decode.
    #[error(
        "cannot read {path} ({reason}): replace or remove the file, or pass --skip-unreadable to go on without it"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the decoder or the system said.
        reason: String,
    },
    /// A mask whose shape is not that of its picture.
    #[error(
        "the mask {mask} is {}×{} but its picture {image} is {}×{}: a mask is resized only when its aspect ratio is that of the picture",
        mask_size.0, mask_size.1, image_size.0, image_size.1
    )]
    MaskSize {
        /// The mask.
        mask: PathBuf,
        /// Its width and height.
        mask_size: Extent,
        /// Its picture.
        image: PathBuf,
        /// The picture's width and height.
        image_size: Extent,
    },
    /// Pictures of several sizes, and no size to bring them to.
    #[error(
        "pictures differ in size: {first} is {}×{} and {second} is {}×{}; pass --size (for example --size {suggestion}) to resize all",
        first_size.0, first_size.1, second_size.0, second_size.1
    )]
    SizesDiffer {
        /// The first picture of the data set.
        first: PathBuf,
        /// Its width and height.
        first_size: Extent,
        /// The first picture that differs from it.
        second: PathBuf,
        /// Its width and height.
        second_size: Extent,
        /// A size that suits both.
        suggestion: u32,
    },
    /// A line or field of a list that cannot be used.
    #[error("{file}, {place}: {message}", file = file.display())]
    Entry {
        /// The list.
        file: PathBuf,
        /// Where in it.
        place: String,
        /// What is wrong, and the remedy.
        message: String,
    },
    /// A list names a file outside of its folder.
    #[error(
        "{file}, {place}: `{name}` lies outside of {folder}: move the file in, or pass --allow-outside if you trust the list",
        file = file.display(), folder = folder.display()
    )]
    Outside {
        /// The list.
        file: PathBuf,
        /// Where in it.
        place: String,
        /// The name as written.
        name: String,
        /// The folder that it must not leave.
        folder: PathBuf,
    },
    /// Two formats fit.
    #[error("{path} can be read as {choices}: say which with {flags}")]
    Ambiguous {
        /// The data.
        path: PathBuf,
        /// Both formats, with what speaks for each.
        choices: String,
        /// The flag for each.
        flags: String,
    },
    /// A file that is no list of pictures.
    #[error(
        "{path} is no data set: a file may be a table (.csv), JSON lines (.jsonl) or COCO annotations (.json); or give the folder that holds one sub-folder for each class"
    )]
    UnknownFile {
        /// The path as given.
        path: PathBuf,
    },
    /// What a format needs is not there.
    #[error(
        "{path} is missing, and a data set of the format {format} has it: put it there, or name another --format"
    )]
    MissingPart {
        /// The file or folder.
        path: PathBuf,
        /// The format.
        format: &'static str,
    },
    /// An option that no data can satisfy.
    #[error("{option} is {value}: it must be {allowed}")]
    Option {
        /// The option as the user knows it.
        option: &'static str,
        /// What it was set to.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// A class too small to be split.
    #[error(
        "class `{class}` has {have} {}, too few to split into {asked} (at least {need}): add pictures, or ask for fewer parts",
        if *have == 1 { "picture" } else { "pictures" }
    )]
    TooFew {
        /// The class.
        class: String,
        /// How many pictures it has.
        have: usize,
        /// How many the split needs.
        need: usize,
        /// The shares that were asked for.
        asked: String,
    },
    /// A built-in set that does not exist.
    #[error("there is no built-in data set `{name}`: known are {known}")]
    UnknownSet {
        /// The name as given.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// One count is needed for each class.
    #[error(
        "{given} class counts were given for {name}, which has {classes} classes: give one for each class"
    )]
    Counts {
        /// The set of triangles.
        name: &'static str,
        /// How many counts were given.
        given: usize,
        /// How many classes the set has.
        classes: usize,
    },
    /// A mask or background cannot be exchanged with another picture's.
    #[error(
        "exchanging masks or backgrounds needs at least 2 explained pictures, and there are {explained}: add masks"
    )]
    TooFewExplained {
        /// How many pictures have an explanation.
        explained: usize,
    },
    /// A picture number past the end.
    #[error("picture {index} was asked for, but the data set holds {len}: use numbers below {len}")]
    Index {
        /// The number.
        index: usize,
        /// The number of pictures.
        len: usize,
    },
    /// The parts of a [`Dataset`](super::Dataset) contradict each other.
    #[error(
        "inconsistent data set: {what} is {found} where {expected} was expected; fix what built the data set"
    )]
    Inconsistent {
        /// The part.
        what: String,
        /// What it is.
        found: usize,
        /// What the other parts imply.
        expected: usize,
    },
}

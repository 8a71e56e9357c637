//! IDX files, the format of MNIST: big-endian sizes, then bytes; plain or packed by gzip.

use std::path::{Path, PathBuf};

use super::{DataError, Dataset, Pixels};

/// The four files of a data set, as far as their names begin; `-idx3-ubyte` and `.idx3-ubyte` may follow.
const FILES: [[&str; 2]; 2] = [["train-images", "train-labels"], ["t10k-images", "t10k-labels"]];

/// Whether a folder holds IDX files.
pub fn is_idx(root: &Path) -> bool {
    find(root, FILES[0][0]).is_some()
}

/// The file whose name begins so, if there is one.
fn find(root: &Path, stem: &str) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(stem)))
        .collect();
    // A file that is unpacked goes before its archive.
    found.sort_by_key(|path| (path.extension().is_some_and(|ext| ext == "gz"), path.clone()));
    found.into_iter().next()
}

/// Reads the training and the test pictures of a folder with the four IDX files. Grey bytes, no explanations, classes
/// named by their numbers.
pub fn read_idx(root: &Path) -> Result<[Dataset; 2], DataError> {
    let [mut train, mut test] = [0, 1].map(|part| read_part(root, part));
    // Both parts count the same classes, even where one lacks the last of them.
    if let (Ok(train), Ok(test)) = (&mut train, &mut test) {
        let longer = if train.classes.len() >= test.classes.len() { &train.classes } else { &test.classes };
        let classes = longer.clone();
        train.classes.clone_from(&classes);
        test.classes = classes;
    }
    Ok([train?, test?])
}

/// Two files that belong together.
pub(crate) struct RawPart {
    /// The file of the pictures.
    pub(crate) file: PathBuf,
    /// Count, height, width.
    pub(crate) sizes: [usize; 3],
    /// `[count, height, width]`.
    pub(crate) pixels: Vec<u8>,
    /// `[count]`.
    pub(crate) labels: Vec<u8>,
}

/// Reads part 0 (training) or 1 (test).
pub(crate) fn raw_part(root: &Path, part: usize) -> Result<RawPart, DataError> {
    let [images, labels] = FILES[part];
    let path = |stem: &str| {
        find(root, stem).ok_or_else(|| unreadable(&root.join(format!("{stem}-idx?-ubyte")), "is missing"))
    };
    let (images, labels) = (path(images)?, path(labels)?);
    let (sizes, pixels) = read(&images, 3)?;
    let (counts, labels_read) = read(&labels, 1)?;
    let [count, height, width] = [sizes[0], sizes[1], sizes[2]];
    if counts[0] != count {
        let message = format!("has {} labels for the {count} pictures of {}", counts[0], images.display());
        return Err(unreadable(&labels, &message));
    }
    Ok(RawPart { file: images, sizes: [count, height, width], pixels, labels: labels_read })
}

/// Whether the files of the test part are there.
#[cfg(feature = "readers")]
pub(crate) fn has_test(root: &Path) -> bool {
    find(root, FILES[1][0]).is_some()
}

fn read_part(root: &Path, part: usize) -> Result<Dataset, DataError> {
    let RawPart { file, sizes: [count, height, width], pixels, labels } = raw_part(root, part)?;
    let classes = labels.iter().max().map_or(0, |most| usize::from(*most) + 1);
    let name = file.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    let data = Dataset {
        height,
        width,
        channels: 1,
        classes: (0..classes).map(|class| class.to_string()).collect(),
        pixels: Pixels::Byte(pixels),
        labels: labels.into_iter().map(u32::from).collect(),
        masks: vec![0; count * height * width],
        explained: vec![false; count],
        names: (0..count).map(|i| format!("{name}#{i}")).collect(),
        groups: Default::default(),
    };
    data.validate()?;
    Ok(data)
}

fn unreadable(path: &Path, reason: &str) -> DataError {
    DataError::Unreadable { path: path.to_owned(), reason: reason.to_owned() }
}

/// Sizes and bytes of one file of so many dimensions.
fn read(path: &Path, dimensions: usize) -> Result<(Vec<usize>, Vec<u8>), DataError> {
    let mut bytes = std::fs::read(path).map_err(|error| unreadable(path, &error.to_string()))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes = unpacked(path, &bytes)?;
    }
    let header = 4 + 4 * dimensions;
    if bytes.len() < header || bytes[..4] != [0, 0, 8, dimensions as u8] {
        return Err(unreadable(path, &format!("it is no IDX file of bytes in {dimensions} dimensions")));
    }
    let size = |i: usize| {
        let at = 4 + 4 * i;
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
    };
    let sizes: Vec<usize> = (0..dimensions).map(size).collect();
    let expected = sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size));
    if expected != Some(bytes.len() - header) {
        let message = format!("its header promises {sizes:?} bytes, and it holds {}", bytes.len() - header);
        return Err(unreadable(path, &message));
    }
    Ok((sizes, bytes[header..].to_vec()))
}

/// The most bytes that a packed file may hold; deflate packs at most 1,032 to one.
#[cfg(feature = "readers")]
const MOST_UNPACKED: u64 = 4 << 30;

#[cfg(feature = "readers")]
fn unpacked(path: &Path, packed: &[u8]) -> Result<Vec<u8>, DataError> {
    use std::io::Read;
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(packed)
        .take(MOST_UNPACKED + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &format!("it does not unpack ({error}); download it again")))?;
    if bytes.len() as u64 > MOST_UNPACKED {
        return Err(unreadable(
            path,
            "it unpacks to more than 4 GiB; unpack it with gunzip if that is meant",
        ));
    }
    Ok(bytes)
}

#[cfg(not(feature = "readers"))]
fn unpacked(path: &Path, _: &[u8]) -> Result<Vec<u8>, DataError> {
    Err(unreadable(path, "it is packed; unpack it with gunzip, or build with the feature `readers`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, name: &str, sizes: &[u32], bytes: &[u8]) {
        let mut file = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| file.extend(size.to_be_bytes()));
        file.extend(bytes);
        std::fs::write(root.join(name), file).unwrap();
    }

    #[test]
    fn four_files_are_two_parts_with_the_same_classes() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        assert!(!is_idx(root));
        write(root, "train-images-idx3-ubyte", &[2, 1, 3], &[0, 1, 2, 3, 4, 5]);
        write(root, "train-labels-idx1-ubyte", &[2], &[3, 0]);
        write(root, "t10k-images.idx3-ubyte", &[1, 1, 3], &[7, 8, 9]);
        write(root, "t10k-labels.idx1-ubyte", &[1], &[1]);
        assert!(is_idx(root));
        let [train, test] = read_idx(root).unwrap();
        assert_eq!(train.picture(1), [3.0 / 255.0, 4.0 / 255.0, 5.0 / 255.0]);
        assert_eq!((train.labels, test.labels), (vec![3, 0], vec![1]));
        assert_eq!((train.classes.len(), test.classes), (4, train.classes));
    }

    #[test]
    fn damaged_files_are_named_with_their_numbers() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let refused = || read_idx(root).unwrap_err().to_string();
        write(root, "train-images-idx3-ubyte", &[2, 1, 3], &[0; 5]);
        assert!(refused().contains("train-labels"), "{}", refused());
        write(root, "train-labels-idx1-ubyte", &[3], &[0; 3]);
        assert!(refused().contains("[2, 1, 3]") && refused().contains("holds 5"), "{}", refused());
        write(root, "train-images-idx3-ubyte", &[2, 1, 3], &[0; 6]);
        assert!(refused().contains("3 labels for the 2 pictures"), "{}", refused());
        std::fs::write(root.join("train-images-idx3-ubyte"), [0x1f, 0x8b, 8, 0]).unwrap();
        assert!(refused().contains("unpack"), "{}", refused());
        write(root, "train-images-idx3-ubyte", &[u32::MAX, u32::MAX, u32::MAX], &[0; 6]);
        assert!(refused().contains("promises"), "{}", refused());
    }
}

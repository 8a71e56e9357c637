use super::*;
use crate::data::{Dataset, Extent, Pixels, Shares};
use image::{ExtendedColorType, GrayImage, ImageEncoder, Luma, Rgb, RgbImage};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder under construction.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, path: &str) -> PathBuf {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    /// Writes an image of one grey.
    fn grey(&self, path: &str, (width, height): Extent, value: u8) -> &Self {
        GrayImage::from_pixel(width, height, Luma([value])).save(self.at(path)).unwrap();
        self
    }

    /// Two classes with `n` 4×4 pictures each.
    fn pair(&self, prefix: &str, n: usize) -> &Self {
        for i in 0..n {
            self.grey(&format!("{prefix}ant/{i}.png"), (4, 4), 10 + i as u8);
            self.grey(&format!("{prefix}bee/{i}.png"), (4, 4), 100 + i as u8);
        }
        self
    }

    fn read(&self, options: &ReadOptions) -> Result<Splits, DataError> {
        read_folder(self.0.path(), options)
    }

    fn splits(&self) -> Splits {
        self.read(&no_val()).unwrap()
    }

    fn error(&self) -> DataError {
        self.read(&no_val()).unwrap_err()
    }
}

fn no_val() -> ReadOptions {
    ReadOptions { shares: Shares { train: 0.5, val: 0.0, test: 0.5 }, ..ReadOptions::default() }
}

fn bytes(data: &Dataset) -> &[u8] {
    match &data.pixels {
        Pixels::Byte(values) => values,
        Pixels::Float(_) => panic!("folders give bytes"),
    }
}

fn warned(splits: &Splits, text: &str) -> bool {
    splits.warnings.iter().any(|warning| warning.contains(text))
}

#[test]
fn labels_go_by_name_and_pictures_in_natural_order() {
    let tree = Tree::new();
    for (i, name) in ["train/ant/1", "train/bee/2", "train/bee/10", "train/cat/3"].iter().enumerate() {
        tree.grey(&format!("{name}.png"), (2, 2), i as u8 + 1);
    }
    tree.grey("test/cat/x.png", (2, 2), 50).grey("test/bee/y.png", (2, 2), 60).grey(
        "val/cat/z.png",
        (2, 2),
        70,
    );
    let splits = tree.splits();
    assert_eq!(splits.train.classes, ["ant", "bee", "cat"]);
    assert_eq!(
        splits.train.names,
        ["train/ant/1.png", "train/bee/2.png", "train/bee/10.png", "train/cat/3.png"]
    );
    assert_eq!(splits.train.labels, [0, 1, 1, 2]);
    assert_eq!(bytes(&splits.train)[..], [[1; 4], [2; 4], [3; 4], [4; 4]].concat());
    // Second and third, although they are the first and second folder of test.
    assert_eq!((splits.test.classes, splits.test.labels), (splits.train.classes, vec![1, 2]));
    assert_eq!(splits.val.unwrap().labels, [2]);
    assert!(splits.warnings.contains(&"test has no pictures of `ant`".to_string()), "{:?}", splits.warnings);
}

#[test]
fn parts_without_a_folder_are_split_off() {
    let flat = Tree::new();
    flat.pair("", 20);
    let splits = flat.read(&ReadOptions { seed: 3, ..ReadOptions::default() }).unwrap();
    let val = splits.val.clone().unwrap();
    assert_eq!(splits.train.class_counts(), [14, 14]);
    assert_eq!((val.class_counts(), splits.test.class_counts()), (vec![3, 3], vec![3, 3]));
    let again = flat.read(&ReadOptions { seed: 3, ..ReadOptions::default() }).unwrap();
    assert_eq!((&again.train, &again.val, &again.test), (&splits.train, &splits.val, &splits.test));
    let other = flat.read(&ReadOptions { seed: 4, ..ReadOptions::default() }).unwrap();
    assert_ne!(other.train.names, splits.train.names);

    let no_val_folder = Tree::new();
    no_val_folder.pair("train/", 10).pair("test/", 2);
    let shares = Shares { train: 0.4, val: 0.1, test: 0.5 };
    let splits = no_val_folder.read(&ReadOptions { shares, ..ReadOptions::default() }).unwrap();
    assert_eq!(splits.train.class_counts(), [8, 8]);
    assert_eq!(splits.val.unwrap().class_counts(), [2, 2]);
    assert_eq!(splits.test.class_counts(), [2, 2]);
    assert!(no_val_folder.splits().val.is_none());

    let no_test_folder = Tree::new();
    no_test_folder.pair("train/", 10).pair("valid/", 1);
    let splits = no_test_folder.splits();
    assert_eq!((splits.train.len(), splits.val.unwrap().len(), splits.test.len()), (10, 2, 10));
}

#[test]
fn masks_are_found_in_trees_and_beside_and_are_no_pictures() {
    let tree = Tree::new();
    tree.pair("train/", 3).pair("test/", 1);
    tree.grey("masks/train/ant/0.BMP", (4, 4), 255);
    tree.grey("train/masks/ANT/1.png", (4, 4), 255);
    tree.grey("train/ant/Masks/2_mask.png", (4, 4), 255);
    tree.grey("train/bee/0.mask.png", (4, 4), 255).grey("train/bee/1_mask.PNG", (4, 4), 255);
    tree.grey("test/bee/0_Segmentation.png", (4, 4), 255);
    tree.grey("train/bee/stray_mask.png", (4, 4), 255);
    let splits = tree.splits();
    assert_eq!(splits.train.class_counts(), [3, 3]);
    assert_eq!(splits.train.explained, [true, true, true, true, true, false]);
    assert_eq!(splits.test.explained, [false, true]);
    assert_eq!(splits.train.mask(4), [255; 16]);
    assert_eq!(splits.train.mask(5), [0; 16]);
    let orphan = splits.warnings.iter().find(|warning| warning.contains("belong to no picture")).unwrap();
    assert!(orphan.contains(": 1,") && orphan.contains("stray_mask.png"), "{orphan}");
}

#[test]
fn a_mask_goes_to_the_picture_written_like_it() {
    let tree = Tree::new();
    tree.pair("train/", 1).pair("test/", 1);
    tree.grey("train/ant/0.bmp", (4, 4), 9);
    tree.grey("masks/train/ant/0.bmp", (4, 4), 255).grey("masks/train/ant/0.png", (4, 4), 0);
    let splits = tree.splits();
    assert_eq!(splits.train.names[..2], ["train/ant/0.bmp", "train/ant/0.png"]);
    assert_eq!((splits.train.mask(0)[0], splits.train.mask(1)[0]), (255, 0));
    assert!(warned(&splits, "several masks, of which one is used: 2"), "{:?}", splits.warnings);
}

#[test]
fn hidden_and_foreign_entries_are_left_out() {
    let tree = Tree::new();
    tree.pair("train/", 2).pair("test/", 1);
    tree.grey(".git/x/0.png", (4, 4), 0).grey("train/.thumbs/0.png", (4, 4), 0);
    tree.grey("train/ant/.0.png", (9, 9), 0).grey("__MACOSX/0.png", (4, 4), 0);
    fs::write(tree.at("train/ant/notes.txt"), "no picture").unwrap();
    tree.grey("train/loose.png", (4, 4), 0).grey("train/ant/deep/0.png", (4, 4), 0).grey(
        "extra/0.png",
        (4, 4),
        0,
    );
    let splits = tree.splits();
    assert_eq!(splits.train.class_counts(), [2, 2]);
    assert!(warned(&splits, "files that are no pictures, left out: 1, such as"), "{:?}", splits.warnings);
    assert!(
        warned(&splits, "images outside the class folders") && warned(&splits, "left out: 2"),
        "{:?}",
        splits.warnings
    );
    assert!(
        warned(&splits, "neither train, val nor test") && warned(&splits, "extra;"),
        "{:?}",
        splits.warnings
    );
    assert_eq!(splits.warnings.len(), 3);
}

#[test]
fn masks_are_cut_at_the_threshold_or_keep_their_greys_and_turn_with_the_polarity() {
    let tree = Tree::new();
    tree.pair("train/", 1).pair("test/", 1);
    let mut mask = GrayImage::from_fn(4, 4, |x, _| Luma([[0, 80, 200, 255][x as usize]]));
    mask.save(tree.at("masks/train/ant/0.png")).unwrap();
    let read = |mask_threshold, mask_polarity| {
        tree.read(&ReadOptions { mask_threshold, mask_polarity, ..no_val() }).unwrap()
    };
    use MaskPolarity::{Black, White};
    let soft = read(MaskThreshold::Soft, White);
    assert_eq!(soft.train.mask(0)[..4], [0, 80, 200, 255]);
    assert!(warned(&soft, "50.0 % of the mask pixels"), "{:?}", soft.warnings);
    assert_eq!(read(MaskThreshold::Soft, Black).train.mask(0)[..4], [255, 175, 55, 0]);
    let above = |value| MaskThreshold::Above(value);
    assert_eq!(read(above(127), White).train.mask(0)[..4], [0, 0, 255, 255]);
    assert_eq!(read(above(127), Black).train.mask(0)[..4], [255, 255, 0, 0]);
    assert_eq!(read(above(79), White).train.mask(0)[..4], [0, 255, 255, 255]);
    assert_eq!(read(above(200), White).train.mask(0)[..4], [0, 0, 0, 255]);

    // A label map, where 1 is meant to be relevant.
    mask.pixels_mut().for_each(|pixel| pixel.0[0] = u8::from(pixel.0[0] > 127));
    mask.save(tree.at("masks/train/ant/0.png")).unwrap();
    let splits = tree.splits();
    assert!(warned(&splits, "mark nothing as relevant: 1") && warned(&splits, "brightest value is 1:"));
    tree.grey("masks/train/ant/0.png", (4, 4), 255);
    assert!(warned(&tree.splits(), "mark the whole picture as relevant: 1"));
}

#[test]
fn transparent_parts_of_a_mask_are_irrelevant() {
    let tree = Tree::new();
    tree.pair("train/", 1).pair("test/", 1);
    let drawn = |grey: u8| {
        image::GrayAlphaImage::from_fn(4, 4, |x, _| image::LumaA([grey, if x < 2 { 255 } else { 0 }]))
            .save(tree.at("masks/train/ant/0.png"))
            .unwrap();
    };
    drawn(255);
    assert_eq!(tree.splits().train.mask(0)[..4], [255, 255, 0, 0]);
    drawn(0);
    let black = tree.read(&ReadOptions { mask_polarity: MaskPolarity::Black, ..no_val() }).unwrap();
    assert_eq!(black.train.mask(0)[..4], [255, 255, 0, 0]);
}

#[test]
fn pictures_and_masks_are_resized_alike() {
    let tree = Tree::new();
    tree.pair("train/", 1).pair("test/", 1);
    let left_half = GrayImage::from_fn(16, 8, |x, _| Luma([if x < 8 { 255 } else { 0 }]));
    left_half.save(tree.at("train/ant/0.png")).unwrap();
    left_half.save(tree.at("masks/train/ant/0.png")).unwrap();
    // Half the size of its picture, the same aspect ratio.
    GrayImage::from_fn(8, 4, |x, _| Luma([if x < 4 { 255 } else { 0 }]))
        .save(tree.at("masks/train/bee/0.png"))
        .unwrap();
    tree.grey("train/bee/0.png", (16, 8), 70);
    let splits = tree.read(&ReadOptions { size: Some((2, 6)), ..no_val() }).unwrap();
    let train = &splits.train;
    assert_eq!((train.height, train.width, train.channels), (2, 6, 1));
    let half = [255, 255, 255, 0, 0, 0];
    assert_eq!(train.mask(0), [half, half].concat());
    assert_eq!(train.mask(1), train.mask(0));
    let row = &bytes(train)[..6];
    assert!(row[0] > 250 && row[1] > 250 && row[4] < 5 && row[5] < 5, "{row:?}");
    assert_eq!(bytes(train)[12..], [70; 12]);
}

#[test]
fn grey_or_colour_follows_the_pictures_or_the_option() {
    let tree = Tree::new();
    tree.pair("train/", 1).pair("test/", 1);
    let rgb =
        |value: [u8; 3]| RgbImage::from_pixel(4, 4, Rgb(value)).save(tree.at("train/bee/0.png")).unwrap();
    rgb([90, 90, 90]);
    let splits = tree.splits();
    assert_eq!((splits.train.channels, bytes(&splits.train)[16]), (1, 90));
    rgb([90, 90, 200]);
    let splits = tree.splits();
    assert_eq!((splits.train.channels, splits.test.channels), (3, 3));
    assert_eq!(bytes(&splits.train)[..3], [10, 10, 10]);
    assert_eq!(bytes(&splits.train)[48..51], [90, 90, 200]);
    let forced = |channels| tree.read(&ReadOptions { channels: Some(channels), ..no_val() });
    let grey = forced(1).unwrap().train;
    assert_eq!((grey.channels, bytes(&grey).len()), (1, 32));
    assert!(forced(2).unwrap_err().to_string().contains("channels is 2"));
}

#[test]
fn the_camera_s_orientation_is_applied() {
    let tree = Tree::new();
    tree.pair("train/", 1).pair("test/", 1);
    // 4 wide and 8 high once turned: white where the file has its left half.
    let lying = GrayImage::from_fn(8, 4, |x, _| Luma([if x < 4 { 255 } else { 0 }]));
    // A TIFF block with one entry: orientation = 6, a quarter turn clockwise.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec();
    let file = fs::File::create(tree.at("train/ant/0.png")).unwrap();
    let mut encoder = image::codecs::png::PngEncoder::new(file);
    encoder.set_exif_metadata(exif).unwrap();
    encoder.write_image(&lying, 8, 4, ExtendedColorType::L8).unwrap();
    GrayImage::from_fn(4, 8, |_, y| Luma([if y < 4 { 255 } else { 0 }]))
        .save(tree.at("masks/train/ant/0.png"))
        .unwrap();
    let message = tree.error().to_string();
    assert!(message.contains("0.png is 4×8"), "{message}");
    let splits = tree.read(&ReadOptions { size: Some((8, 4)), ..no_val() }).unwrap();
    assert_eq!(splits.train.mask(0), &bytes(&splits.train)[..32]);
    assert_eq!(splits.train.mask(0), [[255; 16], [0; 16]].concat());
}

#[test]
fn a_mask_of_another_shape_names_both_files() {
    let tree = Tree::new();
    tree.pair("train/", 2).pair("test/", 1).grey("masks/train/bee/1.png", (4, 6), 255);
    let message = tree.error().to_string();
    assert!(message.contains("masks/train/bee/1.png is 4×6"), "{message}");
    assert!(message.contains("train/bee/1.png is 4×4"), "{message}");
}

#[test]
fn sizes_that_differ_need_a_size() {
    let tree = Tree::new();
    tree.pair("train/", 2).pair("test/", 1).grey("test/bee/0.png", (6, 5), 0);
    let message = tree.error().to_string();
    assert!(
        message.contains("train/ant/0.png is 4×4") && message.contains("test/bee/0.png is 6×5"),
        "{message}"
    );
    assert!(message.contains("--size 4"), "{message}");
    let nothing = tree.read(&ReadOptions { size: Some((0, 4)), ..no_val() }).unwrap_err().to_string();
    assert!(nothing.contains("--size is 0x4"), "{nothing}");
}

#[test]
fn unreadable_files_are_named_and_skipped_only_when_asked() {
    // Three quarters of a file in each format; and what is no image at all.
    type Spoil = fn(&mut Vec<u8>);
    let mut cases: Vec<(&str, Spoil)> = Vec::new();
    for extension in ["png", "jpg", "bmp", "gif", "ppm", "qoi", "tga", "tiff", "webp"] {
        cases.push((extension, |file| file.truncate(file.len() / 4 * 3)));
    }
    cases.push(("png", |file| *file = b"not an image".to_vec()));
    cases.push(("png", Vec::clear));
    cases.push(("jpg", |file| file.truncate(10)));
    for (case, (extension, spoil)) in cases.into_iter().enumerate() {
        let tree = Tree::new();
        tree.pair("train/", 2).pair("test/", 1);
        let path = tree.at(&format!("train/bee/broken.{extension}"));
        RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y % 251) as u8; 3])).save(&path).unwrap();
        let size = Some((4, 4));
        let whole = tree.read(&ReadOptions { size, ..no_val() }).unwrap();
        assert_eq!(whole.train.class_counts(), [2, 3], "{extension}");
        let mut file = fs::read(&path).unwrap();
        spoil(&mut file);
        fs::write(&path, file).unwrap();
        let error =
            tree.read(&ReadOptions { size, ..no_val() }).map(|splits| splits.train.names).unwrap_err();
        assert!(
            matches!(&error, DataError::Unreadable { path: named, .. } if *named == path),
            "{case}: {error}"
        );
        let splits = tree.read(&ReadOptions { skip_unreadable: true, size, ..no_val() }).unwrap();
        assert_eq!(splits.train.class_counts(), [2, 2], "{case}");
        assert!(warned(&splits, "1 unreadable images were left out") && warned(&splits, "broken"));
    }
}

#[test]
fn an_unreadable_mask_is_no_empty_mask() {
    let tree = Tree::new();
    tree.pair("train/", 2).pair("test/", 1);
    fs::write(tree.at("masks/train/ant/1.png"), "not a mask").unwrap();
    assert!(tree.error().to_string().contains("masks/train/ant/1.png"));
    let splits = tree.read(&ReadOptions { skip_unreadable: true, ..no_val() }).unwrap();
    assert_eq!((splits.train.len(), splits.train.explained_count()), (4, 0));
    assert!(warned(&splits, "1 unreadable masks"), "{:?}", splits.warnings);
}

#[test]
fn a_picture_that_claims_to_be_huge_is_refused_before_it_is_decoded() {
    let tree = Tree::new();
    tree.pair("train/", 2).pair("test/", 1);
    // Netpbm headers are plain text: 30,000 × 30,000 is within the sides, past the memory.
    for claim in ["30000 30000", "200000 1"] {
        fs::write(tree.at("train/bee/bomb.pgm"), format!("P5 {claim} 255\n")).unwrap();
        let error = tree.read(&ReadOptions { size: Some((4, 4)), ..no_val() }).unwrap_err();
        assert!(error.to_string().to_lowercase().contains("limit"), "{error}");
    }
}

#[test]
fn wrong_layouts_are_named() {
    let tree = Tree::new();
    let missing = read_folder(&tree.0.path().join("nowhere"), &no_val()).unwrap_err();
    assert!(matches!(missing, DataError::NotFound { .. }), "{missing}");
    assert!(matches!(tree.error(), DataError::NoImages { .. }));
    tree.grey("loose.png", (4, 4), 0);
    assert!(matches!(tree.error(), DataError::NoImages { .. }));
    let file = read_folder(&tree.0.path().join("loose.png"), &no_val()).unwrap_err();
    assert!(matches!(file, DataError::NotAFolder { .. }), "{file}");

    tree.grey("ant/0.png", (4, 4), 0);
    assert!(matches!(tree.error(), DataError::OneClass { class, .. } if class == "ant"));
    fs::create_dir(tree.0.path().join("bee")).unwrap();
    let empty = tree.error();
    assert!(matches!(&empty, DataError::EmptyClass { path } if path.ends_with("bee")), "{empty}");
    tree.grey("bee/0.png", (4, 4), 0);
    let few = tree.error();
    assert!(matches!(&few, DataError::TooFew { class, have: 1, need: 2, .. } if class == "ant"), "{few}");

    let tree = Tree::new();
    tree.pair("test/", 1);
    assert!(matches!(tree.error(), DataError::NoTrain { part, .. } if part == "test"));
    tree.pair("train/", 1).grey("test/cat/0.png", (4, 4), 0);
    let message = tree.error().to_string();
    assert!(message.contains("`cat` is in test but not in train (which has `ant`, `bee`)"), "{message}");
}

#[test]
fn a_class_that_is_all_unreadable_is_an_error_even_when_skipping() {
    let tree = Tree::new();
    tree.pair("train/", 2).pair("test/", 1);
    fs::write(tree.at("test/bee/0.png"), "broken").unwrap();
    let error = tree.read(&ReadOptions { skip_unreadable: true, ..no_val() }).unwrap_err();
    assert!(error.to_string().contains("none of the 1 images of class `bee` in test"), "{error}");
}

//! The masks that every format gives, pixel by pixel, and what the options make of them.

use image::RgbImage;
use rationale::data::readers::{ReadData, read};
use rationale::data::{
    AlphaRule, Dataset, MaskPolarity, MaskThreshold, Pixels, ReadOptions, Shares, UnknownPixels,
};

use crate::layouts::LAYOUTS;
use crate::scenes::{CLASSES, Place, SIDE, Scene, scenes};

fn options() -> ReadOptions {
    // No validation part, so that nothing but the formats' own parts is drawn.
    ReadOptions { shares: Shares { train: 0.7, val: 0.0, test: 0.3 }, ..ReadOptions::default() }
}

fn read_layout(layout: usize, options: &ReadOptions) -> ReadData {
    let place = Place::new();
    (LAYOUTS[layout].write)(&place);
    read(place.root(), options, None).unwrap()
}

fn parts(data: &ReadData) -> Vec<&Dataset> {
    [Some(&data.splits.train), data.splits.val.as_ref(), Some(&data.splits.test)]
        .into_iter()
        .flatten()
        .collect()
}

/// The picture's own scene: the one with these pixels, or the nearest one where JPEG changed them.
fn scene_of<'a>(data: &Dataset, i: usize, all: &'a [Scene]) -> &'a Scene {
    let Pixels::Byte(values) = &data.pixels else { panic!("files give bytes") };
    let own = &values[i * data.picture_len()..(i + 1) * data.picture_len()];
    let distance = |image: &RgbImage| -> u64 {
        own.iter().zip(image.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum()
    };
    all.iter().min_by_key(|scene| distance(&scene.image)).unwrap()
}

#[test]
fn masks_are_the_objects_in_every_format() {
    let all = scenes();
    for (layout, own) in LAYOUTS.iter().enumerate().filter(|(_, layout)| layout.explained > 0) {
        let drop = ReadOptions { unknown_pixels: UnknownPixels::Drop, ..options() };
        let data = read_layout(layout, &drop);
        let mut seen = 0;
        for part in parts(&data) {
            assert_eq!(part.classes.len(), 2);
            for i in 0..part.len() {
                let scene = scene_of(part, i, &all);
                assert!(part.classes[part.labels[i] as usize].contains(scene.class()), "{}", part.names[i]);
                // labelme's circle, line and point are no rectangles.
                let shaped = own.format == "labelme" && (2..5).contains(&(scene.number % 6));
                if part.explained[i] && !shaped {
                    assert_eq!(part.mask(i), scene.mask().as_raw(), "{} {}", own.format, part.names[i]);
                    seen += 1;
                } else if part.explained[i] {
                    assert!(part.mask(i).contains(&255) && part.mask(i).contains(&0));
                }
            }
        }
        assert!(seen >= 12, "{}", own.format);
    }
}

#[test]
fn parts_and_groups_are_those_of_the_table() {
    let data = read_layout(2, &options());
    for (part, test) in [(&data.splits.train, false), (&data.splits.test, true)] {
        assert_eq!(part.len(), scenes().iter().filter(|scene| scene.is_test() == test).count());
        assert_eq!(part.groups.names, CLASSES.map(|class| format!("{class} by day")));
        assert_eq!(part.groups.of, part.labels);
    }
}

#[test]
fn unclassified_pixels_are_kept_or_dropped_and_polarity_turns_all_else() {
    let relevant = |options: &ReadOptions| -> usize {
        let data = read_layout(6, options);
        parts(&data).iter().flat_map(|part| &part.masks).filter(|value| **value == 255).count()
    };
    let area = |grown: u32| -> usize {
        let areas = scenes().into_iter().map(|scene| {
            let [left, top, width, height] = scene.object;
            let (right, low) = ((left + width + grown).min(SIDE), (top + height + grown).min(SIDE));
            (right - (left - grown)) * (low - (top - grown))
        });
        areas.sum::<u32>() as usize
    };
    let kept = options();
    let dropped = ReadOptions { unknown_pixels: UnknownPixels::Drop, ..options() };
    let turned = |options| ReadOptions { mask_polarity: MaskPolarity::Black, ..options };
    let all = scenes().len() * (SIDE * SIDE) as usize;
    assert_eq!(relevant(&dropped), area(0));
    assert_eq!(relevant(&kept), area(1));
    // The rim keeps its own rule; object and ground change places.
    assert_eq!(relevant(&turned(dropped)), all - area(1));
    assert_eq!(relevant(&turned(kept)), all - area(0));
}

#[test]
fn alpha_and_labels_follow_their_rules() {
    let ignored = read_layout(1, &ReadOptions { alpha: AlphaRule::Ignore, ..options() });
    assert!(parts(&ignored).iter().all(|part| part.explained_count() == 0));
    let soft = read_layout(1, &ReadOptions { mask_threshold: MaskThreshold::Soft, ..options() });
    assert_eq!(soft.splits.train.masks, read_layout(1, &options()).splits.train.masks);

    let refused = |rule: &str| {
        let place = Place::new();
        (LAYOUTS[9].write)(&place);
        let options = ReadOptions { coco_label: rule.to_owned(), ..options() };
        read(place.root(), &options, None).unwrap_err().to_string()
    };
    assert!(refused("squirrel").contains("--coco-label is squirrel"), "{}", refused("squirrel"));
    // Every picture has regions of both categories.
    assert!(refused("bell").contains("one class only, `bell`"), "{}", refused("bell"));
    assert!(refused("single").contains("no images"), "{}", refused("single"));
}

//! Faults planted one at a time into a clean set: the linter finds each, and nothing else.

use std::collections::BTreeSet;
use std::fs;

use image::{GrayImage, Luma, Rgb, RgbImage};
use rationale::data::check::{Report, check};
use rationale::data::readers::{Fault, ReadOptions, Severity};

use crate::layouts::LAYOUTS;
use crate::scenes::{Place, SIDE, scenes};

fn report(place: &Place) -> Report {
    check(place.root(), &ReadOptions::default(), None).unwrap()
}

fn found(report: &Report) -> BTreeSet<Fault> {
    let told = report.findings.iter().filter(|finding| finding.severity != Severity::Note);
    told.map(|finding| finding.fault).collect()
}

fn flat(value: u8) -> GrayImage {
    GrayImage::from_pixel(SIDE, SIDE, Luma([value]))
}

/// Another picture than any of the set.
fn fresh(place: &Place, name: &str, seed: u32) {
    let image =
        RgbImage::from_fn(SIDE, SIDE, |x, y| Rgb([((x * 91 + y * 57 + seed * 131) % 251) as u8, 90, 60]));
    image.save(place.at(name)).unwrap();
}

/// The fault, what else it brings about, and how it comes into a set of folders.
type Planted = (Fault, &'static [Fault], fn(&Place));

const FOLDER: [Planted; 25] = [
    (Fault::UnreadablePicture, &[], |p| {
        let path = p.at("train/bell/4.png");
        let whole = fs::read(&path).unwrap();
        fs::write(path, &whole[..whole.len() / 2]).unwrap();
    }),
    (Fault::UnreadableMask, &[], |p| p.write("masks/train/bell/4.png", "not a mask")),
    (Fault::MaskSize, &[], |p| {
        GrayImage::from_pixel(SIDE, 7, Luma([255])).save(p.at("masks/train/bell/4.png")).unwrap();
    }),
    (Fault::EmptyClass, &[], |p| fs::create_dir(p.root().join("train/empty")).unwrap()),
    (Fault::OneClass, &[], |p| {
        ["train/Acorn", "test/Acorn", "masks/train/Acorn", "masks/test/Acorn"]
            .iter()
            .for_each(|folder| fs::remove_dir_all(p.root().join(folder)).unwrap());
    }),
    (Fault::SmallClass, &[Fault::ClassNotInPart, Fault::ClassWithoutMasks], |p| {
        fresh(p, "train/chestnut/1.png", 1);
    }),
    (Fault::ClassNotInTrain, &[], |p| fresh(p, "test/chestnut/1.png", 1)),
    (Fault::ContradictingLabels, &[], |p| {
        fs::copy(p.at("train/bell/4.png"), p.at("train/Acorn/copy.png")).unwrap();
    }),
    (Fault::DuplicateAcrossSplits, &[], |p| {
        fs::copy(p.at("train/bell/4.png"), p.at("test/bell/copy.png")).unwrap();
    }),
    (Fault::DuplicatePicture, &[], |p| {
        // Other bytes, the same pixels.
        image::open(p.at("train/bell/4.png")).unwrap().save(p.at("train/bell/copy.bmp")).unwrap();
    }),
    (Fault::ClassNotInPart, &[], |p| {
        ["test/bell", "masks/test/bell"]
            .iter()
            .for_each(|folder| fs::remove_dir_all(p.root().join(folder)).unwrap());
    }),
    (Fault::CaseCollision, &[], |p| {
        for i in 0..6 {
            fresh(p, &format!("train/BELL/{i}.png"), i);
            scenes()[i as usize].mask().save(p.at(&format!("masks/train/BELL/x{i}.png"))).unwrap();
            fs::rename(p.at(&format!("train/BELL/{i}.png")), p.at(&format!("train/BELL/x{i}.png"))).unwrap();
            fresh(p, &format!("test/BELL/{i}y.png"), 50 + i);
        }
    }),
    (Fault::ConstantPicture, &[], |p| {
        RgbImage::from_pixel(SIDE, SIDE, Rgb([9, 90, 8])).save(p.at("train/bell/4.png")).unwrap();
    }),
    (Fault::MislabelledFile, &[], |p| {
        fs::rename(p.at("train/bell/4.png"), p.at("train/bell/4.jpg")).unwrap();
    }),
    (Fault::OrphanMask, &[], |p| flat(255).save(p.at("masks/train/bell/99.png")).unwrap()),
    (Fault::SeveralMasks, &[], |p| {
        fs::copy(p.at("masks/train/bell/4.png"), p.at("train/bell/4_mask.png")).unwrap();
    }),
    (Fault::EmptyMask, &[], |p| flat(0).save(p.at("masks/train/bell/4.png")).unwrap()),
    (Fault::FullMask, &[], |p| flat(255).save(p.at("masks/train/bell/4.png")).unwrap()),
    (Fault::GreyMask, &[], |p| {
        let mask = GrayImage::from_fn(SIDE, SIDE, |x, _| Luma([(x * 17) as u8]));
        mask.save(p.at("masks/train/bell/4.png")).unwrap();
    }),
    (Fault::SameMask, &[], |p| {
        let mask = scenes()[4].mask();
        for scene in scenes() {
            let stem = format!("{}/{}/{}", scene.part(), scene.class(), scene.number);
            for name in
                [format!("masks/{stem}.png"), format!("{stem}_segmentation.PNG"), format!("{stem}.mask.png")]
            {
                if p.root().join(&name).exists() {
                    mask.save(p.at(&name)).unwrap();
                }
            }
        }
    }),
    (Fault::ClassWithoutMasks, &[], |p| {
        for folder in ["masks/train/bell", "masks/test/bell"] {
            fs::remove_dir_all(p.root().join(folder)).unwrap();
        }
        for name in ["train/bell/1_segmentation.PNG", "train/bell/2.mask.png"] {
            fs::remove_file(p.root().join(name)).unwrap();
        }
    }),
    (Fault::MisplacedFile, &[], |p| fresh(p, "train/loose.png", 1)),
    (Fault::UnknownFolder, &[], |p| fresh(p, "extra/1.png", 1)),
    (Fault::ForeignFile, &[], |p| p.write("train/bell/Thumbs.db", "x")),
    (Fault::Layout, &[], |p| fs::remove_dir_all(p.root().join("train")).unwrap()),
];

#[test]
fn each_fault_in_a_folder_is_found_and_nothing_else() {
    for (fault, others, plant) in FOLDER {
        let place = Place::new();
        (LAYOUTS[0].write)(&place);
        assert_eq!(found(&report(&place)), BTreeSet::new(), "clean");
        plant(&place);
        let report = report(&place);
        let expected: BTreeSet<Fault> = others.iter().copied().chain([fault]).collect();
        assert_eq!(found(&report), expected, "{}: {:#?}", fault.name(), report.findings);
        assert!(report.cases(fault).iter().all(|case| !case.what.is_empty() || !case.detail.is_empty()));
        assert_eq!(
            report.count(Severity::Error) > 0,
            expected.iter().any(|it| it.severity() == Severity::Error)
        );
    }
}

/// Sets of their own: what tells a class without looking at it, and how many there are.
#[test]
fn leaks_and_imbalance_are_found() {
    type Build = fn(&Place, u32, usize);
    let noise = |seed: u32, width: u32| {
        RgbImage::from_fn(width, SIDE, |x, y| Rgb([((x * 91 + y * 57 + seed * 131) % 251) as u8, 90, 60]))
    };
    let cases: [(Fault, Build); 4] = [
        (Fault::MaskPredictsLabel, |p, i, class| {
            let width = 3 + i % 3 + 5 * class as u32;
            let mask = GrayImage::from_fn(SIDE, SIDE, |x, _| Luma([if x < width { 255 } else { 0 }]));
            mask.save(p.at(&format!("masks/{class}/{i}.png"))).unwrap();
        }),
        (Fault::SizePredictsLabel, |_, _, _| {}),
        (Fault::TypePredictsLabel, |p, i, class| {
            if class == 1 {
                fs::remove_file(p.at(&format!("1/{i}.png"))).unwrap();
                fresh(p, &format!("1/{i}.bmp"), 100 + i);
            }
        }),
        (Fault::ColourPredictsLabel, |p, i, class| {
            if class == 1 {
                image::open(p.at(&format!("1/{i}.png")))
                    .unwrap()
                    .into_luma8()
                    .save(p.at(&format!("1/{i}.png")))
                    .unwrap();
            }
        }),
    ];
    for (fault, build) in cases {
        let place = Place::new();
        for class in 0..2 {
            for i in 0..20 {
                let width = if fault == Fault::SizePredictsLabel { SIDE + class as u32 } else { SIDE };
                noise(i + 40 * class as u32, width).save(place.at(&format!("{class}/{i}.png"))).unwrap();
                build(&place, i, class);
            }
        }
        let report = report(&place);
        assert_eq!(found(&report), BTreeSet::from([fault]), "{:#?}", report.findings);
        let leak = report.leaks.iter().find(|leak| leak.told).unwrap();
        assert_eq!((leak.auc, leak.balanced_accuracy), (1.0, 1.0), "{leak:?}");
    }
    let place = Place::new();
    (0..3).for_each(|i| fresh(&place, &format!("few/{i}.png"), i));
    (0..60).for_each(|i| fresh(&place, &format!("many/{i}.png"), 100 + i));
    assert_eq!(found(&report(&place)), BTreeSet::from([Fault::Imbalance]));
}

#[test]
fn faults_of_lists_are_found() {
    let cases: [(Fault, (&str, &str)); 8] = [
        (Fault::BadEntry, (",Acorn,train,", ",,train,")),
        (Fault::BadEntry, (",Acorn,train,", ",Acorn,trian,")),
        (Fault::BadEntry, (",Acorn,train,", ",Acorn,train,too,many,fields,")),
        (Fault::BadEntry, ("pictures/Acorn-1.png", "pictures/Acorn-2.png")),
        (Fault::OutsidePath, ("pictures/Acorn-1.png", "../Acorn-1.png")),
        (Fault::UnreadablePicture, ("pictures/Acorn-1.png", "pictures/missing.png")),
        (Fault::UnreadableMask, ("outlines/Acorn-9.png", "outlines/missing.png")),
        (Fault::UnknownColumn, ("image,label,split,group,", "image,label,split,weather,")),
    ];
    for (fault, (from, to)) in cases {
        let place = Place::new();
        (LAYOUTS[2].write)(&place);
        let table = fs::read_to_string(place.at("labels.csv")).unwrap();
        assert!(table.contains(from), "{from}");
        place.write("labels.csv", table.replacen(from, to, 1));
        let report = report(&place);
        assert_eq!(found(&report), BTreeSet::from([fault]), "{from} → {to}: {:#?}", report.findings);
        let case = &report.cases(fault)[0];
        assert!(format!("{} {}", case.what, case.detail).contains("labels.csv"), "{case:?}");
    }
    // A shape that belongs to another picture, and a picture that nobody annotated.
    let place = Place::new();
    (LAYOUTS[11].write)(&place);
    let text = fs::read_to_string(place.at("Acorn_6.json")).unwrap();
    let moved = text.replacen("\"points\":[[", "\"points\":[[90.0,90.0],[", 1);
    place.write("Acorn_6.json", moved);
    fs::remove_file(place.at("bell_3.json")).unwrap();
    let report = report(&place);
    assert_eq!(
        found(&report),
        BTreeSet::from([Fault::ShapeOutside, Fault::NoLabel]),
        "{:#?}",
        report.findings
    );
}

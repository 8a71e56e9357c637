//! Writes the same pictures in the layout of each public format.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, RgbaImage};
use serde_json::{Value, json};

use crate::scenes::{CLASSES, EACH, Place, SIDE, Scene, scenes};

/// A format, as it lies on disk.
pub struct Layout {
    /// What `--format` calls it.
    pub format: &'static str,
    /// The file that a damaged data set has damage in; empty where there is only pictures.
    pub list: &'static str,
    /// Pictures with an explanation.
    pub explained: usize,
    pub write: fn(&Place),
}

const ALL: usize = 2 * EACH as usize;

pub const LAYOUTS: [Layout; 13] = [
    Layout { format: "folder", list: "", explained: ALL - 2, write: folder },
    Layout { format: "folder", list: "", explained: ALL, write: alpha },
    Layout { format: "csv", list: "labels.csv", explained: ALL - 2, write: csv },
    Layout { format: "jsonl", list: "labels.jsonl", explained: ALL, write: jsonl },
    Layout { format: "cub", list: "image_class_labels.txt", explained: ALL, write: cub },
    Layout { format: "cub", list: "bounding_boxes.txt", explained: ALL, write: cub_boxes },
    Layout { format: "pet", list: "annotations/trainval.txt", explained: ALL, write: pet },
    Layout { format: "idx", list: "train-images-idx3-ubyte", explained: 0, write: idx },
    Layout { format: "idx", list: "train-images-idx3-ubyte.gz", explained: 0, write: idx_packed },
    Layout { format: "coco", list: "annotations/instances_train2017.json", explained: ALL, write: coco },
    Layout { format: "coco", list: "train/_annotations.coco.json", explained: ALL, write: coco_exported },
    Layout { format: "labelme", list: "Acorn_2.json", explained: ALL, write: labelme },
    Layout { format: "labelme", list: "Acorn/2.json", explained: ALL, write: labelme_classes },
];

/// `train/<class>/<i>.png`, masks in a tree and beside the picture; two pictures have none.
fn folder(place: &Place) {
    for scene in scenes() {
        let stem = format!("{}/{}/{}", scene.part(), scene.class(), scene.number);
        scene.image.save(place.at(&format!("{stem}.png"))).unwrap();
        match scene.number {
            0 => continue,
            1 => scene.mask().save(place.at(&format!("{stem}_segmentation.PNG"))).unwrap(),
            2 => scene.mask().save(place.at(&format!("{stem}.mask.png"))).unwrap(),
            _ => scene.mask().save(place.at(&format!("masks/{stem}.png"))).unwrap(),
        }
    }
}

/// `<class>/<i>.png`, opaque where the object is.
fn alpha(place: &Place) {
    for scene in scenes() {
        let mask = scene.mask();
        let image = RgbaImage::from_fn(SIDE, SIDE, |x, y| {
            let [r, g, b] = scene.image.get_pixel(x, y).0;
            image::Rgba([r, g, b, mask.get_pixel(x, y).0[0]])
        });
        image.save(place.at(&format!("{}/{}.png", scene.class(), scene.number))).unwrap();
    }
}

/// A table with parts, groups, masks and boxes.
fn csv(place: &Place) {
    let mut table = "image,label,split,group,mask,x,y,w,h\n".to_owned();
    for scene in scenes() {
        let (image, mask) = saved(place, &scene);
        let group = format!("{} by day", scene.class());
        let [x, y, w, h] = scene.object;
        let explanation = match scene.number {
            0 => ",,,,".to_owned(),
            1..6 => format!(",{x},{y},{w},{h}"),
            _ => format!("{mask},,,,"),
        };
        writeln!(table, "{image},{},{},\"{group}\",{explanation}", scene.class(), scene.part()).unwrap();
    }
    place.write("labels.csv", table);
}

/// One object per line, without parts.
fn jsonl(place: &Place) {
    let mut lines = String::new();
    for scene in scenes() {
        let (image, mask) = saved(place, &scene);
        let [x, y, w, h] = scene.object;
        let row = match scene.number % 2 {
            0 => json!({ "image": image, "label": scene.class(), "x": x, "y": y, "w": w, "h": h }),
            _ => json!({ "image": image, "label": scene.class(), "mask": mask }),
        };
        lines.push_str(&format!("{row}\n"));
    }
    place.write("labels.jsonl", lines);
}

/// The picture and its mask, saved; their names.
fn saved(place: &Place, scene: &Scene) -> (String, String) {
    let names = ["pictures", "outlines"].map(|at| format!("{at}/{}-{}.png", scene.class(), scene.number));
    scene.image.save(place.at(&names[0])).unwrap();
    scene.mask().save(place.at(&names[1])).unwrap();
    let [image, mask] = names;
    (image, mask)
}

fn cub(place: &Place) {
    cub_boxes(place);
    for scene in scenes() {
        scene.mask().save(place.at(&format!("segmentations/{}.png", cub_stem(&scene)))).unwrap();
    }
}

fn cub_stem(scene: &Scene) -> String {
    format!("{0:03}.{1}/{1}_{2:04}", scene.class + 1, scene.class(), scene.number)
}

fn cub_boxes(place: &Place) {
    let [mut images, mut labels, mut split, mut boxes] = [const { String::new() }; 4];
    for (i, scene) in scenes().iter().enumerate() {
        let (id, stem) = (i + 1, cub_stem(scene));
        scene.image.save(place.at(&format!("images/{stem}.jpg"))).unwrap();
        writeln!(images, "{id} {stem}.jpg").unwrap();
        writeln!(labels, "{id} {}", scene.class + 1).unwrap();
        writeln!(split, "{id} {}", u8::from(!scene.is_test())).unwrap();
        let [x, y, w, h] = scene.object.map(f64::from);
        writeln!(boxes, "{id} {x:.1} {y:.1} {w:.1} {h:.1}").unwrap();
    }
    place.write("images.txt", images);
    place.write("image_class_labels.txt", labels);
    place.write("train_test_split.txt", split);
    place.write("bounding_boxes.txt", boxes);
    place.write("classes.txt", "1 001.Acorn\n2 002.bell\n");
}

/// Trimaps: 1 the object, 3 a rim of one pixel around it, 2 the rest.
fn pet(place: &Place) {
    let [mut trainval, mut test] = [const { String::new() }; 2];
    let mut list = "#Image CLASS-ID SPECIES BREED ID\n#ID: 1:37 Class ids\n".to_owned();
    for scene in scenes() {
        let name = format!("{}_{}", scene.class(), scene.number + 1);
        scene.image.save(place.at(&format!("images/{name}.jpg"))).unwrap();
        let [left, top, width, height] = scene.object;
        let rim =
            |x: u32, y: u32| (left - 1..=left + width).contains(&x) && (top - 1..=top + height).contains(&y);
        let mask = scene.mask();
        let trimap = GrayImage::from_fn(SIDE, SIDE, |x, y| {
            Luma([if mask.get_pixel(x, y).0[0] > 0 {
                1
            } else if rim(x, y) {
                3
            } else {
                2
            }])
        });
        trimap.save(place.at(&format!("annotations/trimaps/{name}.png"))).unwrap();
        let line = format!("{name} {} 1 1\n", scene.class + 1);
        list.push_str(&line);
        if scene.is_test() { &mut test } else { &mut trainval }.push_str(&line);
    }
    place.write("annotations/list.txt", list);
    place.write("annotations/trainval.txt", trainval);
    place.write("annotations/test.txt", test);
}

fn idx_bytes(test: bool) -> [Vec<u8>; 2] {
    let scenes: Vec<Scene> = scenes().into_iter().filter(|scene| scene.is_test() == test).collect();
    let sizes = |sizes: &[u32]| {
        let mut bytes = vec![0, 0, 8, sizes.len() as u8];
        sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
        bytes
    };
    let n = scenes.len() as u32;
    let (mut images, mut labels) = (sizes(&[n, SIDE, SIDE]), sizes(&[n]));
    for scene in &scenes {
        images.extend(DynamicImage::ImageRgb8(scene.image.clone()).into_luma8().into_raw());
        labels.push(scene.class as u8);
    }
    [images, labels]
}

fn idx(place: &Place) {
    for (test, name) in [(false, "train"), (true, "t10k")] {
        let [images, labels] = idx_bytes(test);
        place.write(&format!("{name}-images-idx3-ubyte"), images);
        place.write(&format!("{name}-labels-idx1-ubyte"), labels);
    }
}

fn idx_packed(place: &Place) {
    for (test, name) in [(false, "train"), (true, "t10k")] {
        for (bytes, kind) in idx_bytes(test).into_iter().zip(["images-idx3", "labels-idx1"]) {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            packer.write_all(&bytes).unwrap();
            place.write(&format!("{name}-{kind}-ubyte.gz"), packer.finish().unwrap());
        }
    }
}

/// `annotations/instances_{train,val}2017.json` beside `train2017` and `val2017`.
fn coco(place: &Place) {
    for (test, name) in [(false, "train2017"), (true, "val2017")] {
        let value = coco_value(place, test, &format!("{name}/"));
        place.write(&format!("annotations/instances_{name}.json"), value.to_string());
    }
}

/// `{train,test}/_annotations.coco.json` among the pictures.
fn coco_exported(place: &Place) {
    for (test, name) in [(false, "train"), (true, "test")] {
        let value = coco_value(place, test, &format!("{name}/"));
        place.write(&format!("{name}/_annotations.coco.json"), value.to_string());
    }
}

fn coco_value(place: &Place, test: bool, folder: &str) -> Value {
    let (mut images, mut annotations) = (Vec::new(), Vec::new());
    for (id, scene) in scenes().iter().enumerate().filter(|(_, scene)| scene.is_test() == test) {
        let name = format!("{:012}.png", id + 1);
        scene.image.save(place.at(&format!("{folder}{name}"))).unwrap();
        images.push(json!({ "id": id, "file_name": name, "width": SIDE, "height": SIDE }));
        let [x, y, w, h] = scene.object;
        let runs = runs(&scene.mask());
        let segmentation = match scene.number % 4 {
            0 => json!([[x, y, x + w, y, x + w, y + h, x, y + h]]),
            1 => json!({ "counts": runs, "size": [SIDE, SIDE] }),
            2 => json!({ "counts": compressed(&runs), "size": [SIDE, SIDE] }),
            _ => json!([]),
        };
        annotations.push(json!({
            "id": id, "image_id": id, "category_id": 10 * (scene.class + 1), "iscrowd": 0,
            "area": w * h, "bbox": [x, y, w, h], "segmentation": segmentation,
        }));
        // Something small of the other class does not label the picture.
        annotations.push(json!({
            "id": 100 + id, "image_id": id, "category_id": 10 * (2 - scene.class), "iscrowd": 0,
            "bbox": [0, 0, 2, 2], "segmentation": [[0, 0, 2, 0, 2, 2]],
        }));
    }
    let categories: Vec<Value> =
        CLASSES.iter().enumerate().map(|(i, name)| json!({ "id": 10 * (i + 1), "name": name })).collect();
    json!({ "info": {}, "images": images, "annotations": annotations, "categories": categories })
}

/// Column-major runs, beginning outside.
pub fn runs(mask: &GrayImage) -> Vec<u32> {
    let (mut runs, mut inside) = (vec![0], false);
    for x in 0..mask.width() {
        for y in 0..mask.height() {
            if (mask.get_pixel(x, y).0[0] > 0) != inside {
                inside = !inside;
                runs.push(0);
            }
            *runs.last_mut().unwrap() += 1;
        }
    }
    runs
}

/// COCO's string for runs: differences to the run two before, five bits a character, a bit for more, a bit for the sign.
fn compressed(runs: &[u32]) -> String {
    let mut text = String::new();
    for (i, &run) in runs.iter().enumerate() {
        let mut value = i64::from(run) - if i > 2 { i64::from(runs[i - 2]) } else { 0 };
        loop {
            let group = (value & 31) as u8;
            value >>= 5;
            let done = if group & 16 == 0 { value == 0 } else { value == -1 };
            text.push(char::from(group + if done { 0 } else { 32 } + 48));
            if done {
                break;
            }
        }
    }
    text
}

/// All files in one folder, each label in its file.
fn labelme(place: &Place) {
    for scene in scenes() {
        let stem = format!("{}_{}", scene.class(), scene.number);
        scene.image.save(place.at(&format!("{stem}.png"))).unwrap();
        place.write(&format!("{stem}.json"), labelme_value(&scene, &format!("C:\\pictures\\{stem}.png")));
    }
}

/// A folder for each class.
fn labelme_classes(place: &Place) {
    for scene in scenes() {
        let stem = format!("{}/{}", scene.class(), scene.number);
        scene.image.save(place.at(&format!("{stem}.png"))).unwrap();
        let value = labelme_value(&scene, &format!("{}.png", scene.number));
        place.write(&format!("{stem}.json"), value);
    }
}

fn labelme_value(scene: &Scene, path: &str) -> String {
    let [x, y, w, h] = scene.object.map(f64::from);
    let (right, low) = (x + w - 1.0, y + h - 1.0);
    let (middle, height) = (x + w / 2.0, y + h / 2.0);
    let (kind, points, mask) = match scene.number % 6 {
        0 => ("polygon", json!([[x, y], [right, y], [right, low], [x, low]]), Value::Null),
        1 => ("rectangle", json!([[right, low], [x, y]]), Value::Null),
        2 => ("circle", json!([[middle, height], [middle + 2.5, height]]), Value::Null),
        3 => ("linestrip", json!([[x, y], [right, y], [right, low]]), Value::Null),
        4 => ("point", json!([[middle, height]]), Value::Null),
        _ => {
            let crop = GrayImage::from_pixel(scene.object[2], scene.object[3], Luma([1]));
            let mut bytes = std::io::Cursor::new(Vec::new());
            crop.write_to(&mut bytes, ImageFormat::Png).unwrap();
            let text = base64::engine::general_purpose::STANDARD.encode(bytes.into_inner());
            ("mask", json!([[x, y], [right, low]]), Value::String(text))
        }
    };
    json!({
        "version": "5.4.1", "flags": {}, "imagePath": path, "imageData": "aGlkZGVu",
        "imageHeight": SIDE, "imageWidth": SIDE,
        "shapes": [{
            "label": scene.class(), "points": points, "shape_type": kind, "flags": {}, "group_id": null, "mask": mask,
        }],
    })
    .to_string()
}

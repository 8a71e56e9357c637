//! One clear error, status 1, and nothing lost.

use image::{GrayImage, Luma};

use crate::support::Place;

fn flat(width: u32, height: u32) -> GrayImage {
    GrayImage::from_pixel(width, height, Luma([90]))
}

#[test]
fn pictures_that_cannot_be_read_are_named() {
    let place = Place::with_pictures();
    let whole = std::fs::read(place.at("pictures/dark/3.png")).unwrap();
    place.write("pictures/dark/3.png", &whole[..whole.len() / 2]);
    let run = ["pictures", "--epochs", "1", "--batch", "5", "--run", "run"];
    place.train(&run).refuses(&["3.png", "--skip-unreadable"]);
    assert!(!place.at("run").exists(), "a run that never began leaves no folder");
    let answer = place.train(&[&run[..], &["--skip-unreadable"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let warnings = answer.err.lines().filter(|line| line.starts_with("warning: ") && line.contains("3.png"));
    assert_eq!(warnings.count(), 2, "said at the start and repeated at the end: {}", answer.err);
}

#[test]
fn masks_of_another_shape_name_both_files() {
    let place = Place::with_pictures();
    place.picture("pictures/masks/dark/4.png", &flat(8, 4));
    place.train(&["pictures"]).refuses(&["masks/dark/4.png", "pictures/dark/4.png", "8×4", "8×8"]);
}

#[test]
fn classes_that_cannot_be_learned_are_named() {
    let place = Place::with_pictures();
    std::fs::create_dir(place.at("pictures/empty")).unwrap();
    place.train(&["pictures"]).refuses(&["pictures/empty", "no images"]);

    let place = Place::new();
    place.picture("pictures/only/1.png", &flat(8, 8));
    place.train(&["pictures"]).refuses(&["one class", "`only`"]);

    let place = Place::new();
    for name in
        ["train/a/1.png", "train/a/2.png", "train/b/1.png", "train/b/2.png", "test/a/1.png", "test/c/1.png"]
    {
        place.picture(&format!("pictures/{name}"), &flat(8, 8));
    }
    place.train(&["pictures"]).refuses(&["`c`", "test", "not in train"]);
}

#[test]
fn data_that_are_not_there_are_named() {
    let place = Place::with_pictures();
    place.train(&["nowhere"]).refuses(&["nowhere", "does not exist"]);
    place.train(&["triangles:XY"]).refuses(&["XY", "triangles:ES"]);
    std::fs::remove_dir_all(place.at("pictures/masks")).unwrap();
    place.train(&["pictures", "--batch", "5"]).refuses(&["has a mask", "--method label-only"]);
    assert_eq!(
        place.trained(&["pictures", "--batch", "5", "--epochs", "1", "--method", "label-only"])["mapping"],
        "none"
    );
}

#[test]
fn a_list_with_a_broken_first_line_is_no_missing_list() {
    let place = Place::with_pictures();
    place.write("pictures/labels.jsonl", "{\"image\": \"bright/1.png\", \"label\":\n");
    place.train(&["pictures", "--format", "jsonl"]).refuses(&["labels.jsonl", "line 1"]);
    place.write("pictures/more.jsonl", "");
    place.train(&["pictures", "--format", "jsonl"]).refuses(&["*.jsonl is missing"]);
}

#[test]
fn settings_without_sense_are_named() {
    let place = Place::with_pictures();
    place.train(&["pictures", "--label-lr", "nan"]).refuses(&["label_lr", "NaN"]);
    place.train(&["pictures", "--alignment-lr", "-0.1"]).refuses(&["alignment_lr", "-0.1"]);
    place.train(&["pictures", "--batch", "1000"]).refuses(&["batch is 1000", "training pictures"]);
    place.train(&["pictures", "--epochs", "0"]).refuses(&["epochs is 0"]);
    place.train(&["pictures", "--size", "0"]).refuses(&["--size"]);
    place.train(&["pictures", "--val-share", "1.5"]).refuses(&["split"]);
    place.train(&["pictures", "--batch", "5", "--mapping", "none"]).refuses(&["mapping"]);
    place.write("my.toml", "[train]\nepochs = 3\nbatchsize = 4\n");
    place.train(&["pictures", "--config", "my.toml"]).refuses(&["my.toml, line 3", "`batchsize`", "`batch`"]);
    place.train(&["pictures", "--config", "no.toml"]).refuses(&["no.toml", "rationale init"]);
    assert!(!place.at("runs").exists() || std::fs::read_dir(place.at("runs")).unwrap().count() == 0);
    for usage in [&["--epochs", "many"][..], &["--method", "magic"], &["--seed", "-1"], &["--wrong"]] {
        assert_eq!(place.train(&[&["pictures"], usage].concat()).code, Some(2), "{usage:?}");
    }
    assert_eq!(place.train(&[]).code, Some(2));
}

#[test]
fn a_network_that_does_not_fit_says_where() {
    let place = Place::with_pictures();
    place.write("deep.toml", "[model]\nfeatures = [{ conv = { out = 4, kernel = 31 } }]\n");
    place.train(&["pictures", "--batch", "5", "--config", "deep.toml"]).refuses(&["features.0", "conv"]);
}

#[test]
fn devices_that_are_not_there_list_those_that_are() {
    let place = Place::with_pictures();
    let answer = place.run(&["train", "pictures", "--device", "no such card"]);
    answer.refuses(&["no such card", "cpu"]);
}

#[test]
fn run_folders_that_cannot_be_used_are_named() {
    let place = Place::with_pictures();
    let run = ["pictures", "--epochs", "1", "--batch", "5", "--run", "run"];
    place.trained(&run);
    let before = place.read("run/run.json");
    place.train(&run).refuses(&["run", "--resume"]);
    assert_eq!(place.read("run/run.json"), before);
    place.write("file", "x");
    place.train(&["pictures", "--run", "file/run"]).refuses(&["file/run", "cannot be made"]);
    place.train(&["--resume", "pictures"]).refuses(&["pictures", "no run folder"]);
    place.train(&["--resume", "nowhere"]).refuses(&["nowhere"]);
    let answer = place.train(&["--resume", "run", "--batch", "3"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("--batch cannot change"), "{}", answer.err);
}

#[test]
fn checkpoints_that_do_not_belong_are_named() {
    let place = Place::with_pictures();
    place.trained(&["pictures", "--epochs", "2", "--batch", "5", "--run", "run"]);
    let (file, config) = ("run/checkpoints/last.safetensors", place.read("run/config.toml"));
    let whole = std::fs::read(place.at(file)).unwrap();
    let resume = || place.train(&["--resume", "run", "--epochs", "3"]);

    place.write(file, &whole[..whole.len() - 1]);
    resume().refuses(&["last.safetensors", "damaged"]);
    let newer = String::from_utf8_lossy(&whole[..2000]).find("\"version\":\"1\"").unwrap() + 11;
    let mut bytes = whole.clone();
    bytes[newer] = b'9';
    place.write(file, bytes);
    resume().refuses(&["last.safetensors", "version 9"]);
    place.write(file, &whole);

    place.write("run/config.toml", config.replace("mapping = \"diagonal\"", "mapping = \"dense\""));
    resume().refuses(&["last.safetensors", "`mapping.", "another model"]);
    place.write("run/config.toml", &config);

    place.picture("pictures/dark/5.png", &flat(8, 8));
    resume().refuses(&["last.safetensors", "not those that the run began with"]);
    place.picture("pictures/dark/12.png", &flat(8, 8));
    resume().refuses(&["not those that the run began with"]);
}

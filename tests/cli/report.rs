//! The page that a run leaves behind, and what stands beside it.

use image::{GrayImage, Luma};
use serde_json::Value;

use crate::support::Place;

/// Three classes, two of them with awkward names, in groups; every second picture has a mask.
fn place() -> Place {
    let place = Place::new();
    let classes = ["a <b>", "\"c\" & d", "plain"];
    let mut list = String::from("image,label,group,mask\n");
    for i in 0..45u32 {
        let class = i as usize % 3;
        let value = |x: u32, y: u32| 80 * class as u32 + (x * 37 + y * 59 + i * 101) % 90;
        let picture = GrayImage::from_fn(8, 8, |x, y| Luma([value(x, y) as u8]));
        place.picture(&format!("p/{i}.png"), &picture);
        let mut mask = String::new();
        if i % 2 == 0 {
            mask = format!("m/{i}.png");
            let picture = GrayImage::from_fn(8, 8, |x, _| Luma([if x < 4 { 255 } else { 0 }]));
            place.picture(&format!("p/{mask}"), &picture);
        }
        let group = if i % 5 < 2 { "near" } else { "far" };
        list.push_str(&format!("{i}.png,\"{}\",{group},{mask}\n", classes[class].replace('"', "\"\"")));
    }
    place.write("p/list.csv", list);
    place
}

fn figure<'a>(page: &'a str, id: &str) -> &'a str {
    let mark = format!("id=\"{id}\">");
    let at = page.find(&mark).unwrap_or_else(|| panic!("no {id}")) + mark.len();
    page[at..].split('<').next().unwrap()
}

/// The steps of an event file: field 2 of every message but the first; they are below 128 here.
fn steps(bytes: &[u8]) -> Vec<u8> {
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        found.push(bytes[at + 12 + 10]);
        at += length + 16;
    }
    found[1..].to_vec()
}

#[test]
fn the_page_says_what_evaluate_says_and_survives_a_resume() {
    let place = place();
    let start = ["p/list.csv", "--batch", "9", "--epochs", "3", "--run", "run"];
    place.trained(&start);
    let evaluated = place.run(&["evaluate", "run", "--json"]);
    let evaluated: Value = serde_json::from_str(&evaluated.out).unwrap();
    let page = place.read("run/report.html");
    let figures = [
        ("accuracy", "/accuracy", 3),
        ("balanced-accuracy", "/balanced_accuracy", 3),
        ("worst-class", "/worst_class/accuracy", 3),
        ("worst-group", "/groups/0/accuracy", 3),
        ("input-gradient-mass", "/input_gradient_mass", 3),
        ("calibration-error", "/calibration_error", 3),
        ("loss", "/loss", 4),
    ];
    for (id, pointer, digits) in figures {
        let value = evaluated.pointer(pointer).and_then(Value::as_f64).unwrap();
        assert_eq!(figure(&page, id), format!("{value:.digits$}"), "{id}");
    }
    for words in
        ["a &lt;b&gt;", "&quot;c&quot; &amp; d", "after epoch 1", "m set aside", "rationale train --config"]
    {
        assert!(page.contains(words), "{words}");
    }
    for name in ["accuracy", "label-loss", "alignment-loss", "confusion", "reliability"] {
        assert!(place.read(&format!("run/plots/{name}.svg")).starts_with("<svg"), "{name}");
        assert!(image::open(place.at(&format!("run/plots/{name}.png"))).unwrap().width() > 400, "{name}");
    }
    let events = place.at("run/tensorboard/events.out.tfevents.0000000000.rationale");
    assert_eq!(steps(&std::fs::read(&events).unwrap()), [1, 2, 3, 3]);

    // Written again it is the same page, and the first epoch is still known after a resume.
    let again = place.run(&["report", "run"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), "run/report.html\n"), "{}", again.err);
    assert!(place.read("run/report.html") == page, "the same page");
    place.trained(&["--resume", "run", "--epochs", "5"]);
    let page = place.read("run/report.html");
    for words in ["after epoch 1", "after epoch 5", "--resume run --epochs 5"] {
        assert!(page.contains(words), "{words}");
    }
    assert_eq!(steps(&std::fs::read(&events).unwrap()), [1, 2, 3, 3, 4, 5, 5]);
}

#[test]
fn a_report_that_fails_leaves_the_old_one_and_other_pictures_can_be_named() {
    let place = place();
    place.trained(&["p/list.csv", "--batch", "9", "--epochs", "1", "--run", "run", "--method", "label-only"]);
    let page = place.read("run/report.html");
    assert!(page.contains("learned from labels alone") && !page.contains("m set aside"));
    std::fs::remove_dir_all(place.at("run/plots")).unwrap();
    place.write("run/plots", "in the way");
    place.run(&["report", "run"]).refuses(&["plots"]);
    assert!(place.read("run/report.html") == page, "the old page");
    std::fs::remove_file(place.at("run/plots")).unwrap();
    std::fs::rename(place.at("p"), place.at("moved")).unwrap();
    place.run(&["report", "run"]).refuses(&["list.csv"]);
    let moved = place.run(&["report", "run", "moved/list.csv"]);
    assert_eq!(moved.code, Some(0), "{}", moved.err);
    assert_eq!(figure(&place.read("run/report.html"), "accuracy"), figure(&page, "accuracy"));
    // Of an earlier version: no weights of the first epoch, fields missing in the record.
    let record: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    let mut record = record.as_object().unwrap().clone();
    record.retain(|key, _| key != "commands" && key != "system");
    place.write("run/run.json", serde_json::to_string(&record).unwrap());
    std::fs::remove_file(place.at("run/checkpoints/first.safetensors")).unwrap();
    assert_eq!(place.run(&["report", "run", "moved/list.csv"]).code, Some(0));
    assert!(
        !place
            .at("run")
            .read_dir()
            .unwrap()
            .flatten()
            .any(|e| e.file_name().to_string_lossy().starts_with(".tmp"))
    );
}

#[test]
fn warnings_are_repeated_at_the_end_and_stand_on_the_page() {
    let place = place();
    // Between black and white: more than one pixel in a hundred.
    let grey = GrayImage::from_fn(8, 8, |x, _| Luma([if x < 4 { 200 } else { 90 }]));
    (0..45).step_by(2).for_each(|i| place.picture(&format!("p/m/{i}.png"), &grey));
    let answer = place.train(&["p/list.csv", "--batch", "9", "--epochs", "1", "--run", "run"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let lines: Vec<&str> = answer.err.lines().collect();
    let head = lines
        .iter()
        .position(|line| line.ends_with("on the way:"))
        .unwrap_or_else(|| panic!("{}", answer.err));
    let repeated = &lines[head + 1..];
    assert!(lines[head].starts_with(&format!("{} warning", repeated.len())), "{}", answer.err);
    assert!(
        !repeated.is_empty() && repeated.iter().all(|line| line.starts_with("warning: ")),
        "{}",
        answer.err
    );
    let record: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(record["warnings"].as_array().unwrap().len(), repeated.len());
    assert!(place.read("run/report.html").contains("<b>1 warning</b>"));
    let checked = place.run(&["check", "p/list.csv"]);
    assert!(checked.err.contains("on the way:\nwarning: "), "{}", checked.err);
    assert_eq!(
        place
            .run(&["predict", "run", "gone.png", "p/1.png"])
            .err
            .lines()
            .filter(|l| l.starts_with("warning: "))
            .count(),
        2
    );
}

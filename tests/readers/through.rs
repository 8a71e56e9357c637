//! Every format through the program: linted without a finding, and trained on.

use std::process::{Command, Output};

use serde_json::Value;

use crate::layouts::LAYOUTS;
use crate::scenes::{CLASSES, EACH, Place};

fn run(place: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rationale"));
    command.args(arguments).current_dir(place.root()).env_remove("RATIONALE_LOG");
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_format_is_found_linted_without_a_finding_and_trained_on() {
    for (i, layout) in LAYOUTS.iter().enumerate() {
        let place = Place::new();
        let data = Place::new();
        (layout.write)(&data);
        let path = data.root().to_str().unwrap();
        let report = json(&run(&place, &["check", path, "--json"]));
        assert_eq!(report["format"], layout.format, "{i}");
        let found = report["findings"].as_array().unwrap();
        let bad: Vec<&Value> = found.iter().filter(|finding| finding["severity"] != "note").collect();
        assert!(bad.is_empty(), "{i} {}: {bad:#?}", layout.format);
        assert_eq!(report["pictures"], 2 * EACH, "{i}");
        assert_eq!(report["explained"], layout.explained, "{i} {}", layout.format);

        let mut arguments = vec!["train", path, "--device", "cpu", "--epochs", "2", "--batch", "4", "--json"];
        if layout.explained == 0 {
            arguments.extend(["--method", "label-only"]);
        }
        let output = run(&place, &arguments);
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        json(&output);
        assert!(words.contains(&format!("{}: ", layout.format)), "says what was found and why: {words}");
    }
}

#[test]
fn the_linter_speaks_in_text_and_on_a_page_and_fails_on_errors_alone() {
    let place = Place::new();
    (LAYOUTS[0].write)(&place);
    let clean = run(&place, &["check", ".", "--html", "page.html"]);
    let text = String::from_utf8(clean.stdout).unwrap();
    assert!(clean.status.success());
    for words in [CLASSES[0], "train", "mask size", "0 errors, 0 warnings"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A warning does not change the status; an error does, and its picture is on the page.
    std::fs::copy(place.at("train/bell/3.png"), place.at("train/bell/copy.png")).unwrap();
    assert!(run(&place, &["check", "."]).status.success());
    std::fs::copy(place.at("train/bell/3.png"), place.at("test/bell/copy.png")).unwrap();
    let found = run(&place, &["check", ".", "--html", "page.html"]);
    assert_eq!(found.status.code(), Some(1));
    let text = String::from_utf8(found.stdout).unwrap();
    assert!(text.contains("test/bell/copy.png: equals train/bell/3.png"), "{text}");
    let page = std::fs::read_to_string(place.at("page.html")).unwrap();
    assert!(page.contains("test/bell/copy.png") && page.contains("data:image/png;base64,"));
    assert_eq!(run(&place, &["check", "triangles:ES"]).status.code(), Some(2));
}

#[test]
fn two_formats_that_fit_are_told_apart_by_the_flag() {
    let place = Place::new();
    (LAYOUTS[0].write)(&place);
    place.write("labels.csv", "image,label\ntrain/bell/3.png,bell\n");
    let output = run(&place, &["train", ".", "--device", "cpu", "--epochs", "1", "--batch", "4"]);
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(words.contains("--format csv") && words.contains("--format folder"), "{words}");
    let chosen = run(
        &place,
        &["train", ".", "--format", "folder", "--device", "cpu", "--epochs", "1", "--batch", "4", "--json"],
    );
    json(&chosen);
}

#[test]
fn groups_of_a_table_reach_the_worst_group() {
    let (place, data) = (Place::new(), Place::new());
    (LAYOUTS[2].write)(&data);
    let path = data.root().to_str().unwrap();
    let train = [
        "train", path, "--device", "cpu", "--epochs", "1", "--batch", "4", "--run", "run", "--json",
        "--quiet",
    ];
    json(&run(&place, &train));
    let outcome = json(&run(&place, &["evaluate", "run", "--device", "cpu", "--json"]));
    let groups = outcome["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2, "{outcome}");
    assert!(groups.iter().all(|group| group["pictures"] == EACH / 3));
    // Groups and classes are the same here.
    assert_eq!(groups[0]["accuracy"], outcome["worst_class"]["accuracy"]);
}

#[test]
fn an_explained_picture_may_go_without_a_label() {
    let place = Place::new();
    (LAYOUTS[2].write)(&place);
    let table = std::fs::read_to_string(place.at("labels.csv")).unwrap();
    let line = table.lines().find(|line| line.contains(",Acorn,train,") && !line.ends_with(",,,,")).unwrap();
    place.write("labels.csv", table.replacen(line, &line.replacen(",Acorn,train,", ",,train,", 1), 1));
    let checked = run(&place, &["check", ".", "--json"]);
    let report = json(&checked);
    let pictures = |report: &Value| -> u64 {
        let count = |class: &Value| {
            class["pictures"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>()
        };
        report["classes"].as_array().unwrap().iter().map(count).sum()
    };
    assert_eq!(report["findings"].as_array().unwrap().len(), 0, "{report}");
    assert_eq!(report["pictures"].as_u64().unwrap(), pictures(&report) + 1);
    let flags =
        ["--device", "cpu", "--epochs", "1", "--batch", "4", "--val-share", "0", "--run", "run", "--json"];
    let trained = run(&place, &[&["train", "."], &flags[..]].concat());
    json(&trained);
    let words = String::from_utf8(trained.stderr).unwrap();
    assert!(words.contains("no label: 1"), "{words}");
    // Only pictures that can be judged are counted.
    let outcome =
        json(&run(&place, &["evaluate", "run", ".", "--part", "train", "--device", "cpu", "--json"]));
    let record: Value = serde_json::from_slice(&std::fs::read(place.at("run/run.json")).unwrap()).unwrap();
    assert_eq!(record["status"], "finished");
    let labelled = table.lines().filter(|line| line.contains(",train,")).count() - 1;
    assert_eq!(outcome["pictures"], labelled, "{outcome}");

    let labels =
        ["--device", "cpu", "--epochs", "1", "--batch", "4", "--method", "label-only", "--run", "labels"];
    let words = String::from_utf8(run(&place, &[&["train", "."], &labels[..]].concat()).stderr).unwrap();
    assert!(words.contains("1 training picture without a label left out"), "{words}");

    // Nothing tells what a test picture without a label is.
    let line =
        table.lines().find(|line| line.contains(",Acorn,test,") && line.contains("outlines/")).unwrap();
    place.write("labels.csv", table.replacen(line, &line.replacen(",Acorn,test,", ",,test,", 1), 1));
    let output = run(&place, &[&["train", "."], &flags[..8]].concat());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("has no label") && words.contains("only a training picture"), "{words}");
}

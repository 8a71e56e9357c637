//! `study`, `compare` and `tune` as their users meet them, on models too small to learn anything.

use crate::support::Place;

const SMALL: [&str; 8] = ["--device", "cpu", "--epochs", "1", "--test-pictures", "20", "--workers", "1"];

#[test]
fn a_study_writes_its_folder_and_goes_on_where_it_was() {
    let place = Place::new();
    let study = |more: &[&str]| {
        place.run(&[&["study", "spurious", "--methods", "diagonal", "--out", "s"], &SMALL[..], more].concat())
    };
    let first = study(&["--seeds", "11"]);
    assert_eq!(first.code, Some(0), "{}", first.err);
    assert!(first.out.contains("# Study: spurious") && first.out.contains("| label-only |"), "{}", first.out);
    assert!(first.err.contains("models    2"), "{}", first.err);
    for file in
        ["tables.md", "cells.csv", "summary.csv", "results.json", "index.html", "plots/ES-accuracy.png"]
    {
        assert!(place.at(&format!("s/{file}")).exists(), "{file}");
    }
    let second = study(&["--seeds", "11,12", "--json"]);
    assert!(second.err.contains("2 of them there already"), "{}", second.err);
    let result: serde_json::Value = serde_json::from_str(&second.out).unwrap();
    assert_eq!(result["rows"][1]["statistics"]["balanced_accuracy"]["summary"]["count"], 2);
    let third = place.run(&["study", "spurious", "--out", "s", "--tables-only", "--json"]);
    let again: serde_json::Value = serde_json::from_str(&third.out).unwrap();
    assert_eq!(again["rows"], result["rows"]);
    // Another number of epochs under the same names, and another study, are refused.
    let other = [&SMALL[..2], &["--epochs", "2", "--test-pictures", "20", "--seeds", "11"]].concat();
    place
        .run(&[&["study", "spurious", "--out", "s"], &other[..]].concat())
        .refuses(&["other settings", "--out"]);
    place
        .run(&[&["study", "balanced", "--out", "s"], &other[..]].concat())
        .refuses(&["spurious", "balanced"]);
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let place = Place::new();
    place.run(&["study", "spurius"]).refuses(&["spurius", "balanced", "Did you mean `spurious`?"]);
    place
        .run(&["study", "spurious", "--methods", "diagnal"])
        .refuses(&["diagnal", "Did you mean `diagonal`?"]);
    place.run(&["study", "spurious", "--seeds", "5..1"]).refuses(&["5..1"]);
    place.run(&["tune", "EZ"]).refuses(&["EZ", "E4"]);
    place.run(&["compare", "nowhere"]).refuses(&["nowhere", "known are"]);
    place.run(&["tune", "ES", "--methods", "gate-other"]).refuses(&["control", "gate"]);
    assert_eq!(place.run(&["study", "digits"]).code, Some(2));
}

#[test]
fn a_comparison_of_own_pictures_says_whether_explanations_helped() {
    let place = Place::with_pictures();
    place.write(
        "small.toml",
        "[train]\nbatch = 4\n[model]\nfeatures = [{ conv = { out = 2, kernel = 3 } }, \"relu\"]\n",
    );
    let answer = place.run(&[
        "compare",
        "pictures",
        "--config",
        "small.toml",
        "--seeds",
        "1..2",
        "--methods",
        "diagonal,masked-copies",
        "--epochs",
        "1",
        "--device",
        "cpu",
        "--out",
        "c",
    ]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.out.contains("Did explanations help?"), "{}", answer.out);
    assert!(place.read("c/tables.md").contains("Comparison: pictures"));
    // Without any mask there is nothing to compare.
    std::fs::remove_dir_all(place.at("pictures/masks")).unwrap();
    place.run(&["compare", "pictures", "--device", "cpu"]).refuses(&["none of its", "mask"]);
}

#[test]
fn a_search_records_its_trials_and_a_study_uses_them() {
    let place = Place::new();
    let answer = place.run(
        &[
            &["tune", "ES", "--methods", "diagonal", "--trials", "2", "--seeds", "11", "--out", "t"],
            &SMALL[..],
        ]
        .concat(),
    );
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert_eq!(place.read("t/trials.jsonl").lines().count(), 4);
    assert!(place.read("t/tuned.toml").contains("method = \"diagonal\""));
    let study = [
        "study",
        "spurious",
        "--methods",
        "diagonal",
        "--seeds",
        "12",
        "--tuned",
        "t/tuned.toml",
        "--out",
        "s",
    ];
    let answer = place.run(&[&study[..], &SMALL].concat());
    assert!(
        answer.out.contains("two-stage, diagonal m (tuned)")
            && answer.out.contains("search on validation seeds"),
        "{}",
        answer.out
    );
}

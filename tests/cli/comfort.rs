//! Augmentation, schedules, early stopping, class weights and the memory cap, from the command line.

use crate::support::Place;

fn arguments<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["pictures", "--batch", "5", "--seed", "3", "--run", run], more].concat()
}

fn record(place: &Place, run: &str) -> serde_json::Value {
    serde_json::from_str(&place.read(&format!("{run}/run.json"))).unwrap()
}

#[test]
fn early_stopping_takes_the_best_weights_and_resumes_to_the_same() {
    let place = Place::with_pictures();
    for by in ["accuracy", "loss"] {
        let patience = ["--early-stopping", "3", "--early-stopping-by", by];
        let name = |run: &str| format!("{run}-{by}");
        let (straight, parted) = (name("straight"), name("parted"));
        let whole = place.trained(&[&arguments(&straight, &["--epochs", "60"]), &patience[..]].concat());
        let rows: Vec<serde_json::Value> = place
            .read(&format!("{straight}/metrics.jsonl"))
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let value = |row: &serde_json::Value| match by {
            "loss" => -row["val_loss"].as_f64().unwrap(),
            _ => row["val_balanced_accuracy"].as_f64().unwrap(),
        };
        let top = rows.iter().map(value).fold(f64::NEG_INFINITY, f64::max);
        let best = rows.iter().position(|row| value(row) == top).unwrap() + 1;
        let found = record(&place, &straight);
        assert_eq!((&found["best_epoch"], &found["epochs"]), (&best.into(), &rows.len().into()));
        assert!(rows.len() == best + 3 || rows.len() == 60, "{by}: {best} of {}", rows.len());
        // The weights are those of a run that ends at the best epoch.
        let epochs = best.to_string();
        let ended = place.trained(&arguments(&name("ended"), &["--epochs", &epochs]));
        assert_eq!((&ended["digest"], &ended["test"]), (&whole["digest"], &whole["test"]));
        // Others find them, too.
        let exported = |run: &str, file: &str| {
            assert_eq!(place.run(&["export", run, "--safetensors", file]).code, Some(0));
            // What stands in the header has no order of its own: the weights lie behind it.
            let bytes = std::fs::read(place.at(file)).unwrap();
            let (length, rest) = bytes.split_first_chunk().unwrap();
            rest[u64::from_le_bytes(*length) as usize..].to_vec()
        };
        let same = exported(&straight, "a.safetensors") == exported(&name("ended"), "b.safetensors");
        assert!(same, "the exported weights are not those of the best epoch");

        place.trained(&[&arguments(&parted, &["--epochs", "2"]), &patience[..]].concat());
        let resumed = place.trained(&["--resume", &parted, "--epochs", "60"]);
        assert_eq!(resumed["digest"], whole["digest"]);
        assert_eq!(record(&place, &parted)["best_epoch"], best);
        // Stopped is stopped: nothing is left to train.
        assert_eq!(place.trained(&["--resume", &parted])["digest"], whole["digest"]);
        assert_eq!(place.read(&format!("{parted}/metrics.jsonl")).lines().count(), rows.len());
        std::fs::remove_file(place.at(&format!("{parted}/checkpoints/best.safetensors"))).unwrap();
        if rows.len() > best {
            place.train(&["--resume", &parted]).refuses(&["best.safetensors", "is missing"]);
        }
    }
}

#[test]
fn early_stopping_wants_validation_pictures() {
    let place = Place::with_pictures();
    let stop = ["--early-stopping", "3", "--epochs", "2"];
    let none = [&arguments("none", &["--val-share", "0"]), &stop[..]].concat();
    place.train(&none).refuses(&["early_stopping is 3", "--val-share 0.15"]);
    place.train(&[&["triangles:E"], &stop[..]].concat()).refuses(&["early_stopping is 3", "built-in"]);
    assert!(!place.at("none").exists());
}

#[test]
fn a_streamed_run_says_so_and_has_the_same_weights() {
    let place = Place::with_pictures();
    let more = ["--epochs", "2", "--augment", "flip,shift=1"];
    let whole = place.trained(&arguments("whole", &more));
    // 8×8 grey bytes, a mask and 8 bytes more: two chunks of five.
    let capped = [&arguments("capped", &more), &["--memory-cap", "1360", "--json"][..]].concat();
    let answer = place.train(&capped);
    assert!(answer.err.contains("streaming") && answer.err.contains("--memory-cap"), "{}", answer.err);
    let streamed: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(streamed["digest"], whole["digest"]);
    assert_eq!(streamed["test"], whole["test"]);
    let small = [&arguments("small", &more), &["--memory-cap", "1KiB"][..]].concat();
    place.train(&small).refuses(&["memory_cap is", "smaller --batch"]);
}

#[test]
fn a_preview_shows_what_augmentation_does() {
    let place = Place::with_pictures();
    let preview = ["pictures", "--augment-preview", "seen.png"];
    let answer = place.train(&[&preview[..], &["--augment", "flip=both,rotate=90"]].concat());
    assert_eq!((answer.code, answer.out.as_str()), (Some(0), "seen.png\n"), "{}", answer.err);
    let sheet = image::open(place.at("seen.png")).unwrap();
    // Seven columns of tiles, eight rows.
    assert!(sheet.width() > 7 * 96 && sheet.height() > 8 * 96);
    let answer = place.train(&preview);
    assert!(answer.code == Some(2) && answer.err.contains("--augment flip"), "{answer:?}");
}

#[test]
fn settings_reach_the_config_and_bad_ones_are_named() {
    let place = Place::with_pictures();
    place.trained(&arguments(
        "run",
        &[
            "--epochs",
            "2",
            "--label-schedule",
            "cosine",
            "--alignment-schedule",
            "step=1:0.5",
            "--warmup",
            "0.5",
            "--augment",
            "crop=0.8,brightness=0.1",
            "--class-weights",
            "1,2.5",
        ],
    ));
    let config = place.read("run/config.toml");
    for line in [
        "label_schedule = \"cosine\"",
        "alignment_warmup = 0.5",
        "class_weights = [1.0, 2.5]",
        "[train.augment]",
        "crop = 0.8",
    ] {
        assert!(config.contains(line), "{line} is missing:\n{config}");
    }
    place.trained(&["--resume", "run"]);
    for (flags, words) in [
        (["--label-schedule", "sine"], "step=10:0.5"),
        (["--augment", "crop=7"], "from 0.1 to 1"),
        (["--class-weights", "heavy"], "1,2.5"),
        (["--memory-cap", "much"], "512MiB"),
        (["--early-stopping", "-1"], "--early-stopping"),
    ] {
        let answer = place.train(&[&arguments("bad", &[]), &flags[..]].concat());
        assert!(answer.code == Some(2) && answer.err.contains(words), "{flags:?}: {answer:?}");
    }
    let balanced = place.trained(&arguments("balanced", &["--epochs", "2", "--class-weights", "balanced"]));
    let plain = place.trained(&arguments("plain", &["--epochs", "2"]));
    assert_eq!(balanced["digest"], plain["digest"], "twelve pictures of each class: all weights are 1");
    place.train(&arguments("bad", &["--class-weights", "1,2,3"])).refuses(&["class_weights", "2 classes"]);
    place.train(&arguments("bad", &["--warmup", "99"])).refuses(&["label_warmup is 99", "from 0 to all 40"]);
}

//! What each command says when all is well.

use crate::support::Place;

#[test]
fn a_run_leaves_its_folder_and_prints_its_result() {
    let place = Place::with_pictures();
    let answer = place.train(&["pictures", "--epochs", "2", "--batch", "5", "--run", "run"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    for words in ["CPU", "asked for", "8×8 grey, 2 classes", "fits", "epoch 2/2", "explained"] {
        assert!(answer.err.contains(words), "{words}: {}", answer.err);
    }
    for words in ["test accuracy", "balanced accuracy", "worst class", "gradient inside", "run folder: run"] {
        assert!(answer.out.contains(words), "{words}: {}", answer.out);
    }
    for text in [&answer.err, &answer.out] {
        assert!(!text.contains('\x1b'), "no control codes outside of a terminal: {text}");
    }
    let table = place.read("run/metrics.csv");
    assert!(
        table.starts_with("epoch,label_loss,alignment_loss,multiplier,train_accuracy,val_accuracy"),
        "{table}"
    );
    assert_eq!(table.lines().count(), 3);
    let record: serde_json::Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    assert_eq!(record["status"], "finished");
    assert_eq!(record["classes"], serde_json::json!(["bright", "dark"]));
    assert!(record["result"]["test"]["accuracy"].is_number() && record["result"]["val"].is_object());
    let config = place.read("run/config.toml");
    assert!(config.contains("mapping = \"diagonal\"") && config.contains("epochs = 2"), "{config}");
}

#[test]
fn the_config_of_a_run_runs_again_to_the_same_bits() {
    let place = Place::with_pictures();
    let first = place.trained(&[
        "pictures",
        "--epochs",
        "2",
        "--batch",
        "5",
        "--seed",
        "18446744073709551615",
        "--run",
        "a",
    ]);
    let again = place.trained(&["--config", "a/config.toml", "--run", "b"]);
    assert_eq!(first["digest"], again["digest"]);
    let other = place.trained(&["--config", "a/config.toml", "--run", "c", "--seed", "1"]);
    assert_ne!(first["digest"], other["digest"]);
    // A folder of its own each time.
    let default = ["--config", "a/config.toml", "--epochs", "1", "--quiet"];
    let runs = [place.trained(&default), place.trained(&default)].map(|value| value["run"].clone());
    assert_ne!(runs[0], runs[1]);
    assert!(runs[0].as_str().unwrap().contains("pictures-two-stage-2"), "{runs:?}");
}

#[test]
fn exclusive_use_says_what_is_guaranteed_and_leaves_the_run_alone() {
    let place = Place::with_pictures();
    place.trained(&["pictures", "--epochs", "1", "--batch", "5", "--run", "run"]);
    let before = place.read("run/run.json");
    let few = ["exclusive-use", "run", "--part", "train", "--samples", "2", "--swaps", "2"];
    let answer = place.run(&[&few[..], &["--each"]].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    for words in ["guaranteed width", "observed width", "certified", "Not guaranteed", "margin", "2 swaps"] {
        assert!(answer.out.contains(words), "{words}: {}", answer.out);
    }
    let json = place.run(&[&few[..], &["--json", "--limit", "3"]].concat());
    let value: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let pictures = value["pictures"].as_array().unwrap();
    assert!((1..=3).contains(&pictures.len()) && value["summary"]["outside"] == 0, "{value}");
    assert_eq!(value["summary"]["irrelevant"], 0.5);
    for picture in pictures {
        assert!(picture["name"].as_str().unwrap().ends_with(".png"), "{picture}");
        let ends = ["lower", "observed_lower", "observed_upper", "upper"]
            .map(|key| picture[key][1].as_f64().unwrap());
        assert!(ends.is_sorted() && ends[0] < ends[3], "{ends:?}");
    }
    assert_eq!(place.read("run/run.json"), before);

    place.run(&["exclusive-use", "nowhere"]).refuses(&["nowhere", "is no run folder"]);
    std::fs::rename(place.at("pictures/dark"), place.at("pictures/dim")).unwrap();
    place.run(&few).refuses(&["bright, dark", "bright, dim"]);
    std::fs::remove_dir_all(place.at("pictures/masks")).unwrap();
    std::fs::rename(place.at("pictures/dim"), place.at("pictures/dark")).unwrap();
    place.run(&few).refuses(&["mask"]);
}

#[test]
fn init_writes_a_config_that_trains_and_never_overwrites() {
    let place = Place::with_pictures();
    assert_eq!(place.run(&["init", "my.toml"]).code, Some(0));
    place.run(&["init", "my.toml"]).refuses(&["my.toml", "already"]);
    assert_eq!(place.run(&["init", "-"]).out, place.read("my.toml"));
    place.trained(&["pictures", "--config", "my.toml", "--epochs", "1", "--batch", "5", "--run", "run"]);
}

#[test]
fn built_in_sets_show_flips_and_gradient() {
    let place = Place::new();
    let small = "[model]\nfeatures = [{ conv = { out = 2, kernel = 3, stride = 4 } }, \"relu\"]\n";
    place.write("small.toml", small);
    let result = place.trained(&["triangles:es", "--epochs", "1", "--config", "small.toml"]);
    assert!(result["flip_rate"].is_number() && result["input_gradient_mass"].is_number(), "{result}");
    assert_eq!(result["test"]["pictures"], 3000);
    let result = place.trained(&["triangles:E", "--epochs", "1", "--config", "small.toml"]);
    assert!(result["flip_rate"].is_null(), "{result}");
}

#[test]
fn plans_are_tables_and_stage_2_is_by_itself() {
    let place = Place::new();
    let both = place.run(&["plan", "--device", "cpu"]);
    assert_eq!(both.code, Some(0), "{}", both.err);
    assert!(both.out.starts_with("plan `stages 1 and 2`"), "{}", both.out);
    let second = place.run(&["plan", "triangles:E4", "--device", "cpu", "--stage", "2"]).out;
    assert!(second.starts_with("plan `stage 2`") && !second.contains("conv2d_backward"), "{second}");
    let first = place.run(&["plan", "--device", "cpu", "--stage", "1"]).out;
    assert!(first.contains("conv2d_backward_weight") && !first.contains("kl_divergence"), "{first}");
    place
        .run(&["plan", "--device", "cpu", "--stage", "2", "--method", "label-only"])
        .refuses(&["label-only", "two-stage"]);
}

#[test]
fn devices_are_listed_for_people_and_programs() {
    let place = Place::new();
    let listed = place.run(&["devices"]);
    assert_eq!(listed.code, Some(0), "{}", listed.err);
    assert!(listed.out.contains("--device auto is"), "{}", listed.out);
    let value: serde_json::Value = serde_json::from_str(&place.run(&["devices", "--json"]).out).unwrap();
    assert!(value["adapters"].is_array() && value["choice"]["reason"].is_string(), "{value}");
    // A plan past an adapter's limits is refused before anything is allocated.
    if value["adapters"].as_array().unwrap().is_empty() {
        return;
    }
    place.write(
        "huge.toml",
        "[model]\nfeatures = [{ conv = { out = 2000, kernel = 3 } }, \"average_pool\"]\n",
    );
    place.run(&["plan", "--device", "0", "--config", "huge.toml"]).refuses(&["max_", "--batch"]);
}

#[test]
fn shells_get_completions_and_man_its_pages() {
    let place = Place::new();
    for shell in ["bash", "fish", "zsh", "powershell"] {
        let answer = place.run(&["completions", shell]);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        assert!(answer.out.contains("exclusive-use"), "{shell}");
    }
    let page = place.run(&["manual"]).out;
    assert!(page.starts_with(".ie") && page.contains("Exit status"), "{page}");
    assert_eq!(place.run(&["manual", "--to", "pages"]).code, Some(0));
    assert!(place.read("pages/rationale-train.1").contains("alignment"));
}

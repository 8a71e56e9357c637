//! What can be done with a finished run: predict, evaluate, export.

use safetensors::SafeTensors;
use serde_json::Value;

use crate::support::Place;

fn place() -> Place {
    let place = Place::with_pictures();
    place.trained(&["pictures", "--epochs", "2", "--batch", "5", "--run", "run"]);
    place
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    let answer = place.run(arguments);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    serde_json::from_str(&answer.out).unwrap()
}

#[test]
fn predictions_are_those_of_the_evaluation_in_every_format() {
    let place = place();
    let json = |arguments: &[&str]| json(&place, arguments);
    let value =
        json(&["predict", "run", "pictures/dark", "pictures/bright", "--format", "json", "--batch", "5"]);
    let pictures = value["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 24, "masks are no pictures");
    // Natural order: 2 before 10.
    assert!(pictures[2]["file"].as_str().unwrap().ends_with("dark/2.png"), "{value}");
    for picture in pictures {
        let all: Vec<f64> =
            picture["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(picture["probability"].as_f64().unwrap(), all.iter().copied().fold(0.0, f64::max));
    }
    let right = |i: usize, class: &str| (pictures[i]["class"] == class) as usize;
    let right = (0..12).map(|i| right(i, "dark") + right(12 + i, "bright")).sum::<usize>();
    let whole = json(&["evaluate", "run", "pictures", "--json"]);
    assert_eq!(whole["pictures"], 24);
    assert_eq!(whole["accuracy"].as_f64().unwrap(), right as f64 / 24.0);

    // What training said of its test pictures, evaluation says again.
    let record: Value = serde_json::from_str(&place.read("run/run.json")).unwrap();
    let test = json(&["evaluate", "run", "--json"]);
    assert_eq!(test["accuracy"], record["result"]["test"]["accuracy"]);
    assert_eq!(test["per_class"], record["result"]["test"]["per_class"]);

    let csv = place.run(&["predict", "run", "pictures/dark/*.png", "--format", "csv"]);
    let lines: Vec<&str> = csv.out.lines().collect();
    assert_eq!((lines.len(), lines[0]), (13, "file,class,probability,p(bright),p(dark)"));
    assert!(lines[1].starts_with(pictures[0]["file"].as_str().unwrap()));
    let table = place.run(&["predict", "run", "pictures/dark/3.png", "--overlays", "seen"]);
    assert!(table.out.contains("pictures/dark/3.png") && table.out.contains("probability"), "{}", table.out);
    assert!(image::open(place.at("seen/00001-3.png")).unwrap().width() >= 256);
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_done() {
    let place = place();
    std::fs::write(place.at("broken.png"), b"no picture").unwrap();
    let answer = place.run(&["predict", "run", "broken.png", "pictures/dark/1.png", "gone.png"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.out.contains("dark/1.png"), "{}", answer.out);
    for words in ["broken.png", "gone.png", "2 of 3 pictures"] {
        assert!(answer.err.contains(words), "{words}: {}", answer.err);
    }
    assert!(!answer.err.contains("--skip-unreadable"), "predict has no such flag: {}", answer.err);
    let nothing = place.run(&["predict", "run", "*.tiff"]);
    assert_eq!(nothing.code, Some(2));
    assert!(nothing.err.contains("no file fits *.tiff"), "{}", nothing.err);
    let foreign = place.run(&["evaluate", "run", "triangles:E"]);
    assert_eq!(foreign.code, Some(1));
    assert!(foreign.err.contains("no class `up`") && foreign.err.contains("bright, dark"), "{}", foreign.err);
}

#[test]
fn exports_hold_the_weights_in_the_layout_of_pytorch() {
    let place = place();
    let answer = place.run(&["export", "run", "--onnx", "m.onnx", "--safetensors", "m.safetensors"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    let read = |name: &str| std::fs::read(place.at(name)).unwrap();
    let (own, exported) = (read("run/checkpoints/last.safetensors"), read("m.safetensors"));
    let (own, exported) =
        (SafeTensors::deserialize(&own).unwrap(), SafeTensors::deserialize(&exported).unwrap());
    let get = |file: &SafeTensors, name: &str| {
        let tensor = file.tensor(name).unwrap();
        let values: Vec<[u8; 4]> = tensor.data().chunks(4).map(|b| b.try_into().unwrap()).collect();
        (tensor.shape().to_vec(), values)
    };
    // Convolution: [1, K_h, K_w, C_in, C_out] here, [C_out, C_in, K_h, K_w] there.
    let (dims, ours) = get(&own, "features.2.weight");
    let &[1, kh, kw, c_in, c_out] = dims.as_slice() else { panic!("{dims:?}") };
    let (theirs_dims, theirs) = get(&exported, "features.2.weight");
    assert_eq!(theirs_dims, [c_out, c_in, kh, kw]);
    let (o, c, y, x) = (c_out - 2, c_in - 1, kh - 1, 1);
    assert_eq!(theirs[((o * c_in + c) * kh + y) * kw + x], ours[((y * kw + x) * c_in + c) * c_out + o]);
    // Linear: [1, (h, w, c), K] here, [K, (c, h, w)] there; f(x) is 32×1×1 for pictures of 8×8.
    let (dims, ours) = get(&own, "classifier.0.weight");
    let (theirs_dims, theirs) = get(&exported, "classifier.0.weight");
    assert_eq!((theirs_dims, dims.clone()), (vec![2, dims[1]], vec![1, dims[1], 2]));
    assert_eq!(theirs[dims[1] + 3], ours[3 * 2 + 1]);
    let onnx = read("m.onnx");
    for name in ["pictures", "logits", "probabilities", "mapping.weight", "GlobalAveragePool", "classes"] {
        let there = onnx.windows(name.len()).any(|window| window == name.as_bytes());
        assert_eq!(there, name != "GlobalAveragePool", "{name}");
    }
    let neither = place.run(&["export", "run"]);
    assert_eq!(neither.code, Some(2));
}

#[test]
fn runs_stand_side_by_side() {
    let place = Place::with_pictures();
    let common = ["pictures", "--batch", "5"];
    place.trained(&[&common[..], &["--epochs", "1", "--run", "runs/first"]].concat());
    place.trained(
        &[&common[..], &["--epochs", "3", "--method", "label-only", "--run", "runs/second"]].concat(),
    );
    std::fs::create_dir(place.at("runs/no-run")).unwrap();
    let table = place.run(&["runs"]);
    assert_eq!(table.code, Some(0), "{}", table.err);
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", table.out);
    assert!(lines[1].starts_with("first") && lines[1].contains("diagonal"), "{}", table.out);
    assert!(lines[2].contains("label-only") && lines[2].contains("finished"), "{}", table.out);
    let list = json(&place, &["runs", "--sort", "accuracy", "--json"]);
    let scores: Vec<f64> =
        list.as_array().unwrap().iter().map(|run| run["test_balanced_accuracy"].as_f64().unwrap()).collect();
    assert!(scores.len() == 2 && scores[0] >= scores[1], "{list}");
    let nowhere = place.run(&["runs", "elsewhere"]);
    nowhere.refuses(&["elsewhere", "cannot be listed"]);
}

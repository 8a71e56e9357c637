//! Weights from elsewhere: an earlier run's, an export's, and a state dict's with other names.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::support::Place;

/// Name, dimensions and bits of every f32 tensor of a file.
fn tensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, view)| (name, (view.shape().to_vec(), view.data().to_vec())))
        .collect()
}

fn state(place: &Place, run: &str) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    tensors(&place.at(&format!("{run}/checkpoints/last.safetensors")))
}

/// A run of two epochs to begin with, and its weights for other programs.
fn place() -> Place {
    let place = Place::with_pictures();
    place.trained(&["pictures", "--epochs", "2", "--batch", "5", "--run", "old"]);
    let exported = place.run(&["export", "old", "--safetensors", "f.safetensors"]);
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    place
}

#[test]
fn a_frozen_f_of_a_run_an_export_or_a_state_dict_stays_what_it_was() {
    let place = place();
    // As another program would name them.
    let foreign = tensors(&place.at("f.safetensors"));
    let foreign: Vec<(String, _)> = foreign
        .iter()
        .map(|(name, tensor)| (name.replace("features.", "net.body.").replace("classifier", "fc"), tensor))
        .collect();
    let views = foreign
        .iter()
        .map(|(name, (dims, data))| (name, TensorView::new(Dtype::F32, dims.clone(), data).unwrap()));
    safetensors::serialize_to_file(views, None, &place.at("state.safetensors")).unwrap();

    let old = state(&place, "old");
    for (run, from, names) in [
        ("a", "old", None),
        ("b", "f.safetensors", None),
        ("c", "state.safetensors", Some("net.body=features")),
    ] {
        let mut arguments = vec!["pictures", "--epochs", "1", "--batch", "5", "--seed", "3", "--run", run];
        arguments.extend(["--init-from", from, "--freeze", "features"]);
        arguments.extend(names.iter().flat_map(|names| ["--init-names", names]));
        let answer = place.train(&arguments);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        assert!(answer.err.contains("features from"), "{}", answer.err);
        assert_eq!(answer.err.contains("not taken: fc."), run == "c", "{}", answer.err);
        let new = state(&place, run);
        for (name, tensor) in new.iter().filter(|(name, _)| !name.contains("stage")) {
            assert_eq!(old[name] == *tensor, name.starts_with("features."), "{run}: {name}");
        }
    }
    // All three began with the same values, and so did all that followed.
    assert_eq!(state(&place, "a"), state(&place, "b"));
    assert_eq!(state(&place, "a"), state(&place, "c"));
    // What was begun with is in the checkpoint: the file is not needed to go on.
    for (run, file) in [("a", None), ("b", Some("f.safetensors"))] {
        file.into_iter().for_each(|file| std::fs::remove_file(place.at(file)).unwrap());
        let answer = place.run(&["train", "--resume", run, "--epochs", "2", "--json", "--device", "cpu"]);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
    }
    assert_eq!(state(&place, "a"), state(&place, "b"));

    // The config of a run begins a new one, which may take other parts.
    let arguments = ["--config", "a/config.toml", "--init-parts", "features,classifier", "--run", "e"];
    place.trained(&arguments);
    let answer = place.run(&["compare", "pictures", "--config", "a/config.toml", "--device", "cpu"]);
    assert!(answer.err.contains("begins with random weights; leave [init] out"), "{}", answer.err);

    // Its other weights train on from where they were.
    place.trained(&[
        "pictures",
        "--epochs",
        "1",
        "--batch",
        "5",
        "--run",
        "d",
        "--init-from",
        "old",
        "--init-parts",
        "features,mapping,classifier",
        "--label-lr",
        "0",
        "--alignment-lr",
        "0",
    ]);
    for (name, tensor) in state(&place, "d").iter().filter(|(name, _)| !name.contains("stage")) {
        assert_eq!(old[name], *tensor, "{name}");
    }
}

#[test]
fn what_cannot_be_begun_with_is_named_with_a_remedy() {
    let place = place();
    place.write("weights.pt", b"PK\x03\x04");
    for (arguments, words) in [
        (&["--init-from", "gone"][..], ["gone", "cannot be read"]),
        (&["--init-from", "weights.pt"], ["PyTorch pickle", "safetensors.torch.save_file"]),
        (&["--init-from", "pictures"], ["is no run folder", "config.toml"]),
        (
            &["--init-from", "old", "--network", "tiny"],
            ["features.0.weight", "use the network that the weights belong to"],
        ),
        (
            &["--init-from", "f.safetensors", "--init-names", "conv=features.0"],
            ["conv=features.0", "no tensor `conv`"],
        ),
        (&["--init-parts", "features"], ["--init-parts", "add --init-from"]),
        (
            &["--init-from", "old", "--init-names", "a=features.0,a=features.2"],
            ["--init-names", "one name of the file to two layers"],
        ),
        (
            &["--init-from", "old", "--init-parts", "mapping", "--method", "label-only"],
            ["no weights in its mapping", "--init-parts"],
        ),
        (&["--freeze", "mapping"], ["freeze is mapping", "--method label-only"]),
        (
            &["--freeze", "features,classifier", "--method", "label-only"],
            ["freeze is features, classifier", "nothing left to update"],
        ),
    ] {
        let answer =
            place.run(&[&["train", "pictures", "--device", "cpu", "--batch", "5"], arguments].concat());
        assert!(matches!(answer.code, Some(1 | 2)), "{arguments:?}: {}", answer.err);
        for word in words {
            assert!(answer.err.contains(word), "{arguments:?}: {word}: {}", answer.err);
        }
        assert!(
            !place.at("runs").exists() || std::fs::read_dir(place.at("runs")).unwrap().count() == 0,
            "{arguments:?}"
        );
    }
    let answer = place.run(&["train", "--resume", "old", "--freeze", "features"]);
    assert!(answer.err.contains("--freeze cannot change in the middle of a run"), "{}", answer.err);
}

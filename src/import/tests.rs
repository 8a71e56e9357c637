use super::*;
use crate::export::Model;
use crate::model::{Layer, MapShape, Mapping, ModelConfig, Preset, initial_weights};

const INPUT: MapShape = MapShape { height: 16, width: 16, channels: 3 };

/// A network with running statistics, a block with a shortcut, and a matrix behind a map.
fn network(mapping: Mapping) -> Network {
    let features = toml::from_str::<ModelConfig>(
        "mapping = \"none\"\nfeatures = [{ conv = { out = 4, kernel = 3, padding = 1 } }, \"batch_norm\", \"relu\", \
         { residual = { layers = [{ conv = { out = 6, kernel = 3, padding = 1 } }, { group_norm = { groups = 2 } }] } }, \
         { max_pool = { kernel = 2 } }]\nclassifier = [{ linear = { out = 5 } }, \"relu\", \"output\"]",
    );
    Network::new(&ModelConfig { mapping, ..features.unwrap() }, INPUT, 3, 1).unwrap()
}

/// Values that differ everywhere, zeros and ones of a start included.
fn weights(network: &Network, seed: u64) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let tensors = network.parameters().into_iter().chain(network.running());
    let dims: BTreeMap<String, Vec<usize>> =
        tensors.map(|tensor| (tensor.name.clone(), [&[1], &tensor.dims[..]].concat())).collect();
    let named = initial_weights(network, &[seed]).into_iter().enumerate().map(|(n, (name, values))| {
        let values = values.iter().enumerate().map(|(i, v)| v + n as f32 + 1e-3 * i as f32).collect();
        (name.clone(), (dims[&name].clone(), values))
    });
    named.collect()
}

fn written(name: &str, bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

fn exported(network: &Network, seed: u64) -> (tempfile::TempDir, PathBuf) {
    let weights = weights(network, seed);
    written("f.safetensors", &Model { network, tensors: &weights }.safetensors(&[]).unwrap())
}

fn from(path: &Path) -> Initial {
    Initial { from: Some(path.to_owned()), ..Initial::default() }
}

fn everything(path: &Path) -> Initial {
    Initial { parts: Part::ALL.into(), ..from(path) }
}

fn refused(initial: &Initial, network: &Network) -> String {
    initial.read(network).unwrap_err().to_string()
}

#[test]
fn what_is_exported_comes_back_to_the_bit_for_every_kind_of_layer() {
    for mapping in [Mapping::None, Mapping::Diagonal, Mapping::Dense, Mapping::Conv1x1, Mapping::Gate] {
        let network = network(mapping);
        let (_folder, path) = exported(&network, 1);
        let imported = everything(&path).read(&network).unwrap().unwrap();
        let expected = weights(&network, 1);
        assert_eq!(imported.weights.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
        for (name, (_, values)) in &imported.weights {
            assert_eq!(*values, expected[name].1, "{mapping} {name}");
        }
        assert!(imported.zero_biases.is_empty() && imported.left.is_empty());
    }
}

#[test]
fn a_checkpoint_gives_its_features_and_nothing_of_its_optimiser() {
    let network = network(Mapping::Diagonal);
    let mut tensors = weights(&network, 2);
    tensors.insert("stage1.m.features.0.weight".to_owned(), (vec![1, 2], vec![f32::NAN, 0.0]));
    let (_folder, path) = written("last.safetensors", b"");
    let checkpoint = Checkpoint { epoch: 3, tensors, ..Checkpoint::default() };
    checkpoint.save(&path).unwrap();
    let imported = from(&path).read(&network).unwrap().unwrap();
    assert!(imported.weights.keys().all(|name| name.starts_with("features.")) && imported.left.is_empty());
    assert!(imported.weights.contains_key("features.1.running_mean"));

    let start = Checkpoint { tensors: weights(&network, 9), ..Checkpoint::default() };
    let begun = imported.into_start(&start, 1);
    for (name, tensor) in &begun.tensors {
        let source = if name.starts_with("features.") { &checkpoint.tensors } else { &start.tensors };
        assert_eq!(*tensor, source[name], "{name}");
    }
    let two = Checkpoint {
        tensors: BTreeMap::from([("features.0.weight".to_owned(), (vec![2, 1], vec![0.0; 2]))]),
        ..Checkpoint::default()
    };
    two.save(&path).unwrap();
    assert!(refused(&from(&path), &network).contains("holds 2 models"));
}

#[test]
fn every_replica_begins_with_the_same_weights() {
    let network = network(Mapping::None);
    let (_folder, path) = exported(&network, 1);
    let imported = from(&path).read(&network).unwrap().unwrap();
    let single = imported.weights["features.0.bias"].1.clone();
    let start = Checkpoint {
        tensors: BTreeMap::from([("features.0.bias".to_owned(), (vec![2, 4], vec![0.0; 8]))]),
        ..Checkpoint::default()
    };
    assert_eq!(imported.into_start(&start, 2).tensors["features.0.bias"].1, [&single[..], &single].concat());
}

/// A state dict whose names are others, with a matrix of one type more and without a bias.
fn foreign() -> (tempfile::TempDir, PathBuf) {
    use safetensors::{Dtype, tensor::TensorView};
    let single: Vec<u8> = (0..4 * 27).flat_map(|i| (i as f32).to_le_bytes()).collect();
    let double: Vec<u8> = (0..4).flat_map(|i| (0.5 * f64::from(i)).to_le_bytes()).collect();
    let half: Vec<u8> =
        (0..4).flat_map(|i| ((i as f32).to_bits() >> 16).to_le_bytes()[..2].to_vec()).collect();
    let count = 7i64.to_le_bytes();
    let tensors = [
        ("stem.conv.weight", Dtype::F32, vec![4, 3, 3, 3], &single[..]),
        ("stem.bn.weight", Dtype::BF16, vec![4], &half),
        ("stem.bn.bias", Dtype::F64, vec![4], &double),
        ("stem.bn.running_mean", Dtype::F32, vec![4], &single[..16]),
        ("stem.bn.running_var", Dtype::F64, vec![4], &double),
        ("stem.bn.num_batches_tracked", Dtype::I64, vec![], &count),
        ("head.weight", Dtype::F16, vec![2, 2], &half),
    ];
    let views = tensors.map(|(name, dtype, dims, data)| (name, TensorView::new(dtype, dims, data).unwrap()));
    written("net.safetensors", &safetensors::serialize(views, None).unwrap())
}

fn stem() -> Network {
    let features = vec![Layer::Conv(crate::model::Conv { out: 4, ..conv() }), Layer::BatchNorm, Layer::Relu];
    let model = ModelConfig { features, ..ModelConfig::preset(Preset::Tiny, Mapping::None) };
    Network::new(&model, INPUT, 2, 1).unwrap()
}

fn conv() -> crate::model::Conv {
    match &ModelConfig::preset(Preset::Tiny, Mapping::None).features[0] {
        Layer::Conv(conv) => crate::model::Conv { kernel: 3, ..*conv },
        other => panic!("{other:?}"),
    }
}

fn named(path: &Path, names: &[(&str, &str)]) -> Initial {
    let names = names.iter().map(|(theirs, ours)| ((*theirs).to_owned(), (*ours).to_owned())).collect();
    Initial { names, ..from(path) }
}

#[test]
fn a_state_dict_with_other_names_is_turned_into_ours() {
    let (network, (_folder, path)) = (stem(), foreign());
    let names = [("stem.conv", "features.0"), ("stem.bn", "features.1")];
    let imported = named(&path, &names).read(&network).unwrap().unwrap();
    // [o, c, y, x] at o = 1, c = 2, y = 0, x = 1 is [y, x, c, o] there.
    assert_eq!(imported.weights["features.0.weight"].1[(3 + 2) * 4 + 1], 27.0 + 18.0 + 1.0);
    assert_eq!(imported.weights["features.0.bias"].1, [0.0; 4]);
    assert_eq!(imported.weights["features.1.weight"].1, [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(imported.weights["features.1.running_var"].1, [0.0, 0.5, 1.0, 1.5]);
    assert_eq!(imported.zero_biases, ["features.0.bias"]);
    assert_eq!(imported.left, ["head.weight"]);

    // A longer name wins: the mean is another tensor's.
    let names = [
        &names[..],
        &[("stem.bn.bias", "features.1.running_mean"), ("stem.bn.running_mean", "features.1.bias")],
    ];
    let swapped = named(&path, &names.concat()).read(&network).unwrap().unwrap();
    let (old, new) = (&imported.weights, &swapped.weights);
    assert_ne!(old["features.1.bias"], new["features.1.bias"]);
    assert_eq!(old["features.1.bias"], new["features.1.running_mean"]);
    assert_eq!(old["features.1.running_mean"], new["features.1.bias"]);
    assert_ne!(swapped.digest, imported.digest);
}

#[test]
fn what_does_not_fit_is_named_with_a_remedy() {
    let (network, (_folder, path)) = (stem(), foreign());
    let message = refused(&from(&path), &network);
    assert!(message.contains("`features.0.weight` [4, 3, 3, 3]"), "{message}");
    assert!(
        message.contains("it has stem.conv.weight [4, 3, 3, 3], "),
        "those that fit come first: {message}"
    );
    assert!(message.contains("--init-names THEIRS=features.0"), "{message}");

    let message = refused(&named(&path, &[("stem.cnv", "features.0")]), &network);
    assert!(message.contains("no tensor `stem.cnv`"), "{message}");
    let message = refused(&named(&path, &[("stem.conv", "features.7")]), &network);
    assert!(message.contains("no layer `features.7`; it has features.0, features.1"), "{message}");
    let both = [("stem.conv", "features.0"), ("stem.bn", "features.0")];
    assert!(refused(&named(&path, &both), &network).contains("would both be `features.0.weight`"));

    let names = [("stem.conv", "features.1"), ("stem.bn", "features.0")];
    let message = refused(&named(&path, &names), &network);
    assert!(
        message.contains("`stem.bn.weight` has dimensions [4]") && message.contains("[4, 3, 3, 3]"),
        "{message}"
    );

    let names = [("head", "features.1"), ("stem.conv", "features.0")];
    let message = refused(&named(&path, &names), &network);
    assert!(message.contains("`head.weight` has type F16") && message.contains("float32"), "{message}");
}

#[test]
fn files_that_are_no_weights_say_what_they_are() {
    let network = stem();
    let message = refused(&from(Path::new("/nowhere/f.safetensors")), &network);
    assert!(message.contains("/nowhere/f.safetensors") && message.contains("run folder"), "{message}");
    let (_folder, path) = written("model.pt", b"PK\x03\x04 and so on");
    assert!(refused(&from(&path), &network).contains("safetensors.torch.save_file"));
    let (_folder, path) = written("f.safetensors", b"x");
    assert!(refused(&from(&path), &network).contains("damaged"));

    let mut bad = weights(&network, 1);
    bad.get_mut("features.0.weight").unwrap().1[5] = f32::INFINITY;
    let file = Model { network: &network, tensors: &bad }.safetensors(&[]).unwrap();
    let (_folder, path) = written("f.safetensors", &file);
    assert!(refused(&from(&path), &network).contains("`features.0.weight` holds a value that is not finite"));
}

#[test]
fn a_run_that_starts_again_notices_other_weights() {
    let network = stem();
    let (_folder, path) = exported(&network, 1);
    let digest = Some(from(&path).read(&network).unwrap().unwrap().digest);
    let again = Initial { digest, ..from(&path) };
    assert!(again.read(&network).is_ok());
    let (_folder, path) = exported(&network, 2);
    let message = refused(&Initial { from: Some(path), ..again }, &network);
    assert!(message.contains("other weights than when this run began"), "{message}");
    assert_eq!(Initial::default().read(&network).unwrap(), None);
}

//! The config as a commented file.

use super::Config;

/// Section, key, what it means, and an example for a key that may be left out.
const KEYS: &[(&str, &str, &str, &str)] = &[
    (
        "data",
        "path",
        "A folder with one sub-folder of pictures per class (or with train/, val/ and test/ that hold such\n\
         folders), another layout or list of pictures, or a built-in set such as \"triangles:ES\". DATA on the\n\
         command line wins.",
        "\"pictures\"",
    ),
    (
        "data",
        "format",
        "How the files are laid out: \"folder\", \"csv\", \"jsonl\", \"cub\" (CUB-200-2011), \"pet\" (Oxford-IIIT Pet),\n\
         \"idx\" (MNIST), \"coco\" or \"labelme\". Left out: what fits.",
        "\"folder\"",
    ),
    (
        "data",
        "size",
        "Height and width that every picture is resized to: 64, or \"48x64\". Left out: pictures stay as they\n\
         are, and must all have one size.",
        "64",
    ),
    ("data", "channels", "1 for grey, 3 for colour. Left out: grey if every picture is grey.", "3"),
    (
        "data",
        "mask_polarity",
        "Which pixels of a mask are the relevant ones: \"white\" or \"black\". Shapes and boxes are white inside.",
        "",
    ),
    (
        "data",
        "mask_threshold",
        "The value above which a mask is white, 0 to 254; or \"soft\", and masks keep their greys.",
        "",
    ),
    (
        "data",
        "unknown_pixels",
        "Unclassified pixels of a trimap: \"keep\" counts them as relevant, \"drop\" does not.",
        "",
    ),
    (
        "data",
        "alpha",
        "The alpha channel of a picture without a mask: its \"mask\" (opaque is relevant), or to \"ignore\".",
        "",
    ),
    (
        "data",
        "coco_label",
        "The class of a COCO picture: the \"largest\" category in it; its \"single\" one (pictures with several are\n\
         left out); or the name of a category, against all else.",
        "",
    ),
    ("data", "line_radius", "Radius of labelme's points, and half the width of its lines, in pixels.", ""),
    ("data", "allow_outside", "Lists may name files outside of the data's folder.", ""),
    ("data", "skip_unreadable", "Go on without files that cannot be read, with a warning.", ""),
    (
        "data",
        "val_share",
        "Share of the pictures split off for validation where the data have no such part; 0 for none.",
        "",
    ),
    ("data", "test_share", "Share split off for the test where the data have no such part.", ""),
    (
        "model",
        "preset",
        "A network by name: \"tiny\", \"reference\", \"small\" (wider, with group normalisation and dropout) or \"resnet\"\n\
         (residual blocks; pictures of up to 224x224). `features` and `classifier`, where given, replace its parts.",
        "\"reference\"",
    ),
    (
        "model",
        "features",
        "f, the feature extractor. Layers: { conv = { out = 16, kernel = 3, stride = 2, padding = 1 } },\n\
         { max_pool = { kernel = 2 } }, { linear = { out = 64 } }, { group_norm = { groups = 8 } },\n\
         \"batch_norm\", { dropout = 0.2 } (the share dropped, in stage 1 alone), \"relu\", \"average_pool\", and\n\
         { residual = { layers = [ ... ] } }: the layers' output plus their input, which goes through a 1x1\n\
         convolution (shortcut) where the layers change its shape. Left out: the preset's.",
        "[{ conv = { out = 16, kernel = 5, stride = 2, padding = 2 } }, \"relu\"]",
    ),
    (
        "model",
        "mapping",
        "m, the mapping layer, which explanations train: \"diagonal\", \"dense\", \"conv1x1\", \"gate\"\n\
         (looks at each picture; wants alignment_lr = 0.002 and alignment_epochs_first = 5), \"none\", or \"auto\":\n\
         gate where f(x) has 6×6 positions or more, else diagonal. Left out: diagonal where the method acts\n\
         through m, else none.",
        "\"diagonal\"",
    ),
    (
        "model",
        "classifier",
        "c, the classifier. Layers as in `features`; the last one is \"output\". Left out: the preset's.",
        "[\"average_pool\", \"output\"]",
    ),
    (
        "init",
        "from",
        "Weights to begin with: a run folder, a checkpoint of one, or a safetensors file of a PyTorch state dict\n\
         (pictures reach the network as values from -1 to 1). Left out: random ones.",
        "\"runs/earlier\"",
    ),
    (
        "init",
        "parts",
        "The parts that take weights from there: \"features\", \"mapping\", \"classifier\". The others begin at random.",
        "",
    ),
    (
        "init",
        "names",
        "Where the file has other names: its layers or tensors, each with the network's name for it, such as\n\
         { conv1 = \"features.0\" }. `rationale export --safetensors` shows the network's names.",
        "",
    ),
    ("init", "digest", "Of the weights taken; a run writes it, nobody has to.", "\"0123456789abcdef\""),
    (
        "train",
        "method",
        "\"two-stage\" (labels and explanations in turn), \"label-only\", \"joint\" (both losses in one step),\n\
         \"no-mapping\" (stage 2 updates f), \"grad-reg\" (penalty on the input gradient outside of the mask),\n\
         \"masked-copies\" (labels on masked copies too) or \"constrained\" (a bound on the alignment loss).",
        "",
    ),
    ("train", "epochs", "How often every training picture is seen.", ""),
    ("train", "batch", "Pictures in a batch.", ""),
    ("train", "label_lr", "Learning rate of stage 1, which learns from labels and updates f, m and c.", ""),
    ("train", "label_schedule", "How label_lr moves over the steps; values as for alignment_schedule.", ""),
    (
        "train",
        "label_warmup",
        "Epochs, such as 2 or 0.5, over which label_lr rises to its full size before its schedule begins; 0 for none.",
        "",
    ),
    (
        "train",
        "label_optimizer",
        "Optimiser of stage 1: kind \"adam\" or \"adamw\" (beta1, beta2, epsilon, weight_decay), or \"sgd\"\n\
         (momentum, nesterov, weight_decay).",
        "",
    ),
    (
        "train",
        "label_route",
        "What stage 1 updates, and a layer (stop_at = \"features.2\") past which no gradient goes.\n\
         Left out: everything.",
        "{ update = [\"features\", \"mapping\", \"classifier\"] }",
    ),
    (
        "train",
        "freeze",
        "Parts that no stage updates, such as an f from elsewhere: \"features\", \"mapping\" or \"classifier\". Left out:\n\
         none. Their dropout and normalisation act as in evaluation.",
        "[\"features\"]",
    ),
    (
        "train",
        "mapping_in_stage1",
        "What stage 1 does with m: \"update\" it, \"leave\" it, or leave it and take a gate as \"constant\";\n\
         \"auto\" updates a linear mapping and takes a gate as constant.",
        "",
    ),
    (
        "train",
        "alignment_lr",
        "Learning rate of stage 2, which learns from explanations and updates m alone (with \"no-mapping\" f, which\n\
         wants a far smaller one); of m with \"constrained\".",
        "",
    ),
    (
        "train",
        "alignment_schedule",
        "How alignment_lr moves, step by step: \"constant\", \"cosine\" or \"linear\" down to 0 after the last step, or\n\
         { step = { every = 10, factor = 0.5 } }, every in epochs.",
        "",
    ),
    (
        "train",
        "alignment_warmup",
        "The same for alignment_lr. Stage 2 alone at the start (alignment_epochs_first) has the rates of epoch 1.",
        "",
    ),
    ("train", "alignment_optimizer", "Optimiser of stage 2; kinds as above.", ""),
    (
        "train",
        "alternation",
        "When stage 2 has its turn: after every \"batch\" of stage 1, or after every \"epoch\".",
        "",
    ),
    ("train", "inner_steps", "Steps of stage 2 on each batch.", ""),
    (
        "train",
        "alignment_epochs_first",
        "Epochs of stage 2 alone at the start; they are a part of epoch 1.",
        "",
    ),
    (
        "train",
        "alignment_loss",
        "What stage 2 minimises between p = softmax(f(x')) and q = softmax(m(f(x))): \"kl\" (p to q),\n\
         \"reverse_kl\", \"jensen_shannon\", or the \"squared_distance\" of the maps themselves.",
        "",
    ),
    (
        "train",
        "alignment_axis",
        "Over what the softmax of stage 2 runs: all \"features\" of a picture, or the \"positions\" of each channel;\n\
         \"auto\" takes positions for a gate and features for a linear mapping.",
        "",
    ),
    ("train", "temperature", "T in softmax(z / T) of stage 2.", ""),
    (
        "train",
        "fill",
        "What stands outside of the mask in the masked picture: \"grey\", \"black\", \"white\", or the \"mean\" of\n\
         the training pictures.",
        "",
    ),
    ("train", "hard_masks", "Masks count as all or nothing, rather than in shades.", ""),
    (
        "train",
        "masks",
        "Whose mask explains a picture: its \"own\". As controls: \"other\" (another picture's) and \"ones\" (all\n\
         relevant); where these do as well, the explanations are not what helps.",
        "",
    ),
    ("train", "mask_dilation", "Pixels by which every mask grows in all directions.", ""),
    ("train", "mask_boxes", "Every mask becomes the smallest upright box around it.", ""),
    (
        "train",
        "class_weights",
        "One weight per class in the loss of stage 1, classes in natural order; [] for equal weights.",
        "",
    ),
    (
        "train",
        "balance_classes",
        "Weights the classes so that each counts the same in the loss of stage 1, however many pictures it has.",
        "",
    ),
    (
        "train",
        "lambda",
        "Weight of the alignment loss in \"joint\", of the penalty on the input gradient in \"grad-reg\".",
        "",
    ),
    ("train", "constraint", "epsilon of \"constrained\": the alignment loss that m has to reach.", ""),
    (
        "train",
        "multiplier_lr",
        "rho of \"constrained\": its multiplier mu grows by rho times (alignment loss - epsilon) after each batch.",
        "",
    ),
    (
        "train",
        "early_stopping",
        "Epochs without improvement on the validation pictures after which a run stops and takes its best weights:\n\
         5, for example; 0 to train to the last epoch.",
        "",
    ),
    (
        "train",
        "early_stopping_by",
        "What counts as an improvement: a higher balanced \"accuracy\", or a lower \"loss\" (cross-entropy).",
        "",
    ),
    (
        "train.augment",
        "flip",
        "Mirror images of the training pictures, and of their masks with them, each half of the time: \"none\",\n\
         \"horizontal\", \"vertical\" or \"both\". Not in evaluation. Like all below it is drawn anew for each picture in\n\
         each epoch from the seed of the order; where a picture ends, its edge goes on.",
        "",
    ),
    ("train.augment", "shift", "Pixels up, down and to the sides, at most: 0 to 1024, such as 2.", ""),
    ("train.augment", "rotate", "Degrees either way, at most: 0 to 180, such as 10.", ""),
    (
        "train.augment",
        "crop",
        "The least side of a part, as a share of the picture's, that is cut out anywhere and shown at full size:\n\
         0.1 to 1, such as 0.8; 1 for the whole picture.",
        "",
    ),
    (
        "train.augment",
        "brightness",
        "Pixel values times 1 - brightness to 1 + brightness, at most white: 0 to 1, such as 0.1.",
        "",
    ),
    (
        "seeds",
        "seed",
        "The seed that the three below are derived from. Same seeds, same device: same bits.",
        "",
    ),
    ("seeds", "data", "Generated pictures, and the split of a folder.", "1"),
    ("seeds", "init", "Initial weights.", "2"),
    ("seeds", "order", "The order of the pictures in each epoch.", "3"),
];

pub(super) fn render(config: &Config) -> String {
    let values = toml::Value::try_from(config).unwrap_or(toml::Value::Boolean(false));
    let mut text = String::from(
        "# Settings of a training run. Flags on the command line win over this file; a key that is left out\n\
         # has the value that `rationale init` writes.\n",
    );
    let mut last = "";
    for (section, key, meaning, example) in KEYS {
        if *section != last {
            text.push_str(&format!("\n[{section}]\n"));
            last = section;
        }
        for line in meaning.lines() {
            text.push_str(&format!("# {line}\n"));
        }
        let table = section.split('.').try_fold(&values, |table, name| table.get(name));
        match table.and_then(|table| table.get(key)) {
            Some(toml::Value::Array(layers)) if *section == "model" => {
                text.push_str(&format!("{key} = [\n"));
                layers.iter().for_each(|layer| text.push_str(&format!("    {layer},\n")));
                text.push_str("]\n");
            }
            Some(value) => text.push_str(&format!("{key} = {value}\n")),
            None => text.push_str(&format!("# {key} = {example}\n")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_and_every_explanation_has_its_key() {
        let mut full = Config::default();
        full.resolve();
        full.model.preset = Some(crate::model::Preset::Small);
        full.data.path = Some("x".to_owned());
        full.data.format = Some(crate::data::Format::Coco);
        full.data.size = Some(crate::cli::values::Size(1, 2));
        full.data.channels = Some(1);
        full.train.label_route = Some(crate::model::Route::stage1(true));
        full.train.freeze.insert(crate::plan::Part::Features);
        full.init.from = Some("x".into());
        full.init.digest = Some("x".to_owned());
        let value = toml::Value::try_from(&full).unwrap();
        let mut keys: Vec<(String, String)> = value
            .as_table()
            .unwrap()
            .iter()
            .flat_map(|(section, keys)| {
                keys.as_table().unwrap().iter().flat_map(move |(key, value)| match (key.as_str(), value) {
                    ("augment", toml::Value::Table(inner)) => {
                        inner.keys().map(|key| (format!("{section}.augment"), key.clone())).collect()
                    }
                    _ => vec![(section.clone(), key.clone())],
                })
            })
            .collect();
        let mut explained: Vec<(String, String)> =
            KEYS.iter().map(|(section, key, ..)| ((*section).to_owned(), (*key).to_owned())).collect();
        keys.sort();
        explained.sort();
        assert_eq!(keys, explained);
        assert_eq!(Config::parse(&render(&full), "x".as_ref()).unwrap(), full);
    }

    #[test]
    fn examples_of_open_keys_are_valid() {
        let uncommented: String = render(&Config::default())
            .lines()
            .map(|line| {
                let open = KEYS.iter().any(|(_, key, _, example)| {
                    !example.is_empty() && line == format!("# {key} = {example}")
                });
                if open { format!("{}\n", &line[2..]) } else { format!("{line}\n") }
            })
            .collect();
        let config = Config::parse(&uncommented, "x".as_ref()).unwrap();
        assert!(
            config.data.size.is_some()
                && config.train.label_route.is_some()
                && !config.train.freeze.is_empty()
                && config.init.from.is_some()
                && config.seeds.order.is_some()
        );
    }
}

use super::*;
use crate::train::Method;

fn refused(text: &str) -> String {
    Config::parse(text, "my.toml".as_ref()).unwrap_err().to_string()
}

#[test]
fn the_commented_config_is_the_default_one() {
    let text = Config::default().render();
    assert_eq!(Config::parse(&text, "x".as_ref()).unwrap(), Config::default());
    assert_eq!(Config::parse("", "x".as_ref()).unwrap(), Config::default());
}

#[test]
fn a_misspelt_key_finds_its_word() {
    let message = refused("[data]\n\n[train]\nbatch = 3\nepohcs = 7\n");
    assert_eq!(message, "my.toml, line 5: there is no key `epohcs` in [train]; did you mean `epochs`?");
    let message = refused("[trian]\nepochs = 7\n");
    assert!(message.contains("`trian`") && message.contains("`train`?"), "{message}");
    let message = refused("[train]\nmethod = \"twostage\"\n");
    assert!(message.contains("line 2") && message.contains("`two-stage`?"), "{message}");
    let message = refused("[model]\nfeatures = [{ conv = { out = 4, kernle = 3 } }]\n");
    assert!(message.contains("`kernle`") && message.contains("`kernel`?"), "{message}");
    let message = refused("[train]\nlabel_optimizer = { kind = \"adam\", beta = 0.5 }\n");
    assert!(message.contains("`beta`") && message.contains("`beta1`?"), "{message}");
    let message = refused("[train]\nwavelength = 2\n");
    assert!(message.contains("known are `method`"), "{message}");
}

#[test]
fn other_mistakes_name_file_and_line() {
    let message = refused("[train]\nepochs = \"many\"\n");
    assert!(message.starts_with("my.toml, line 2: ") && message.contains("string"), "{message}");
    let message = refused("[seeds]\nseed = -1\n");
    assert!(message.contains("`-1` is no seed"), "{message}");
    let message = refused("[train\nepochs = 1\n");
    assert!(message.starts_with("my.toml, line 1"), "{message}");
    let message = refused("[data]\nsize = \"big\"\n");
    assert!(message.contains("HEIGHTxWIDTH"), "{message}");
}

#[test]
fn the_method_decides_on_a_mapping_that_was_left_open() {
    let mut config = Config::default();
    assert_eq!(config.model().mapping, Mapping::Diagonal);
    config.train.method = Method::LabelOnly;
    assert_eq!(config.model().mapping, Mapping::None);
    config.model.mapping = Some(Mapping::Dense);
    assert_eq!(config.model().mapping, Mapping::Dense);
}

#[test]
fn auto_takes_the_gate_on_maps_that_can_hold_it_and_says_so() {
    let auto = || {
        let mut config = Config::default();
        config.model.mapping = Some(Mapping::Auto);
        config
    };
    let mut large = auto();
    let chosen = large.settle_mapping(8, 8).unwrap();
    assert!(chosen.contains("gate") && chosen.contains("8×8") && chosen.contains("0.002"), "{chosen}");
    assert_eq!(large.model().mapping, Mapping::Gate);
    assert_eq!((large.train.alignment_lr, large.train.alignment_epochs_first), (2e-3, 5));
    assert_eq!(large.settle_mapping(8, 8), None);

    let mut small = auto();
    assert!(small.settle_mapping(4, 4).unwrap().starts_with("diagonal"));
    assert_eq!(small.train, Config::default().train);

    let mut own_rate = auto();
    own_rate.train.alignment_lr = 0.5;
    own_rate.settle_mapping(8, 8);
    assert_eq!((own_rate.train.alignment_lr, own_rate.train.alignment_epochs_first), (0.5, 0));
}

#[test]
fn resolving_changes_nothing_but_what_was_open() {
    let mut config =
        Config { seeds: SeedSection { seed: Seed(7), ..Default::default() }, ..Default::default() };
    config.seeds.order = Some(Seed(u64::MAX));
    let seeds = config.seeds();
    assert_eq!(seeds.order, u64::MAX);
    assert_eq!(seeds.init, Seeds::from_seed(7).init);
    let digest = config.digest();
    config.resolve();
    assert_eq!((config.seeds(), config.digest()), (seeds, digest.clone()));
    assert_eq!(Config::parse(&config.render(), "x".as_ref()).unwrap(), config);
    config.train.epochs += 1;
    assert_eq!(config.digest(), digest);
    config.train.label_lr *= 2.0;
    assert_ne!(config.digest(), digest);
}

#[test]
fn shares_are_what_people_write() {
    assert_eq!(
        Config::default().read_options(),
        ReadOptions { seed: Config::default().seeds().data, ..Default::default() }
    );
}

#[test]
fn a_preset_gives_the_layers_that_nobody_named_and_a_run_keeps_the_layers_themselves() {
    let network = |text: &str| Config::parse(text, "x".as_ref()).unwrap();
    let mut tiny = network("[model]\npreset = \"tiny\"\n");
    assert_eq!(tiny.model(), ModelConfig::preset(Preset::Tiny, Mapping::Diagonal));
    let own = network("[model]\npreset = \"resnet\"\nclassifier = [\"output\"]\n");
    assert_eq!(own.model().classifier, [Layer::Output]);
    assert_eq!(own.model().features, ModelConfig::preset(Preset::Resnet, Mapping::None).features);
    assert_eq!(network("[model]\nmapping = \"dense\"\n").model(), ModelConfig::reference(Mapping::Dense));
    assert!(refused("[model]\npreset = \"resnt\"\n").contains("`resnet`?"));

    let (model, digest) = (tiny.model(), tiny.digest());
    tiny.resolve();
    assert_eq!((tiny.model.preset, tiny.model(), tiny.digest()), (None, model, digest));
    assert_eq!(network(&tiny.render()), tiny);
}

#[test]
fn new_layers_are_written_as_they_are_read() {
    let text = "[model]\nfeatures = [{ conv = { out = 8, kernel = 3 } }, \"batch_norm\", { dropout = 0.2 }, \
                { residual = { layers = [{ group_norm = { groups = 4 } }, \"relu\"] } }]\n";
    let mut config = Config::parse(text, "x".as_ref()).unwrap();
    let features = config.model().features;
    assert_eq!(features[1..3], [Layer::BatchNorm, Layer::Dropout(0.2)]);
    config.resolve();
    assert_eq!(Config::parse(&config.render(), "x".as_ref()).unwrap().model().features, features);
}

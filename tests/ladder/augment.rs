//! Augmentation in training: the same bits again, the same geometry for x and x', the same pictures on every device.

use rationale::exec::Device;
use rationale::model::Mapping;
use rationale::plan::Variants;
use rationale::random::Seeds;
use rationale::train::{
    Alternation, Augmentation, Checkpoint, MaskSource, TrainConfig, Trainer, augmented, digest,
};

use crate::support;

fn everything() -> Augmentation {
    "flip=both,shift=3,rotate=20,crop=0.7,brightness=0.2".parse().unwrap()
}

fn run(
    device: &Device,
    config: &TrainConfig,
    seeds: &[Seeds],
    epochs: usize,
    from: Option<&Checkpoint>,
) -> Checkpoint {
    let (data, model) = (support::pictures(20), support::small_model(Mapping::Diagonal));
    let mut trainer = Trainer::new(device, &model, config, &data, seeds, &Variants::new()).unwrap();
    if let Some(checkpoint) = from {
        trainer.restore(checkpoint).unwrap();
    }
    while trainer.epoch() < epochs {
        trainer.train_epoch().unwrap();
    }
    trainer.checkpoint().clone()
}

#[test]
fn augmented_runs_repeat_resume_and_have_replicas_that_equal_single_runs() {
    let config = TrainConfig { augment: everything(), ..support::small_config() };
    for device in support::devices() {
        let seeds = [11, 12].map(Seeds::from_seed);
        let whole = run(&device, &config, &seeds, 2, None);
        let resumed = run(&device, &config, &seeds, 2, Some(&run(&device, &config, &seeds, 1, None)));
        assert_eq!(digest(&whole.tensors), digest(&resumed.tensors), "{}", device.title());
        let plain = run(&device, &support::small_config(), &seeds, 2, None);
        assert_ne!(digest(&whole.tensors), digest(&plain.tensors), "{}", device.title());
        for (r, seed) in seeds.iter().enumerate() {
            for (name, (_, values)) in run(&device, &config, &[*seed], 2, None).tensors {
                let own = &whole.tensors[&name].1[r * values.len()..][..values.len()];
                let same = own.iter().zip(&values).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same, "{}: replica {r}, {name}", device.title());
            }
        }
    }
}

/// With masks of ones x' is x, and m begins as the identity: the alignment loss is 0 if, and only if, both stages and both
/// pictures of stage 2 are turned alike.
#[test]
fn x_and_its_masked_copy_are_turned_alike() {
    for device in support::devices() {
        for alternation in [Alternation::Batch, Alternation::Epoch] {
            let config = TrainConfig {
                augment: everything(),
                alternation,
                masks: MaskSource::Ones,
                label_lr: 0.0,
                alignment_lr: 0.0,
                ..support::small_config()
            };
            let (data, model) = (support::pictures(20), support::small_model(Mapping::Diagonal));
            let seeds = [Seeds::from_seed(1)];
            let mut trainer =
                Trainer::new(&device, &model, &config, &data, &seeds, &Variants::new()).unwrap();
            let report = trainer.train_epoch().unwrap();
            assert_eq!(report.alignment_loss, Some(vec![0.0]), "{}", device.title());
        }
    }
}

#[test]
fn evaluation_sees_pictures_as_they_are() {
    let (data, model) = (support::pictures(20), support::small_model(Mapping::Diagonal));
    let evaluated = |augment| {
        let config = TrainConfig { augment, ..support::small_config() };
        let seeds = [Seeds::from_seed(1)];
        let mut trainer =
            Trainer::new(&support::cpu(), &model, &config, &data, &seeds, &Variants::new()).unwrap();
        trainer.add_dataset("test", &data).unwrap();
        trainer.evaluate("test").unwrap()
    };
    assert_eq!(evaluated(everything()), evaluated(Augmentation::default()));
}

#[test]
fn every_device_turns_pictures_alike() {
    let Some(gpu) = support::gpu() else { return };
    let data = support::pictures(6);
    let config = TrainConfig { augment: everything(), ..support::small_config() };
    let [a, b] = [support::cpu(), gpu].map(|device| augmented(&device, &config, &data, 4, 9).unwrap());
    // Masks are looked up and hard: equal to the bit. Pixels are blended: the bound of the kernels' cases, in [0, 1].
    assert_eq!(a.masks, b.masks);
    let bound = 12.0 * f32::EPSILON;
    assert!(a.pixels.iter().zip(&b.pixels).all(|(a, b)| (a - b).abs() <= bound));
    assert!(a.masks.chunks(32 * 32).any(|mask| mask != data.mask(0)));
}

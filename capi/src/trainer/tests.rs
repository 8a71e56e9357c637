use super::*;

const SIDE: usize = 12;
const PICTURES: usize = 20;
const SETTINGS: &str =
    "seed = 5\n[train]\nbatch = 6\nepochs = 4\nalternation = \"epoch\"\nalignment_epochs_first = 1\n";
/// Two passes over four batches, and in the first epoch stage 2 alone before them.
const BATCHES: [u64; 2] = [12, 8];

fn picture(number: usize) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| (i * (7 + 3 * number) % 251) as u8).collect()
}

fn mask(number: usize) -> Vec<u8> {
    (0..SIDE * SIDE).map(|i| if i % SIDE > number % SIDE { 255 } else { 0 }).collect()
}

fn trainer() -> Trainer {
    let mut trainer = Trainer::new("cpu", [SIDE, SIDE, 1], 2, SETTINGS).unwrap();
    for i in 0..PICTURES {
        let mask = (i % 3 > 0).then(|| mask(i));
        trainer.add(&picture(i), (i % 2) as u32, mask.as_deref()).unwrap();
    }
    trainer
}

/// One batch after the other up to the end of an epoch.
fn train_to(trainer: &mut Trainer, epoch: u64) {
    while trainer.step(Duration::ZERO).unwrap().epoch < epoch {}
}

fn weights(trainer: &Trainer) -> String {
    train::digest(&trainer.state.as_ref().unwrap().tensors)
}

#[test]
fn slices_have_the_bits_of_whole_epochs_and_say_where_they_are() {
    let mut sliced = trainer();
    for (epoch, batches) in (0..).zip(BATCHES) {
        for batch in 1..batches {
            let progress = sliced.step(Duration::ZERO).unwrap();
            assert_eq!((progress.epoch, progress.batch, progress.batches), (epoch, batch, batches));
            assert_eq!(progress.label_loss.is_nan(), epoch == 0);
        }
        let progress = sliced.step(Duration::ZERO).unwrap();
        assert_eq!((progress.epoch, progress.batch, progress.batches), (epoch + 1, 0, BATCHES[1]));
        assert!(progress.label_loss.is_finite() && progress.alignment_loss.is_finite());
    }
    let Trainer { device, settings, data, .. } = &trainer();
    let config = TrainConfig { batch: 6, ..settings.train.clone() };
    let (seeds, variants) = ([settings.seeds()], Variants::new());
    let mut whole = train::Trainer::new(device, &settings.model, &config, data, &seeds, &variants).unwrap();
    whole.train_epoch().unwrap();
    whole.train_epoch().unwrap();
    assert_eq!(weights(&sliced), train::digest(&whole.checkpoint().tensors));
}

#[test]
fn what_is_saved_within_an_epoch_is_its_begin_and_leads_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut first = trainer();
    train_to(&mut first, 1);
    let begin = weights(&first);
    for _ in 0..3 {
        first.step(Duration::ZERO).unwrap();
    }
    first.save(&path).unwrap();
    let mut second = trainer();
    second.load(&path).unwrap();
    assert_eq!(weights(&second), begin);
    train_to(&mut first, 2);
    train_to(&mut second, 2);
    assert_ne!(weights(&first), begin);
    assert_eq!(weights(&second), weights(&first));
}

#[test]
fn a_mask_within_an_epoch_counts_from_the_next_one_on() {
    let [within, between, never] = [Some(5), Some(BATCHES[0]), None].map(|at| {
        let mut trainer = trainer();
        for batch in 0..BATCHES[0] + BATCHES[1] {
            if Some(batch) == at {
                trainer.set_mask(0, Some(&mask(4))).unwrap();
            }
            trainer.step(Duration::ZERO).unwrap();
        }
        assert_eq!(trainer.last.epoch, 2);
        weights(&trainer)
    });
    assert_eq!(within, between);
    assert_ne!(within, never);
}

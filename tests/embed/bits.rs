//! The same bits as the ordinary trainer, in whatever slices; and nothing read back that nobody asked for.

use std::rc::Rc;
use std::time::Duration;

use rationale::embed::{Counters, EmbedError, Mask, Picture, Setup, Subject, Trainer};
use rationale::exec::Device;
use rationale::gpu::Gpu;
use rationale::model::Mapping;
use rationale::plan::{Part, Variants};
use rationale::train::{self, Alternation, Checkpoint, EpochReport, Method, TrainConfig};
use rationale::wgpu;

use crate::support::{self, Host};

const PICTURES: usize = 21;

/// What the ordinary trainer makes of the same settings on the same device: its state, and the report of its last epoch.
fn ordinary(host: &Host, setup: &Setup, epochs: usize) -> (Checkpoint, EpochReport) {
    let gpu = Rc::new(Gpu::borrow(host.device.clone(), host.queue.clone(), "the host's".to_owned()));
    let device = Device::Gpu { gpu, report: Box::new(host.report.clone()), reason: String::new() };
    let data = support::pictures(PICTURES);
    let (model, config, seeds) = (&setup.model, &setup.training, [setup.seeds]);
    let mut trainer = train::Trainer::new(&device, model, config, &data, &seeds, &Variants::new()).unwrap();
    let mut report = None;
    for _ in 0..epochs {
        report = Some(trainer.train_epoch().unwrap());
    }
    (trainer.checkpoint().clone(), report.unwrap())
}

fn state(host: &Host, trainer: &mut Trainer) -> Checkpoint {
    trainer.finish_batch().unwrap();
    let mut snapshot = trainer.snapshot().unwrap();
    assert!(snapshot.take().unwrap().is_none_or(|_| true));
    host.wait();
    snapshot.take().unwrap().expect("it is there after a wait").checkpoint().clone()
}

fn methods() -> Vec<(Mapping, TrainConfig)> {
    let small = support::setup(Mapping::Diagonal, 32).training;
    vec![
        (Mapping::Diagonal, small.clone()),
        (
            Mapping::Gate,
            TrainConfig { alternation: Alternation::Epoch, alignment_epochs_first: 1, ..small.clone() },
        ),
        (Mapping::Dense, TrainConfig { method: Method::Joint, ..small.clone() }),
        (Mapping::Diagonal, TrainConfig { method: Method::Constrained, ..small.clone() }),
        (Mapping::None, TrainConfig { method: Method::GradReg, ..small.clone() }),
        (Mapping::None, TrainConfig { method: Method::LabelOnly, ..small }),
    ]
}

#[test]
fn a_step_within_ends_between_two_training_steps() {
    let Some(host) = support::host() else { return };
    let setup = support::setup(Mapping::Diagonal, PICTURES);
    let mut trainer = support::trainer(&host, &setup, &support::pictures(PICTURES));
    assert!(trainer.between_steps());
    trainer.step(Duration::ZERO).unwrap();
    for step in 1..=2 {
        while trainer.progress().steps < step {
            // There would be time for all of the epoch.
            trainer.step_within(Duration::from_secs(60)).unwrap();
            host.wait();
        }
        assert!(trainer.between_steps());
        assert_eq!(trainer.progress().steps, step);
    }
}

#[test]
fn slices_give_the_bits_and_the_figures_of_the_ordinary_trainer() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(PICTURES);
    for (mapping, training) in methods() {
        let what = format!("{} with mapping {mapping}", training.method);
        // More places than pictures: that changes nothing either.
        let setup = Setup { training, ..support::setup(mapping, PICTURES + 6) };
        let (expected, report) = ordinary(&host, &setup, 2);
        for budget in [Duration::from_micros(1), support::BUDGET, Duration::from_millis(500)] {
            let mut trainer = support::trainer(&host, &setup, &data);
            support::train(&mut trainer, 2, budget);
            trainer.request_statistics().unwrap();
            let found = state(&host, &mut trainer);
            let statistics = trainer.statistics().unwrap().expect("it is there after a wait");
            let last = statistics.last.as_ref().expect("two epochs are over");
            assert_eq!(last.epoch, 2, "{what}");
            assert_eq!(last.label_loss, report.label_loss[0], "{what}");
            assert_eq!(last.alignment_loss, report.alignment_loss.as_ref().map(|loss| loss[0]), "{what}");
            assert_eq!(last.accuracy, report.train_accuracy[0], "{what}");
            assert_eq!(found.tensors.len(), expected.tensors.len(), "{what}");
            for (name, values) in &expected.tensors {
                assert_eq!(&found.tensors[name], values, "{what}, `{name}`, budget {budget:?}");
            }
        }
    }
}

#[test]
fn recorded_into_the_hosts_encoder_it_gives_the_same_bits() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(PICTURES);
    let setup = support::setup(Mapping::Diagonal, PICTURES);
    let (expected, _) = ordinary(&host, &setup, 2);
    let mut trainer = support::trainer(&host, &setup, &data);
    let submissions = trainer.counters().submissions;
    while trainer.progress().epoch <= 2 {
        let mut encoder = host.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let progress = trainer.record(&mut encoder, Duration::from_micros(300)).unwrap();
        assert!(progress.submitted > 0);
        host.queue.submit([encoder.finish()]);
    }
    assert_eq!(trainer.counters().submissions, submissions, "recording submits nothing");
    assert_eq!(state(&host, &mut trainer).tensors, expected.tensors);
}

#[test]
fn a_thousand_calls_that_did_not_ask_map_and_copy_nothing() {
    let Some(host) = support::host() else { return };
    let setup = support::setup(Mapping::Diagonal, 16);
    let mut trainer = support::trainer(&host, &setup, &support::pictures(16));
    let before = trainer.counters();
    let (mut submitted, mut call) = (0, 0);
    while call < 1000 || trainer.progress().epoch < 3 {
        call += 1;
        submitted += trainer.step(Duration::from_micros(500)).unwrap().submitted;
        if call % 100 == 0 {
            trainer.set_label(3, Some(call / 100 % 2)).unwrap();
            trainer.set_mask(3, Mask::Bytes(&[255; 1024])).unwrap();
        }
    }
    let Counters { maps, copies_to_host, commands, .. } = trainer.counters();
    assert_eq!((maps, copies_to_host), (0, 0));
    assert_eq!(commands - before.commands, submitted as u64);
    // The counter counts.
    trainer.request_statistics().unwrap();
    trainer.request_statistics().unwrap();
    assert_eq!((trainer.counters().maps, trainer.counters().copies_to_host), (1, 4));
    host.wait();
    let statistics = trainer.statistics().unwrap().expect("it is there after a wait").clone();
    assert!(statistics.current.epoch > 1 && statistics.last.is_some());
    let again = trainer.statistics().unwrap().expect("old figures stay until new ones are there");
    // As text, because a figure of nothing is NaN.
    assert_eq!(format!("{again:?}"), format!("{statistics:?}"));
}

#[test]
fn stage_2_moves_the_mapping_layer_alone_and_the_route_says_so() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(16);
    let alone = TrainConfig { label_lr: 0.0, ..support::setup(Mapping::Diagonal, 16).training };
    let setup = Setup { training: alone, ..support::setup(Mapping::Diagonal, 16) };
    let mut trainer = support::trainer(&host, &setup, &data);
    for row in trainer.route() {
        assert_eq!((row.stage1, row.stage2), (true, row.part == Part::Mapping), "{}", row.tensor);
        assert!(row.elements > 0);
    }
    let before = state(&host, &mut trainer);
    support::train(&mut trainer, 1, support::BUDGET);
    let after = state(&host, &mut trainer);
    // With a rate of 0 stage 1 leaves every weight as it is: what moved, stage 2 has moved.
    for row in trainer.route() {
        let moved = before.tensors[&row.tensor] != after.tensors[&row.tensor];
        assert_eq!(moved, row.stage2, "{}", row.tensor);
    }
}

#[test]
fn labels_pictures_and_masks_may_change_at_any_time() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(12);
    let mut trainer = Trainer::new(&host.device, &host.queue, &support::setup(Mapping::Gate, 12)).unwrap();
    support::prepare(&mut trainer);
    assert!(matches!(trainer.step(support::BUDGET), Err(EmbedError::NoData { .. })));
    trainer.set_picture(4, Picture::Grey(support::bytes(&data, 4))).unwrap();
    assert!(matches!(trainer.step(support::BUDGET), Err(EmbedError::NoData { pictures: 1, labels: 0, .. })));
    trainer.set_label(4, Some(1)).unwrap();
    // One picture is an epoch of one batch, and without masks stage 2 takes no step.
    trainer.step(Duration::from_micros(1)).unwrap();
    assert_eq!(trainer.progress().batches, 1);
    support::fill(&mut trainer, &data);
    support::train(&mut trainer, 1, support::BUDGET);
    host.wait();
    trainer.step(Duration::from_micros(1)).unwrap();
    assert_eq!(trainer.progress().batches, 2, "the others take part from the next epoch on");
    // All but two are removed in the middle of it.
    (0..10).for_each(|i| trainer.remove_picture(i).unwrap());
    support::train(&mut trainer, 2, support::BUDGET);
    host.wait();
    trainer.step(Duration::from_micros(1)).unwrap();
    assert_eq!(trainer.progress().batches, 1);
    assert!(matches!(trainer.predict(Subject::Stored(3)), Err(EmbedError::NoPicture { index: 3 })));
}

#[test]
fn predictions_arrive_and_agree_with_the_predictor() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(16);
    let setup = support::setup(Mapping::Gate, 16);
    let mut trainer = support::trainer(&host, &setup, &data);
    support::train(&mut trainer, 2, support::BUDGET);
    let checkpoint = state(&host, &mut trainer);
    let gpu = Rc::new(Gpu::borrow(host.device.clone(), host.queue.clone(), "the host's".to_owned()));
    let device = Device::Gpu { gpu, report: Box::new(host.report.clone()), reason: String::new() };
    let mut predictor =
        train::Predictor::new(&device, &setup.model, setup.picture, 2, &checkpoint, &Variants::new(), 1)
            .unwrap();
    for i in [0, 7, 15] {
        let pixels = support::bytes(&data, i);
        let mut stored = trainer.predict(Subject::Stored(i)).unwrap();
        let mut given = trainer.predict(Subject::Given(Picture::Grey(pixels))).unwrap();
        host.wait();
        let stored = stored.take().unwrap().expect("it is there after a wait");
        assert_eq!(given.take().unwrap().as_ref(), Some(&stored));
        assert_eq!(given.take().unwrap(), None, "a result is taken once");
        let floats: Vec<f32> = pixels.iter().map(|&byte| f32::from(byte) / 255.0).collect();
        let logits = predictor.logits(&floats).unwrap();
        for (a, b) in stored.logits.iter().zip(&logits) {
            assert!((a - b).abs() < 1e-5, "{stored:?} {logits:?}");
        }
        assert_eq!(stored.class, usize::from(stored.logits[1] > stored.logits[0]));
        assert!((stored.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

//! Devices that go away, in every state, and training that goes on elsewhere with the same bits.

use std::time::Duration;

use rationale::embed::{EmbedError, Picture, Snapshot, Subject, Trainer};
use rationale::model::Mapping;

use crate::support::{self, Host};

#[track_caller]
fn lost<T: std::fmt::Debug>(result: Result<T, EmbedError>) {
    let error = result.unwrap_err();
    assert!(error.is_device_lost(), "{error}");
    assert!(error.to_string().contains("open a device again"), "{error}");
}

fn snapshot(host: &Host, trainer: &mut Trainer) -> Snapshot {
    trainer.finish_batch().unwrap();
    let mut snapshot = trainer.snapshot().unwrap();
    host.wait();
    snapshot.take().unwrap().expect("it is there after a wait")
}

#[test]
fn a_device_lost_while_preparing_is_an_error() {
    let Some(host) = support::host() else { return };
    let mut trainer = Trainer::new(&host.device, &host.queue, &support::setup(Mapping::Gate, 8)).unwrap();
    trainer.prepare(Duration::ZERO).unwrap();
    let made = trainer.preparation();
    host.device.destroy();
    lost(trainer.prepare(support::BUDGET));
    assert_eq!(trainer.preparation(), made);
}

#[test]
fn a_device_lost_before_or_within_a_step_is_an_error() {
    for calls in [0, 3] {
        let Some(host) = support::host() else { return };
        let setup = support::setup(Mapping::Diagonal, 8);
        let data = support::pictures(8);
        let mut trainer = support::trainer(&host, &setup, &data);
        for _ in 0..calls {
            trainer.step(Duration::from_micros(1)).unwrap();
        }
        host.device.destroy();
        let progress = trainer.progress();
        for _ in 0..5 {
            lost(trainer.step(support::BUDGET));
        }
        assert_eq!(trainer.progress(), progress);
        lost(trainer.set_picture(0, Picture::Grey(support::bytes(&data, 0))));
        lost(trainer.set_label(0, Some(1)));
        lost(trainer.predict(Subject::Stored(0)));
        lost(trainer.request_statistics());
        if calls == 0 {
            lost(trainer.snapshot());
        }
    }
}

#[test]
fn a_device_lost_with_maps_under_way_is_an_error() {
    let Some(host) = support::host() else { return };
    let setup = support::setup(Mapping::Diagonal, 8);
    let mut trainer = support::trainer(&host, &setup, &support::pictures(8));
    trainer.step(support::BUDGET).unwrap();
    trainer.finish_batch().unwrap();
    trainer.request_statistics().unwrap();
    let mut prediction = trainer.predict(Subject::Stored(0)).unwrap();
    let mut snapshot = trainer.snapshot().unwrap();
    host.device.destroy();
    // Nothing has polled since the snapshot was asked for; what was asked for before may have arrived by then.
    lost(snapshot.take());
    match prediction.take() {
        Ok(arrived) => assert!(arrived.is_some()),
        late => lost(late),
    }
    match trainer.statistics() {
        Ok(arrived) => assert!(arrived.is_some()),
        late => lost(late),
    }
}

#[test]
fn from_a_snapshot_it_goes_on_on_a_new_device_with_the_same_bits() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(21);
    for mapping in [Mapping::Diagonal, Mapping::Gate] {
        let setup = support::setup(mapping, 24);
        let mut whole = support::trainer(&host, &setup, &data);
        support::train(&mut whole, 3, support::BUDGET);
        let expected = snapshot(&host, &mut whole);

        let old = support::host().unwrap();
        let mut first = support::trainer(&old, &setup, &data);
        support::train(&mut first, 1, support::BUDGET);
        // In the middle of the second epoch, and of a batch: the state comes at the end of that batch.
        while first.progress().batch < 1 {
            first.step(Duration::from_micros(1)).unwrap();
        }
        // A step submits nothing while the last slice is on its way.
        old.wait();
        first.step(Duration::from_micros(1)).unwrap();
        let mut wanted = first.snapshot().unwrap();
        old.wait();
        assert!(wanted.take().unwrap().is_none(), "there is no state between two batches yet");
        let saved = loop {
            first.step(Duration::from_micros(50)).unwrap();
            old.wait();
            if let Some(saved) = wanted.take().unwrap() {
                break saved;
            }
        };
        assert_eq!(saved.checkpoint().epoch, 1);
        old.device.destroy();
        lost(first.step(support::BUDGET));

        let fresh = support::host().unwrap();
        let mut second = support::trainer(&fresh, &setup, &data);
        second.restore(&saved).unwrap();
        assert_eq!(second.progress().epoch, 2);
        assert!(second.progress().batch >= 1);
        support::train(&mut second, 3, support::BUDGET);
        let found = snapshot(&fresh, &mut second);
        assert_eq!(found.checkpoint(), expected.checkpoint(), "{mapping}");
        assert_eq!(second.progress(), whole.progress());
    }
}

#[test]
fn a_snapshot_that_does_not_fit_is_refused_and_changes_nothing() {
    let Some(host) = support::host() else { return };
    // Three batches: the snapshot is of the first one's end, or of the second one's, both within the epoch.
    let data = support::pictures(20);
    let mut trainer = support::trainer(&host, &support::setup(Mapping::Diagonal, 20), &data);
    while trainer.progress().batch < 1 {
        trainer.step(Duration::from_micros(1)).unwrap();
    }
    let saved = snapshot(&host, &mut trainer);
    let mut other = support::trainer(&host, &support::setup(Mapping::Gate, 20), &data);
    let before = snapshot(&host, &mut other);
    let error = other.restore(&saved).unwrap_err().to_string();
    assert!(error.contains("mapping") && error.contains("another model"), "{error}");
    assert_eq!(snapshot(&host, &mut other).checkpoint(), before.checkpoint());
    // Its epoch is of twenty pictures, and here are eight.
    let mut fewer = support::trainer(&host, &support::setup(Mapping::Diagonal, 20), &support::pictures(8));
    let error = fewer.restore(&saved).unwrap_err().to_string();
    assert!(error.contains("has no pixels or no label here"), "{error}");
}

#[test]
fn a_checkpoint_begins_its_next_epoch_and_is_exported() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(12);
    let setup = support::setup(Mapping::Diagonal, 12);
    let mut trainer = support::trainer(&host, &setup, &data);
    let untrained = snapshot(&host, &mut trainer);
    support::train(&mut trainer, 1, Duration::from_micros(1));
    let one = snapshot(&host, &mut trainer);
    assert_eq!(one.checkpoint().epoch, 1);
    support::train(&mut trainer, 2, Duration::from_micros(1));
    let two = snapshot(&host, &mut trainer);
    let mut other = support::trainer(&host, &setup, &data);
    other.restore_checkpoint(one.checkpoint()).unwrap();
    support::train(&mut other, 2, Duration::from_micros(1));
    assert_eq!(snapshot(&host, &mut other).checkpoint(), two.checkpoint());
    let onnx = two.onnx().unwrap();
    assert!(onnx.len() > 1000 && onnx != untrained.onnx().unwrap());
    let weights = two.safetensors().unwrap();
    let names = safetensors_names(&weights);
    assert!(names.contains("features.0.weight") && names.contains("mapping.weight"), "{names}");
}

/// The header of a safetensors file.
fn safetensors_names(file: &[u8]) -> String {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    String::from_utf8(file[8..8 + length].to_vec()).unwrap()
}

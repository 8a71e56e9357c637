//! Several trainers on one device, and nothing that stays behind.

use rationale::embed::{Pending, Snapshot, Trainer};
use rationale::model::Mapping;

use crate::support::{self, Host};

/// Live objects of the device.
fn objects(host: &Host) -> [isize; 6] {
    // Writes that no submission has carried yet would count.
    host.queue.submit([]);
    host.wait();
    let counters = host.device.get_internal_counters().hal;
    [
        counters.buffers.read(),
        counters.bind_groups.read(),
        counters.compute_pipelines.read(),
        counters.render_pipelines.read(),
        counters.shader_modules.read(),
        counters.textures.read(),
    ]
}

#[test]
fn a_hundred_trainers_leave_nothing_behind() {
    let Some(host) = support::host() else { return };
    let data = support::pictures(8);
    let setup = support::setup(Mapping::Diagonal, 8);
    // The device's own objects come with its first work.
    drop(support::trainer(&host, &setup, &data));
    let before = objects(&host);
    let first = support::trainer(&host, &setup, &data);
    let one = objects(&host);
    assert!(one.iter().zip(&before).take(5).all(|(one, none)| one > none), "the counters count: {one:?}");
    for _ in 0..100 {
        // They share the kernels of the first.
        let mut trainer = first.beside(&setup).unwrap();
        support::prepare(&mut trainer);
        support::fill(&mut trainer, &data);
        for _ in 0..3 {
            trainer.step(support::BUDGET).unwrap();
        }
        trainer.request_statistics().unwrap();
    }
    assert_eq!(objects(&host), one, "buffers, bind groups, pipelines, modules and textures");
    drop(first);
    assert_eq!(objects(&host), before);
}

#[test]
fn trainers_side_by_side_do_not_touch_each_other() {
    let Some(host) = support::host() else { return };
    let (data, other) = (support::pictures(16), support::pictures(10));
    let setup = support::setup(Mapping::Diagonal, 16);
    let weights = |trainer: &mut Trainer| {
        trainer.finish_batch().unwrap();
        let mut snapshot = trainer.snapshot().unwrap();
        host.wait();
        snapshot.take().unwrap().expect("it is there after a wait").checkpoint().clone()
    };
    let mut alone = support::trainer(&host, &setup, &data);
    support::train(&mut alone, 2, support::BUDGET);
    let expected = weights(&mut alone);
    let mut first = support::trainer(&host, &setup, &data);
    let mut second = first.beside(&support::setup(Mapping::Gate, 12)).unwrap();
    support::prepare(&mut second);
    support::fill(&mut second, &other);
    while first.progress().epoch <= 2 {
        first.step(support::BUDGET).unwrap();
        second.step(support::BUDGET).unwrap();
    }
    assert!(second.progress().steps > 0);
    assert_eq!(weights(&mut first), expected);
}

#[test]
fn what_is_sent_between_threads_may_be() {
    fn sent_and_shared<T: Send + Sync>() {}
    sent_and_shared::<Trainer>();
    sent_and_shared::<Pending<Snapshot>>();
    sent_and_shared::<Snapshot>();
    let Some(host) = support::host() else { return };
    let setup = support::setup(Mapping::Diagonal, 8);
    let mut trainer = support::trainer(&host, &setup, &support::pictures(8));
    let trainer = std::thread::spawn(move || {
        support::train(&mut trainer, 1, support::BUDGET);
        trainer
    });
    assert_eq!(trainer.join().unwrap().progress().epoch, 2);
}

//! Training steps: the one that is compared with other engines and the reference setting's two stages, on the CPU device and
//! on a GPU adapter (`RATIONALE_BENCH_DEVICE`, default: the first Vulkan adapter), with this device's own measured
//! ceilings beside them.
//!
//! `cargo bench --bench step`

#![allow(missing_docs, clippy::expect_used, clippy::print_stderr)]

mod devices;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rationale::bench::{self, Effort, Timer};
use rationale::plan::Variants;

fn steps(c: &mut Criterion) {
    let devices = devices::devices();
    for device in &devices {
        let mut group = c.benchmark_group(devices::short(device));
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
        let variants = Variants::new().on(device.limits().target);
        let peer = bench::peer_step(64, 1, 1, &variants).expect("a plan");
        let [first, second] =
            [false, true].map(|second| bench::reference_step(second, 1, &variants).expect("a plan"));
        for step in [peer, first, second] {
            let mut session = device.session();
            let loaded = session.load(&step.plan).expect("the plan fits");
            bench::fill(session.as_mut(), &step).expect("the plan has its data tensors");
            let start = Instant::now();
            session.run(loaded, 1).and_then(|()| session.wait()).expect("the first step");
            let millis = start.elapsed().as_secs_f64() * 1e3;
            eprintln!("{}: {}: first step {millis:.0} ms", device.title(), step.name);
            group.throughput(Throughput::Elements(step.plan.flops()));
            group.bench_function(step.name.as_str(), |b| {
                b.iter_custom(|times| {
                    let start = Instant::now();
                    session.run(loaded, times as usize).and_then(|()| session.wait()).expect("a step");
                    start.elapsed()
                });
            });
            let loss =
                session.read("stage1.losses").or_else(|_| session.read("stage2.losses")).expect("a loss");
            assert!(
                loss.iter().all(|loss| loss.is_finite()),
                "{}: a timing of nonsense is thrown away",
                step.name
            );
            if let Some(peak) = bench::peak_memory() {
                let (title, name, flops) = (device.title(), &step.name, step.plan.flops());
                let peak = peak >> 20;
                eprintln!("{title}: {name}: {flops} FLOPs, peak memory of the process so far {peak} MiB");
            }
        }
        group.finish();
    }
    // Last, because their buffers would count as the steps' memory.
    for device in &devices {
        let timer = Timer::new(device, Effort::default()).expect("a no-op");
        let ceilings = bench::ceilings(device, &timer).expect("a copy and multiply-adds");
        eprintln!(
            "{}: measured ceilings: copy {:.1} GB/s, multiply-add {:.0} GFLOP/s",
            device.title(),
            ceilings.copy / 1e9,
            ceilings.fma / 1e9
        );
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);

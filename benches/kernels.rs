//! Every variant of every kernel at every named shape, on the CPU device and on a GPU adapter
//! (`RATIONALE_BENCH_DEVICE`, default: the first Vulkan adapter). The names are `device/kernel/variant/shape`.
//!
//! `cargo bench --bench kernels -- conv2d_forward` benches some of them; `rationale bench` holds them against the device's
//! ceilings.

#![allow(missing_docs, clippy::expect_used, clippy::print_stderr)]

mod devices;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rationale::bench::kernel_plans;
use rationale::doctor;
use rationale::exec::Device;

/// FLOPs above which a shape is left to `rationale bench`, which knows what a device can do.
const LARGEST: u64 = 500_000_000;

fn every_kernel(c: &mut Criterion) {
    for device in devices::devices() {
        let plans = kernel_plans(None, None, device.limits().target).expect("every shape can be planned");
        let mut group = c.benchmark_group(devices::short(&device));
        group
            .sample_size(10)
            .warm_up_time(Duration::from_millis(200))
            .measurement_time(Duration::from_secs(1));
        for (kernel, variant, shape) in &plans {
            // The CPU runs one twin for every variant.
            let repeated = matches!(device, Device::Cpu { .. }) && kernel.variants.first() != Some(variant);
            let fits = shape.case.plan.check(&device.limits()).is_ok();
            let Some(command) = shape.command() else { continue };
            if repeated || !fits || shape.flops() > LARGEST {
                continue;
            }
            let bytes = shape.case.plan.commands()[command].bytes(&shape.case.plan);
            match shape.flops() {
                0 => group.throughput(Throughput::Bytes(bytes)),
                flops => group.throughput(Throughput::Elements(flops)),
            };
            let id = BenchmarkId::new(kernel.name, format!("{variant}/{}", shape.name));
            // Only what criterion's filter lets through is held against its twin and timed.
            group.bench_function(id, |b| {
                let finding = doctor::examine(&device, &shape.case, 0).expect("the case runs");
                assert!(finding.passed(), "a wrong result is not timed: {:?}", finding.fault);
                let mut session = device.session();
                let loaded = session.load(&shape.case.plan).expect("the plan fits");
                doctor::fill(session.as_mut(), &shape.case, 0).expect("the inputs are the case's own");
                session.run(loaded, 1).and_then(|()| session.wait()).expect("a run");
                b.iter_custom(|times| {
                    // Many dispatches, in submissions that no watchdog minds.
                    let mut left = times as usize;
                    let mut seconds = 0.0;
                    while left > 0 {
                        let now = left.min(64);
                        seconds += session.time(loaded, command, now).expect("a timed run").wall;
                        left -= now;
                    }
                    Duration::from_secs_f64(seconds)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, every_kernel);
criterion_main!(benches);

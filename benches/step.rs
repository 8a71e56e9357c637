//! One training step: the step that is compared with other engines and the reference setting's two stages, on the CPU device and
//! on a GPU adapter (`RATIONALE_BENCH_DEVICE`, default: the first Vulkan adapter), with this device's own measured
//! ceilings beside them.
//!
//! `cargo bench --bench step`

#![allow(missing_docs, clippy::expect_used, clippy::print_stderr)]

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rationale::exec::{Device, Loaded, Session};
use rationale::model::{
    Conv, Dimensions, Layer, Linear, MapShape, Mapping, ModelConfig, Network, OptimizerConfig, Pool, Route,
    Stage1, Stage2, initial_weights, stage1, stage2,
};
use rationale::ops::ceiling;
use rationale::plan::{Plan, Role, Variants};
use rationale::random::Random;
use rationale::shader::DType;

fn devices() -> Vec<Device> {
    let wanted = std::env::var("RATIONALE_BENCH_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let mut devices = Vec::new();
    for name in ["cpu", &wanted] {
        match name.parse().map(|choice| Device::open(&choice)) {
            Ok(Ok(device)) => devices.push(device),
            Ok(Err(error)) => eprintln!("skipped: {error}"),
            Err(never) => match never {},
        }
    }
    devices
}

fn short(device: &Device) -> String {
    device.title().split([',', '(']).next().unwrap_or_default().trim().to_owned()
}

/// Seconds of one run of a plan: the best of several, each long enough to hide the submission.
fn best_seconds(session: &mut dyn Session, loaded: Loaded) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..8 {
        let start = Instant::now();
        session.run(loaded, 4).and_then(|()| session.wait()).expect("the ceiling runs");
        best = best.min(start.elapsed().as_secs_f64() / 4.0);
    }
    best
}

/// Copy bandwidth in GB/s (read + written) and multiply-add rate in GFLOP/s of this device.
fn ceilings(device: &Device) -> (f64, f64) {
    let mut plan = Plan::new("copy");
    let x = plan.add("x", &[16 << 20], DType::F32, Role::Data).expect("a plan of two tensors");
    ceiling::copy(&mut plan, "copy", x).expect("a copy");
    let mut session = device.session();
    let loaded = session.load(&plan).expect("128 MiB of memory");
    let copy = (2 * 4 * (16 << 20)) as f64 / best_seconds(session.as_mut(), loaded);

    let mut plan = Plan::new("fma");
    let x = plan.add("x", &[2, 4], DType::F32, Role::Data).expect("a plan of two tensors");
    ceiling::fma(&mut plan, "fma", x, 64 * 1024, 256).expect("multiply-adds");
    let mut session = device.session();
    let loaded = session.load(&plan).expect("1 MiB of memory");
    session.write("x", &[0.5, 0.25, 0.75, 0.5, 1.0, 2.0, 0.5, 0.25]).expect("x is there");
    let fma = plan.flops() as f64 / best_seconds(session.as_mut(), loaded);
    (copy / 1e9, fma / 1e9)
}

/// Pictures, labels, masks and weights from a seed; the order is the batch itself.
fn fill(session: &mut dyn Session, network: &Network, data: &Dimensions, plan: &Plan) {
    let mut random = Random::new(1, 0);
    let shape = network.input();
    let pixels: Vec<u32> = (0..data.count * shape.len()).map(|_| (random.unit() as f32).to_bits()).collect();
    let masks = vec![0x00FF_FF00; (data.count * shape.height * shape.width).div_ceil(4)];
    let labels: Vec<u32> = (0..data.count as u32).map(|i| i % network.classes() as u32).collect();
    let order: Vec<u32> = (0..data.count as u32).collect();
    let write = |session: &mut dyn Session, name: &str, words: &[u32]| {
        session.write_index(name, words).expect("the plan has its data tensors");
    };
    write(session, "train.pixels", &pixels);
    write(session, "train.masks", &masks);
    write(session, "train.labels", &labels);
    write(session, "train.explained", &vec![1; data.count]);
    write(session, "train.order", &order);
    session.write("train.class_weights", &vec![1.0; network.classes()]).expect("class weights");
    for (name, values) in initial_weights(network, &[1]) {
        if plan.find(&name).is_some() {
            session.write(&name, &values).expect("weights");
        }
    }
    for name in ["stage1.lr", "stage2.lr"] {
        if plan.find(name).is_some() {
            session.write(name, &[1e-4]).expect("learning rates");
        }
    }
}

/// 64×1×32×32; three 3×3 convolutions (16, 32, 64), each with ReLU and a 2×2 max pool; linear 1024→1024 with ReLU;
/// linear →2; cross-entropy; SGD with momentum.
fn peer_step(variants: &Variants) -> (&'static str, Network, Dimensions, Plan) {
    let conv = |out| Layer::Conv(Conv { out, kernel: 3, stride: 1, padding: 1, dilation: 1 });
    let pool = Layer::MaxPool(Pool { kernel: 2, stride: None, padding: 0 });
    let model = ModelConfig {
        features: [16, 32, 64].into_iter().flat_map(|out| [conv(out), Layer::Relu, pool]).collect(),
        mapping: Mapping::None,
        classifier: vec![Layer::Linear(Linear { out: 1024 }), Layer::Relu, Layer::Output],
    };
    let input = MapShape { height: 32, width: 32, channels: 1 };
    let network = Network::new(&model, input, 2, 1).expect("the network fits its input");
    let data = Dimensions { count: 64, batch: 64, steps: 1, packed: false };
    let optimizer = OptimizerConfig::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let stage = Stage1 { route: Route::stage1(false), optimizer };
    let plan = stage1(&network, &data, &stage, variants).expect("a plan");
    ("peer step", network, data, plan)
}

/// The reference setting: batch 50, stage 1, or stage 2 with five inner steps on a diagonal m.
fn reference(second: bool, variants: &Variants) -> (&'static str, Network, Dimensions, Plan) {
    let input = MapShape { height: 32, width: 32, channels: 1 };
    let network = Network::new(&ModelConfig::default(), input, 2, 1).expect("the network fits its input");
    let data = Dimensions { count: 50, batch: 50, steps: 1, packed: false };
    let plan = if second {
        let stage = Stage2 {
            route: Route::stage2(),
            optimizer: OptimizerConfig::adam(0.0),
            inner_steps: 5,
            axis: Default::default(),
            loss: Default::default(),
            temperature: 1.0,
            hard_masks: true,
        };
        stage2(&network, &data, &stage, variants)
    } else {
        let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(1e-2) };
        stage1(&network, &data, &stage, variants)
    };
    (if second { "reference stage 2" } else { "reference stage 1" }, network, data, plan.expect("a plan"))
}

fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).map(|value| value.trim().to_owned())
}

fn steps(c: &mut Criterion) {
    for device in devices() {
        let mut group = c.benchmark_group(short(&device));
        group.sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5));
        let variants = &Variants::new().on(device.limits().target);
        for (name, network, data, plan) in
            [peer_step(variants), reference(false, variants), reference(true, variants)]
        {
            let mut session = device.session();
            let loaded = session.load(&plan).expect("the plan fits");
            fill(session.as_mut(), &network, &data, &plan);
            let start = Instant::now();
            session.run(loaded, 1).and_then(|()| session.wait()).expect("the first step");
            eprintln!("{}: {name}: first step {:.0} ms", device.title(), start.elapsed().as_secs_f64() * 1e3);
            group.throughput(Throughput::Elements(plan.flops()));
            group.bench_function(name, |b| {
                b.iter_custom(|times| {
                    let start = Instant::now();
                    session.run(loaded, times as usize).and_then(|()| session.wait()).expect("a step");
                    start.elapsed()
                });
            });
            let loss =
                session.read("stage1.losses").or_else(|_| session.read("stage2.losses")).expect("a loss");
            assert!(loss.iter().all(|loss| loss.is_finite()), "{name}: a timing of nonsense is thrown away");
            if let Some(peak) = peak_memory() {
                eprintln!(
                    "{}: {name}: {} FLOPs, peak memory of the process so far {peak}",
                    device.title(),
                    plan.flops()
                );
            }
        }
        group.finish();
    }
    // Last, because their buffers would count as the steps' memory.
    for device in devices() {
        let (copy, fma) = ceilings(&device);
        eprintln!(
            "{}: measured ceilings: copy {copy:.1} GB/s, multiply-add {fma:.0} GFLOP/s",
            device.title()
        );
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);

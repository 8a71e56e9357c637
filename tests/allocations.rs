//! What a training step of the reference networks allocates, counted over 1,000 steps: on the CPU device nothing; on a GPU the
//! host's encoding allocates and gives back, and the device's objects do not grow by one.

#![allow(unsafe_code)] // a global allocator is unsafe to write
// Helpers outside of `#[test]` functions may fail loudly too.
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

use rationale::bench::{self, StepPlan};
use rationale::exec::{Device, Loaded, Session};
use rationale::gpu::Choice;
use rationale::model::{
    Conv, Dimensions, Layer, Linear, MapShape, Mapping, ModelConfig, Network, OptimizerConfig, Pool, Route,
    Stage1, stage1,
};
use rationale::plan::Variants;

struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicI64 = AtomicI64::new(0);
static LIVE_BYTES: AtomicI64 = AtomicI64::new(0);

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        LIVE.fetch_add(1, Relaxed);
        LIVE_BYTES.fetch_add(layout.size() as i64, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(1, Relaxed);
        LIVE_BYTES.fetch_sub(layout.size() as i64, Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        LIVE_BYTES.fetch_add(size as i64 - layout.size() as i64, Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The tests of this file count for the whole process, so one runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Calls, live allocations and their bytes so far.
fn counts() -> (u64, i64, i64) {
    (CALLS.load(Relaxed), LIVE.load(Relaxed), LIVE_BYTES.load(Relaxed))
}

/// The peer step's layers on 8×8 pictures.
fn small_step() -> StepPlan {
    let conv = Layer::Conv(Conv { out: 8, kernel: 3, stride: 1, padding: 1, dilation: 1 });
    let pool = Layer::MaxPool(Pool { kernel: 2, stride: None, padding: 0 });
    let model = ModelConfig {
        features: vec![conv.clone(), Layer::Relu, pool.clone(), conv, Layer::Relu, pool],
        mapping: Mapping::None,
        classifier: vec![Layer::Linear(Linear { out: 16 }), Layer::Relu, Layer::Output],
    };
    let input = MapShape { height: 8, width: 8, channels: 1 };
    let network = Network::new(&model, input, 2, 1).unwrap();
    let data = Dimensions { count: 4, batch: 4, steps: 1, packed: false, augmented: false };
    let optimizer = OptimizerConfig::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let stage = Stage1 { route: Route::stage1(false), optimizer };
    let plan = stage1(&network, &data, &stage, &Variants::new()).unwrap();
    StepPlan { name: "small step".to_owned(), network, data, plan }
}

fn loaded(device: &Device, step: &StepPlan) -> (Box<dyn Session>, Loaded) {
    let mut session = device.session();
    let loaded = session.load(&step.plan).unwrap();
    bench::fill(session.as_mut(), step).unwrap();
    (session, loaded)
}

#[test]
fn the_counter_counts() {
    let _alone = alone();
    let before = counts();
    let kept = vec![0u8; 1 << 20];
    let after = counts();
    assert!(after.0 > before.0 && after.1 > before.1 && after.2 >= before.2 + (1 << 20));
    drop(kept);
    assert!(counts().2 < after.2);
}

#[test]
fn a_thousand_steps_on_the_cpu_allocate_nothing() {
    let _alone = alone();
    let steps = [
        small_step(),
        bench::reference_step(false, 1, &Variants::new()).unwrap(),
        bench::reference_step(true, 1, &Variants::new()).unwrap(),
    ];
    // From a thread of a pool of its own, or each run might begin on another one, with scratch to take.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        for (step, times) in steps.into_iter().zip([1000, 10, 10]) {
            let device = Device::open(&Choice::Cpu).unwrap();
            let (mut session, loaded) = loaded(&device, &step);
            let mut run = || {
                let start = counts();
                session.run(loaded, times).unwrap();
                let end = counts();
                (end.0 - start.0, end.1 - start.1, end.2 - start.2)
            };
            // A thread takes its scratch when it first meets a piece of work, which may be late; a step that allocated would do
            // so every time. What is left is a block of the pool's queue.
            let found: Vec<_> = std::iter::repeat_with(&mut run).take(20).collect();
            println!("{}: calls, blocks and bytes in each {times} steps on the CPU: {found:?}", step.name);
            let quiet = |(calls, blocks, bytes): &&(u64, i64, i64)| {
                *calls <= 4 && blocks.abs() < 100 && bytes.abs() < 64 << 10
            };
            assert!(found.iter().filter(quiet).count() >= 10, "{}: {found:?}", step.name);
            // A leak that sets in later.
            let (_, blocks, bytes) = found[19];
            assert!(blocks.abs() < 100 && bytes.abs() < 1 << 20, "{}: {found:?}", step.name);
        }
    });
}

#[test]
fn a_thousand_steps_on_a_gpu_make_no_object() {
    let _alone = alone();
    if std::env::var_os("RATIONALE_TEST_WITHOUT_GPU").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED: RATIONALE_TEST_WITHOUT_GPU=1, no GPU is tested");
        return;
    }
    let wanted = std::env::var("RATIONALE_TEST_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let choice: Choice = wanted.parse().unwrap();
    let device = Device::open(&choice).unwrap_or_else(|error| panic!("{error}"));
    let Device::Gpu { gpu, .. } = &device else { panic!("the test adapter is no GPU") };
    let step = small_step();
    let (mut session, loaded) = loaded(&device, &step);
    let mut steps = |times: usize| {
        session.run(loaded, times).unwrap();
        session.wait().unwrap();
        gpu.device().poll(rationale::wgpu::PollType::wait_indefinitely()).unwrap();
        let counters = gpu.device().get_internal_counters().hal;
        let objects = [
            counters.buffers.read(),
            counters.bind_groups.read(),
            counters.compute_pipelines.read(),
            counters.shader_modules.read(),
            counters.buffer_memory.read(),
        ];
        (objects, counts())
    };
    // The queue's own memory grows with the first submissions.
    let (objects, start) = steps(100);
    assert!(objects.iter().all(|&count| count > 0), "the counters count: {objects:?}");
    let (after, end) = steps(1000);
    println!("GPU: {:.1} host allocations in a step, all given back", (end.0 - start.0) as f64 / 1000.0);
    assert_eq!(
        after, objects,
        "buffers, bind groups, pipelines, modules and bytes of buffers after 1,000 steps"
    );
    assert!((end.2 - start.2).abs() < 256 << 10, "live host bytes: {} before, {} after", start.2, end.2);
}

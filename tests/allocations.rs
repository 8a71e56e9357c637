//! What a training step allocates, counted over 1,000 steps: nothing that stays. On the CPU device the twins take scratch
//! (packed panels, tables of places) and give it back, the same number of times in every step; on a GPU the host's encoding
//! allocates and gives back, and the device's objects do not grow by one.

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
fn a_thousand_steps_on_the_cpu_keep_nothing() {
    let _alone = alone();
    let step = small_step();
    let device = Device::open(&Choice::Cpu).unwrap();
    let (mut session, loaded) = loaded(&device, &step);
    // Threads and their queues start with the first steps.
    session.run(loaded, 100).unwrap();
    let start = counts();
    session.run(loaded, 1).unwrap();
    let one = counts();
    session.run(loaded, 999).unwrap();
    let end = counts();
    let per_step = (end.0 - start.0) as f64 / 1000.0;
    println!(
        "CPU: {per_step:.1} allocations in a step of {} commands, all given back; {} bytes live",
        step.plan.commands().len(),
        end.2
    );
    // What threads hand each other comes in blocks, so live memory moves by a little; 1,000 kept allocations would show.
    assert!((end.1 - start.1).abs() < 100, "live allocations: {} before, {} after", start.1, end.1);
    assert!((end.2 - start.2).abs() < 64 << 10, "live bytes: {} before, {} after", start.2, end.2);
    // No step needs more than the first ones did.
    let first = (one.0 - start.0) as f64;
    assert!(per_step <= 1.5 * first + 10.0, "{per_step} allocations per step, {first} in the first");
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

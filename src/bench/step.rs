//! Whole training steps, and their parts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{BenchError, Spread, Timer, peak_memory};
use crate::exec::{Device, ExecError, Loaded, Session};
use crate::model::{
    Conv, Dimensions, Layer, Linear, MapShape, Mapping, ModelConfig, Network, OptimizerConfig, Pool, Route,
    Stage1, Stage2, initial_weights, stage1, stage2,
};
use crate::plan::{Plan, Variants};
use crate::random::Random;
use crate::time::Instant;

/// A step to be timed: its plan, and what the data tensors need to know.
#[derive(Clone, Debug)]
pub struct StepPlan {
    /// Its name.
    pub name: String,
    /// The network.
    pub network: Network,
    /// The data set: one batch.
    pub data: Dimensions,
    /// The commands.
    pub plan: Plan,
}

/// The step that is compared with other engines, of `batch` pictures 1×32×32: three 3×3 convolutions (16, 32 and 64
/// channels, times `widen`), each with ReLU and a 2×2 max pool; linear to 1024 with ReLU; linear to 2; cross-entropy; SGD
/// with momentum. `replicas` models at once. `variants` says for which device, and may force some.
pub fn peer_step(
    batch: usize,
    widen: usize,
    replicas: usize,
    variants: &Variants,
) -> Result<StepPlan, BenchError> {
    let conv = |out| Layer::Conv(Conv { out: out * widen, kernel: 3, stride: 1, padding: 1, dilation: 1 });
    let pool = Layer::MaxPool(Pool { kernel: 2, stride: None, padding: 0 });
    let model = ModelConfig {
        features: [16, 32, 64].into_iter().flat_map(|out| [conv(out), Layer::Relu, pool.clone()]).collect(),
        mapping: Mapping::None,
        classifier: vec![Layer::Linear(Linear { out: 1024 }), Layer::Relu, Layer::Output],
    };
    let network = Network::new(&model, MapShape { height: 32, width: 32, channels: 1 }, 2, replicas)?;
    let data = Dimensions { count: batch, batch, steps: 1, packed: false, augmented: false };
    let optimizer = OptimizerConfig::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let stage = Stage1 { route: Route::stage1(false), optimizer };
    let plan = stage1(&network, &data, &stage, variants)?;
    Ok(StepPlan { name: "peer step".to_owned(), network, data, plan })
}

/// The reference setting, batch 50 with a diagonal m: stage 1, or stage 2 with five inner steps. `replicas` models at once.
pub fn reference_step(second: bool, replicas: usize, variants: &Variants) -> Result<StepPlan, BenchError> {
    let input = MapShape { height: 32, width: 32, channels: 1 };
    let network = Network::new(&ModelConfig::default(), input, 2, replicas)?;
    let data = Dimensions { count: 50, batch: 50, steps: 1, packed: false, augmented: false };
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
        stage2(&network, &data, &stage, variants)?
    } else {
        let stage = Stage1 { route: Route::stage1(true), optimizer: OptimizerConfig::adam(1e-2) };
        stage1(&network, &data, &stage, variants)?
    };
    let name = if second { "reference stage 2" } else { "reference stage 1" };
    let name = if replicas == 1 { name.to_owned() } else { format!("{name}, {replicas} models") };
    Ok(StepPlan { name, network, data, plan })
}

/// Pictures, labels, masks and weights from a seed; the order is the batch itself.
pub fn fill(session: &mut dyn Session, step: &StepPlan) -> Result<(), ExecError> {
    let StepPlan { network, data, plan, .. } = step;
    let mut random = Random::new(1, 0);
    let shape = network.input();
    let count = data.count;
    let pixels: Vec<u32> = (0..count * shape.len()).map(|_| (random.unit() as f32).to_bits()).collect();
    let order: Vec<u32> = (0..network.replicas()).flat_map(|_| 0..count as u32).collect();
    session.write_index("train.pixels", &pixels)?;
    session
        .write_index("train.masks", &vec![0x00FF_FF00; (count * shape.height * shape.width).div_ceil(4)])?;
    let labels: Vec<u32> = (0..count as u32).map(|i| i % network.classes() as u32).collect();
    session.write_index("train.labels", &labels)?;
    session.write_index("train.explained", &vec![1; count])?;
    session.write_index("train.order", &order)?;
    session.write("train.class_weights", &vec![1.0; network.classes()])?;
    let seeds: Vec<u64> = (1..=network.replicas() as u64).collect();
    for (name, values) in initial_weights(network, &seeds) {
        if plan.find(&name).is_some() {
            session.write(&name, &values)?;
        }
    }
    for name in ["stage1.lr", "stage2.lr"] {
        if plan.find(name).is_some() {
            session.write(name, &vec![1e-4; network.replicas()])?;
        }
    }
    Ok(())
}

/// The latest losses; an error where one is no number.
fn check_losses(session: &mut dyn Session, step: &StepPlan) -> Result<(), BenchError> {
    for name in ["stage1.losses", "stage2.losses"] {
        if step.plan.find(name).is_none() {
            continue;
        }
        if let Some(&loss) = session.read(name)?.iter().find(|loss| !loss.is_finite()) {
            return Err(BenchError::Nonsense { step: step.name.clone(), loss });
        }
    }
    Ok(())
}

/// A whole step, by the wall clock.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Models trained at once.
    pub replicas: usize,
    /// Commands.
    pub commands: usize,
    /// FLOPs.
    pub flops: u64,
    /// Seconds from the plan to the end of its first run: buffers, pipelines, first dispatches.
    pub first: f64,
    /// Seconds of a later run.
    pub seconds: Spread,
    /// Peak memory of the process when it was done, in bytes; only the first step that a process times says what that
    /// step needs.
    pub peak_memory: Option<u64>,
    /// What the plan itself keeps on the device, in bytes.
    pub plan_memory: u64,
}

fn prepared(device: &Device, step: &StepPlan) -> Result<(Box<dyn Session>, Loaded), BenchError> {
    let mut session = device.session();
    let loaded = session.load(&step.plan)?;
    fill(session.as_mut(), step)?;
    session.run(loaded, 1)?;
    session.wait()?;
    Ok((session, loaded))
}

/// Times whole steps: the first one, then runs of several queued at once until `samples` are taken or `budget` seconds
/// are over.
pub fn step(device: &Device, step: &StepPlan, samples: usize, budget: f64) -> Result<Step, BenchError> {
    let start = Instant::now();
    let (mut session, loaded) = prepared(device, step)?;
    let first = start.elapsed().as_secs_f64();
    let seconds = runs(session.as_mut(), loaded, samples, budget)?;
    check_losses(session.as_mut(), step)?;
    let layout = step.plan.layout();
    Ok(Step {
        name: step.name.clone(),
        replicas: step.network.replicas(),
        commands: step.plan.commands().len(),
        flops: step.plan.flops(),
        first,
        seconds,
        peak_memory: peak_memory(),
        plan_memory: layout.slot_bytes() + layout.persistent_bytes,
    })
}

/// Seconds of one run among several in the queue.
fn runs(
    session: &mut dyn Session,
    loaded: Loaded,
    samples: usize,
    budget: f64,
) -> Result<Spread, BenchError> {
    let mut once = |times: usize| -> Result<f64, ExecError> {
        let start = Instant::now();
        session.run(loaded, times)?;
        session.wait()?;
        Ok(start.elapsed().as_secs_f64() / times as f64)
    };
    // The pace of submissions is learned on the way. Long steps are warm after two runs.
    let mut last = once(1)?;
    let turns = ((budget / last.max(1e-6)) as usize).min(6);
    for _ in 0..turns {
        let next = once(1)?;
        let settled = (next - last).abs() <= 0.05 * last;
        last = next;
        if settled {
            break;
        }
    }
    let times = ((0.1 / last.max(1e-6)) as usize).clamp(1, 200);
    let start = Instant::now();
    let mut found = Vec::new();
    while found.len() < samples && (found.len() < 3 || start.elapsed().as_secs_f64() < budget) {
        found.push(once(times)?);
    }
    Ok(Spread::of(found))
}

/// What the commands of one kernel's variant take within a step.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// The kernel.
    pub kernel: String,
    /// Its variant.
    pub variant: String,
    /// How many commands.
    pub commands: usize,
    /// Seconds of all of them, launches included.
    pub seconds: f64,
    /// FLOPs of all of them.
    pub flops: u64,
}

/// A step by its commands.
#[derive(Clone, Debug, Serialize)]
pub struct Breakdown {
    /// The step.
    pub step: String,
    /// By kernel and variant, the longest first.
    pub shares: Vec<Share>,
    /// Their sum in seconds: each command repeated by itself.
    pub sum: f64,
    /// The whole step in seconds, as it runs.
    pub whole: f64,
}

/// Times every command of a step by itself and the step as a whole. What a command finds in a cache may differ between
/// the two, so the sum is printed against the whole.
pub fn breakdown(device: &Device, timer: &Timer, step: &StepPlan) -> Result<Breakdown, BenchError> {
    let (mut session, loaded) = prepared(device, step)?;
    let whole = runs(session.as_mut(), loaded, 7, 2.0)?.median;
    check_losses(session.as_mut(), step)?;
    let mut by_kernel: BTreeMap<(&str, &str), Share> = BTreeMap::new();
    for (at, command) in step.plan.commands().iter().enumerate() {
        let seconds = timer.gross(session.as_mut(), loaded, at)?.median;
        let share =
            by_kernel.entry((command.shader.kernel, command.shader.variant)).or_insert_with(|| Share {
                kernel: command.shader.kernel.to_owned(),
                variant: command.shader.variant.to_owned(),
                commands: 0,
                seconds: 0.0,
                flops: 0,
            });
        share.commands += 1;
        share.seconds += seconds;
        share.flops += command.flops;
    }
    let mut shares: Vec<Share> = by_kernel.into_values().collect();
    shares.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let sum = shares.iter().map(|share| share.seconds).sum();
    Ok(Breakdown { step: step.name.clone(), shares, sum, whole })
}

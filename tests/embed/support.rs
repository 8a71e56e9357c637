//! A host, and pictures to train on.

use std::time::Duration;

use rationale::data::triangles::{self, Part, PatchRule, TriangleSet};
use rationale::data::{Dataset, Pixels};
use rationale::embed::{Mask, Picture, Progress, Setup, Trainer, requirements};
use rationale::gpu::{self, AdapterReport, Choice, Chosen};
use rationale::model::{Conv, Layer, MapShape, Mapping, ModelConfig};
use rationale::random::Seeds;
use rationale::train::TrainConfig;
use rationale::wgpu;

/// What a host owns.
pub struct Host {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub report: AdapterReport,
}

/// A device of the adapter `RATIONALE_TEST_DEVICE`, else the first Vulkan adapter. `None` only if `RATIONALE_TEST_WITHOUT_GPU`
/// waives it.
pub fn host() -> Option<Host> {
    host_with(requirements().limits)
}

pub fn host_with(limits: wgpu::Limits) -> Option<Host> {
    if std::env::var_os("RATIONALE_TEST_WITHOUT_GPU").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED: RATIONALE_TEST_WITHOUT_GPU=1, no GPU is tested");
        return None;
    }
    let wanted = std::env::var("RATIONALE_TEST_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let choice: Choice = wanted.parse().unwrap();
    let Chosen::Gpu(adapter, report, _) = gpu::choose(&choice).unwrap() else {
        panic!("the test adapter is no GPU")
    };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("host"),
        required_features: requirements().welcome & adapter.features(),
        required_limits: limits,
        ..Default::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    // A host may well end the program here: no call of the trainer's may ever get so far.
    device.on_uncaptured_error(std::sync::Arc::new(|error| panic!("reached the host's handler: {error}")));
    Some(Host { device, queue, report: *report })
}

impl Host {
    /// Waits for everything, as a host may and the trainer must not.
    pub fn wait(&self) {
        self.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
    }
}

pub const BUDGET: Duration = Duration::from_millis(4);

/// Spurious triangles as bytes.
pub fn pictures(count: usize) -> Dataset {
    let counts = triangles::balanced(count, 2);
    let mut data =
        triangles::generate(TriangleSet::ES, &counts, 5, Part::Train, PatchRule::Follows(1.0)).unwrap();
    if let Pixels::Float(values) = &data.pixels {
        data.pixels = Pixels::Byte(values.iter().map(|value| (255.0 * value).round() as u8).collect());
    }
    data
}

pub fn bytes(data: &Dataset, i: usize) -> &[u8] {
    let Pixels::Byte(bytes) = &data.pixels else { panic!("not bytes") };
    &bytes[i * data.picture_len()..][..data.picture_len()]
}

/// A network small enough for a software adapter, for 32×32 grey pictures.
pub fn setup(mapping: Mapping, capacity: usize) -> Setup {
    let conv = |out, kernel, stride| Layer::Conv(Conv { out, kernel, stride, padding: 1, dilation: 1 });
    Setup {
        model: ModelConfig {
            features: vec![conv(4, 5, 4), Layer::Relu, conv(8, 3, 2), Layer::Relu],
            mapping,
            classifier: vec![Layer::Output],
        },
        training: TrainConfig { batch: 8, epochs: 2, inner_steps: 2, ..TrainConfig::default() },
        seeds: Seeds::from_seed(1),
        ..Setup::new(MapShape { height: 32, width: 32, channels: 1 }, 2, capacity)
    }
}

pub fn prepare(trainer: &mut Trainer) {
    let mut calls = 0;
    while !trainer.prepare(BUDGET).unwrap().is_done() {
        calls += 1;
        assert!(calls < 100_000, "preparation does not end: {:?}", trainer.preparation());
    }
}

/// Pictures, labels and masks from host memory.
pub fn fill(trainer: &mut Trainer, data: &Dataset) {
    for i in 0..data.len() {
        trainer.set_picture(i, Picture::Grey(bytes(data, i))).unwrap();
        trainer.set_label(i, Some(data.labels[i])).unwrap();
        if data.explained[i] {
            trainer.set_mask(i, Mask::Bytes(data.mask(i))).unwrap();
        }
    }
}

/// Prepared, with pictures.
pub fn trainer(host: &Host, setup: &Setup, data: &Dataset) -> Trainer {
    let mut trainer = Trainer::new(&host.device, &host.queue, setup).unwrap();
    prepare(&mut trainer);
    fill(&mut trainer, data);
    trainer
}

/// Steps with this budget until so many epochs are done.
pub fn train(trainer: &mut Trainer, epochs: usize, budget: Duration) -> Progress {
    let mut calls = 0;
    loop {
        let progress = trainer.progress();
        if progress.epoch > epochs {
            return progress;
        }
        trainer.step(budget).unwrap();
        calls += 1;
        assert!(calls < 1_000_000, "training does not get on: {progress:?}");
    }
}

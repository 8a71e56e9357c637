//! What the rungs share.

use rationale::data::Dataset;
use rationale::data::triangles::{self, Part, PatchRule, TriangleSet};
use rationale::exec::Device;
use rationale::gpu::{Choice, GpuOptions};
use rationale::model::{Conv, Layer, Mapping, ModelConfig};
use rationale::train::TrainConfig;

/// The GPU adapter of the tests: `RATIONALE_TEST_DEVICE`, else the first Vulkan adapter. `None` only if the
/// variable `RATIONALE_TEST_WITHOUT_GPU` waives it; a missing adapter fails the run otherwise.
pub fn gpu() -> Option<Device> {
    gpu_with(GpuOptions::default())
}

pub fn gpu_with(options: GpuOptions) -> Option<Device> {
    if std::env::var_os("RATIONALE_TEST_WITHOUT_GPU").is_some_and(|value| value == "1") {
        eprintln!("SKIPPED: RATIONALE_TEST_WITHOUT_GPU=1, no GPU is tested");
        return None;
    }
    let wanted = std::env::var("RATIONALE_TEST_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let choice: Choice = wanted.parse().unwrap();
    match Device::open_with(&choice, options) {
        Ok(device) => Some(device),
        Err(error) => panic!(
            "{error}\nThe tests need a GPU adapter; `make test` installs a software one, and \
             RATIONALE_TEST_WITHOUT_GPU=1 waives it"
        ),
    }
}

pub fn cpu() -> Device {
    Device::open(&Choice::Cpu).unwrap()
}

/// The CPU, and the GPU unless it is waived.
pub fn devices() -> Vec<Device> {
    std::iter::once(cpu()).chain(gpu()).collect()
}

/// A few spurious triangles.
pub fn pictures(count: usize) -> Dataset {
    let counts = triangles::balanced(count, 2);
    triangles::generate(TriangleSet::ES, &counts, 5, Part::Train, PatchRule::Follows(1.0)).unwrap()
}

/// A network small enough for a software adapter.
pub fn small_model(mapping: Mapping) -> ModelConfig {
    let conv = |out, kernel, stride| Layer::Conv(Conv { out, kernel, stride, padding: 1, dilation: 1 });
    ModelConfig {
        features: vec![conv(4, 5, 4), Layer::Relu, conv(8, 3, 2), Layer::Relu],
        mapping,
        classifier: vec![Layer::Output],
    }
}

pub fn small_config() -> TrainConfig {
    TrainConfig { batch: 8, epochs: 2, inner_steps: 2, ..TrainConfig::default() }
}

//! The peer step in burn: 64×1×32×32, three 3×3 convolutions (16, 32, 64) with ReLU and 2×2 max pool, linear to 1024 with
//! ReLU, linear to 2, cross-entropy, SGD with momentum. One line of JSON, as `step_in_pytorch.py` prints it.
//!
//! `peer-step-in-burn wgpu|flex [samples]`; wgpu takes the adapter that wgpu's own variables name.

use std::time::Instant;

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLoss;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, SgdConfig};
use burn::prelude::*;
use burn::tensor::{DeviceKind, Distribution};

const BATCH: usize = 64;

#[derive(Module, Debug)]
struct Network {
    convolutions: Vec<Conv2d>,
    pool: MaxPool2d,
    relu: Relu,
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn new(device: &Device) -> Self {
        let convolution = |channels| {
            let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
            Conv2dConfig::new(channels, [3, 3]).with_padding(padding).init(device)
        };
        Self {
            convolutions: [[1, 16], [16, 32], [32, 64]].into_iter().map(convolution).collect(),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            relu: Relu::new(),
            hidden: LinearConfig::new(1024, 1024).init(device),
            output: LinearConfig::new(1024, 2).init(device),
        }
    }

    fn forward(&self, pictures: Tensor<4>) -> Tensor<2> {
        let mut x = pictures;
        for convolution in &self.convolutions {
            x = self.pool.forward(self.relu.forward(convolution.forward(x)));
        }
        let x = self.relu.forward(self.hidden.forward(x.reshape([BATCH, 1024])));
        self.output.forward(x)
    }
}

fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    sorted[low] + (sorted[high] - sorted[low]) * at.fract()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let backend = arguments.next().unwrap_or_else(|| "wgpu".to_owned());
    let samples: usize = arguments.next().map_or(15, |text| text.parse().expect("a number of samples"));
    let started = Instant::now();
    let device = match backend.as_str() {
        "wgpu" => Device::wgpu(DeviceKind::DefaultDevice),
        "flex" => Device::flex(),
        other => panic!("{other} is neither wgpu nor flex"),
    }
    .autodiff();

    let mut owned = Some(Network::new(&device));
    let momentum = MomentumConfig { momentum: 0.9, dampening: 0.0, nesterov: false };
    let mut optimizer = SgdConfig::new().with_momentum(Some(momentum)).init();
    let pictures = Tensor::<4>::random([BATCH, 1, 32, 32], Distribution::Uniform(0.0, 1.0), &device);
    let labels: Vec<i32> = (0..BATCH as i32).map(|i| i % 2).collect();
    let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &device);
    let entropy = CrossEntropyLoss::new(None, &device);
    let mut loss_value = f32::NAN;
    let mut run = |times: usize, read: bool| {
        let begin = Instant::now();
        for _ in 0..times {
            // The optimiser takes the model, so that it may update in place.
            let model = owned.take().expect("the model is put back after every step");
            let loss = entropy.forward(model.forward(pictures.clone()), labels.clone());
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            owned = Some(optimizer.step(1e-4, model, gradients));
            if read {
                loss_value = loss.into_scalar::<f32>();
            }
        }
        device.sync().expect("the device waits");
        begin.elapsed().as_secs_f64() / times as f64
    };

    run(1, true);
    let first = started.elapsed().as_secs_f64();
    // Autotuning goes on for some steps.
    let mut last = run(5, false);
    for _ in 0..10 {
        let next = run(5, false);
        let settled = (next - last).abs() <= 0.05 * last;
        last = next;
        if settled {
            break;
        }
    }
    let times = ((0.1 / last) as usize).clamp(1, 200);
    let mut found: Vec<f64> = (0..samples).map(|_| run(times, false)).collect();
    run(1, true);
    assert!(loss_value.is_finite(), "a timing of nonsense is thrown away");
    found.sort_by(f64::total_cmp);
    println!(
        "{}",
        serde_json::json!({
            "peer": format!("burn 0.22, {backend}"),
            "key": format!("burn-{backend}"),
            "seconds": {
                "median": quantile(&found, 0.5),
                "min": found[0],
                "quartiles": [quantile(&found, 0.25), quantile(&found, 0.75)],
                "samples": found.len(),
            },
            "first": first,
            "peak_memory": peak_memory(),
        })
    );
}

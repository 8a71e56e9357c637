//! Rung 3, second half: seeded random shapes, every variant that fits them. `RATIONALE_TEST_ROUNDS` sets how many.

use rationale::doctor;
use rationale::exec::Device;
use rationale::ops::{Case, Fill, Tolerance, conv2d, linear, max_pool};
use rationale::plan::{Plan, PlanError, Role, TensorId, Variants};
use rationale::random::Random;
use rationale::shader::DType;

use crate::support;

fn rounds() -> u64 {
    std::env::var("RATIONALE_TEST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12)
}

fn input(plan: &mut Plan, name: &str, dims: &[usize]) -> (TensorId, Fill) {
    (plan.add(name, dims, DType::F32, Role::Data).unwrap(), Fill::Normal(1.0))
}

struct Shape {
    text: String,
    replicas: usize,
    batch: usize,
    map: [usize; 2],
    c_in: usize,
    c_out: usize,
    settings: conv2d::Settings,
}

/// A shape whose output is not empty; a seed that draws no such shape draws again.
fn draw(seed: u64) -> Shape {
    let mut random = Random::new(seed, 77);
    let channels = [1, 2, 3, 4, 5, 8, 12, 13, 16, 20];
    loop {
        let mut up_to = |n: usize| 1 + random.below(n);
        let (replicas, batch, map) = (up_to(2), up_to(5), [up_to(20), up_to(20)]);
        let settings = conv2d::Settings {
            kernel: [up_to(5), up_to(5)],
            stride: [up_to(3), up_to(3)],
            padding: [up_to(4) - 1, up_to(4) - 1],
            dilation: [up_to(2), up_to(2)],
        };
        let (c_in, c_out) = (channels[up_to(10) - 1], channels[up_to(10) - 1]);
        let fits = (0..2).all(|axis| {
            conv2d::output_size(
                map[axis],
                settings.kernel[axis],
                settings.stride[axis],
                settings.padding[axis],
                settings.dilation[axis],
            )
            .is_some()
        });
        if fits {
            let text =
                format!("seed {seed}: {replicas}×{batch}×{}×{} {c_in}→{c_out} {settings:?}", map[0], map[1]);
            return Shape { text, replicas, batch, map, c_in, c_out, settings };
        }
    }
}

impl Shape {
    fn x(&self) -> [usize; 5] {
        [self.replicas, self.batch, self.map[0], self.map[1], self.c_in]
    }

    fn y(&self) -> [usize; 5] {
        let Shape { map, settings: s, .. } = self;
        let size = |axis: usize| {
            conv2d::output_size(map[axis], s.kernel[axis], s.stride[axis], s.padding[axis], s.dilation[axis])
                .unwrap()
        };
        [self.replicas, self.batch, size(0), size(1), self.c_out]
    }

    fn weight(&self) -> [usize; 5] {
        let [k_h, k_w] = self.settings.kernel;
        [self.replicas, k_h, k_w, self.c_in, self.c_out]
    }

    fn case(&self, kernel: &'static str, plan: Plan, inputs: Vec<(TensorId, Fill)>, terms: usize) -> Case {
        Case { kernel, shape: self.text.clone(), plan, inputs, tolerance: Tolerance::Dot { terms } }
    }

    fn cases(&self, variants: &Variants) -> Result<Vec<Case>, PlanError> {
        let new = || Plan::with_variants("random", variants);
        let [_, k_h, k_w, c_in, c_out] = self.weight();
        let [_, n, h_out, w_out, _] = self.y();
        let mut cases = Vec::new();

        let mut plan = new();
        let inputs = vec![
            input(&mut plan, "x", &self.x()),
            input(&mut plan, "weight", &self.weight()),
            input(&mut plan, "bias", &[self.replicas, c_out]),
        ];
        conv2d::forward(&mut plan, "conv", inputs[0].0, inputs[1].0, inputs[2].0, self.settings, false)?;
        cases.push(self.case("conv2d_forward", plan, inputs, k_h * k_w * c_in + 1));

        let mut plan = new();
        let inputs = vec![input(&mut plan, "d_y", &self.y()), input(&mut plan, "weight", &self.weight())];
        conv2d::backward_input(&mut plan, "conv", inputs[0].0, inputs[1].0, &self.x(), self.settings)?;
        cases.push(self.case("conv2d_backward_input", plan, inputs, k_h * k_w * c_out));

        let mut plan = new();
        let inputs = vec![input(&mut plan, "x", &self.x()), input(&mut plan, "d_y", &self.y())];
        let (d_weight, _) = input(&mut plan, "d_weight", &self.weight());
        conv2d::backward_weight(&mut plan, "conv", inputs[0].0, inputs[1].0, d_weight, self.settings)?;
        cases.push(self.case("conv2d_backward_weight", plan, inputs, n * h_out * w_out));

        let d_in: usize = self.x()[2..].iter().product();
        let weight = [self.replicas, d_in, c_out];
        let mut plan = new();
        let inputs = vec![
            input(&mut plan, "x", &self.x()),
            input(&mut plan, "weight", &weight),
            input(&mut plan, "bias", &[self.replicas, c_out]),
        ];
        linear::forward(&mut plan, "linear", inputs[0].0, inputs[1].0, inputs[2].0, false)?;
        cases.push(self.case("linear_forward", plan, inputs, d_in + 1));

        let d_y = [self.replicas, n, c_out];
        let mut plan = new();
        let inputs = vec![input(&mut plan, "d_y", &d_y), input(&mut plan, "weight", &weight)];
        linear::backward_input(&mut plan, "linear", inputs[0].0, inputs[1].0, &self.x())?;
        cases.push(self.case("linear_backward_input", plan, inputs, c_out));

        let mut plan = new();
        let inputs = vec![input(&mut plan, "x", &self.x()), input(&mut plan, "d_y", &d_y)];
        let (d_weight, _) = input(&mut plan, "d_weight", &weight);
        linear::backward_weight(&mut plan, "linear", inputs[0].0, inputs[1].0, d_weight)?;
        cases.push(self.case("linear_backward_weight", plan, inputs, n));

        // Pooling wants less padding than window.
        let window = self.settings.kernel;
        let pool = max_pool::Settings {
            kernel: window,
            stride: self.settings.stride,
            padding: window.map(|k| k / 2),
        };
        if (0..2).all(|axis| self.map[axis] + 2 * pool.padding[axis] >= window[axis]) {
            let mut plan = new();
            let inputs = vec![input(&mut plan, "x", &self.x())];
            max_pool::forward(&mut plan, "pool", inputs[0].0, pool)?;
            let tolerance = Tolerance::Exact;
            cases.push(Case {
                kernel: "max_pool_forward",
                shape: self.text.clone(),
                plan,
                inputs,
                tolerance,
            });
        }
        Ok(cases)
    }
}

fn check(device: &Device) {
    let first: Variants = rationale::kernels::KERNELS
        .iter()
        .map(|kernel| (kernel.name.to_owned(), kernel.variants[0].to_owned()))
        .collect();
    for seed in 0..rounds() {
        // The best variant that fits, the best that needs no feature, and the fallback.
        let best = Variants::new().on(device.limits().target);
        for variants in [&best, &Variants::new(), &first] {
            for case in draw(seed).cases(variants).unwrap() {
                let finding = doctor::examine(device, &case, seed).unwrap();
                assert!(
                    finding.passed(),
                    "{}: {} ({}), {}: {:?}",
                    device.title(),
                    finding.kernel,
                    finding.variant,
                    finding.shape,
                    finding.fault
                );
            }
        }
    }
}

#[test]
fn random_shapes_agree_on_the_gpu() {
    if let Some(device) = support::gpu() {
        check(&device);
    }
}

#[test]
fn random_shapes_agree_on_the_cpu() {
    check(&support::cpu());
}

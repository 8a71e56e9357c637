//! Example 5 of 5. A kernel of one's own in a plan: WGSL (`shrink.wgsl`), its twin in Rust, and a check of one against the other.
//!
//! ```sh
//! cargo run --release --example custom_kernel
//! ```

#![allow(clippy::print_stdout)]

use std::error::Error;

use rationale::cpu::{ArgError, Args, Real, Slice};
use rationale::exec::Device;
use rationale::gpu::Choice;
use rationale::ops;
use rationale::plan::{Plan, PlanError, Record, Role, TensorId, Variants, Work};
use rationale::random::Random;
use rationale::shader::{Binding, DType, Field, Shader};

rationale::params! {
    /// Uniform of `shrink_forward`; its members stand in the order of the shader's.
    pub struct Shrink {
        /// Elements.
        count: u32,
        /// What is taken off.
        threshold: f32,
    }
}

/// What the build script reads off the crate's own shaders, said by hand.
static SHRINK: Shader = Shader {
    kernel: "shrink_forward",
    variant: "direct",
    path: "examples/shrink.wgsl",
    source: include_str!("shrink.wgsl"),
    workgroup_size: [64, 1, 1],
    bindings: &[
        Binding { name: "x", writes: false, dtype: DType::F32 },
        Binding { name: "y", writes: true, dtype: DType::F32 },
    ],
    uniform: &[
        Field { name: "count", offset: 0, dtype: DType::U32 },
        Field { name: "threshold", offset: 4, dtype: DType::F32 },
    ],
    uniform_size: 8,
    constants: &[],
    subgroup_size: None,
    workgroup_bytes: 0,
};

/// The twin: the same formula for f32 and f64.
fn twin<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let Shrink { threshold, .. } = args.params()?;
    let (x, y) = (args.read()?, args.write()?);
    let threshold = T::from_f32(threshold);
    for (y, &x) in y.iter_mut().zip(x) {
        *y = if x < T::ZERO { -(-x - threshold).max(T::ZERO) } else { (x - threshold).max(T::ZERO) };
    }
    Ok(())
}

/// The operation: shapes, the grid and the command.
fn shrink(plan: &mut Plan, label: &str, x: TensorId, threshold: f32) -> Result<TensorId, PlanError> {
    let dims = plan.dims(x).to_vec();
    let y = plan.add(format!("{label}.y"), &dims, DType::F32, Role::Output)?;
    let count = plan.tensor(x).len();
    plan.record(
        Record::new(&SHRINK, label)
            .args([x, y])
            .params(&Shrink { count: count as u32, threshold })
            .work(Work::Invocations(count))
            .flops(3 * count),
    )?;
    Ok(y)
}

fn main() -> Result<(), Box<dyn Error>> {
    // The CPU device finds twins in the crate's own table, so a kernel of one's own runs on a GPU.
    let device = Device::open(&Choice::Name("vulkan".to_owned()))?;
    println!("device: {}", device.title());
    let mut plan = Plan::with_variants("custom", &Variants::new().on(device.limits().target));
    let input = plan.add("input", &[1, 1000], DType::F32, Role::Data)?;
    // Between the crate's operations it is one command like any other.
    let positive = ops::relu::forward(&mut plan, "relu", input)?;
    let output = shrink(&mut plan, "shrink", positive, 0.3)?;
    let output = plan.tensor(output).name.clone();
    print!("{}", plan.table());

    let mut random = Random::new(1, 0);
    let values: Vec<f32> = (0..1000).map(|_| random.normal() as f32).collect();
    let mut session = device.session();
    let loaded = session.load(&plan)?;
    session.write("input", &values)?;
    session.run(loaded, 1)?;
    let found = session.read_output(loaded, &output)?;

    // The oracle is the twin in f64.
    let positive: Vec<f64> = values.iter().map(|&x| f64::from(x.max(0.0))).collect();
    let mut expected = vec![0.0; 1000];
    let params = Shrink { count: 1000, threshold: 0.3 };
    let slices = [Slice::Read(&positive), Slice::Write(&mut expected)];
    twin(&mut Args::new(bytemuck::bytes_of(&params), slices))?;
    let error = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    // One subtraction, rounded once: half a unit in the last place of a value below 4.
    let bound = 2.0 * f64::from(f32::EPSILON);
    println!(
        "largest error {error:.1e}, bound {bound:.1e}, nonzero {}",
        found.iter().filter(|&&y| y != 0.0).count()
    );
    if error > bound { Err("the kernel and its twin disagree".into()) } else { Ok(()) }
}

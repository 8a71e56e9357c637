//! One variant of one kernel at one shape: right or not, and how fast beside the device's ceilings.

use serde::Serialize;

use super::{BenchError, Ceilings, Shape, Spread, Timer, shapes};
use crate::doctor::{self, Finding};
use crate::exec::Device;
use crate::kernels::{KERNELS, Kernel};
use crate::plan::Target;

/// FLOPs above which the f64 twin takes too long to be the reference.
const TWIN_FLOPS: u64 = 500_000_000;
/// Seconds at the multiply-add ceiling beyond which a shape is too large for the device.
const LONGEST: f64 = 0.02;

/// What a result was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The f64 twin, within the bound that follows from the arithmetic.
    Twin,
    /// Nothing at this shape: too large for the twin. The same variant was held against it at the smaller shapes.
    SmallerShapes,
}

/// What keeps a kernel from being faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundBy {
    /// Copy bandwidth.
    Memory,
    /// Multiply-adds.
    Arithmetic,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The kernel.
    pub kernel: String,
    /// Its variant.
    pub variant: String,
    /// The shape's name.
    pub shape: String,
    /// What the result was held against.
    pub against: Against,
    /// Largest error over the largest value expected.
    pub error: Option<f64>,
    /// Largest error as a share of its bound.
    pub of_bound: Option<f64>,
    /// What is wrong; then nothing is timed.
    pub fault: Option<String>,
    /// FLOPs of the command.
    pub flops: u64,
    /// Bytes of its arguments, each once.
    pub bytes: u64,
    /// FLOPs per byte.
    pub intensity: f64,
    /// Seconds of a run without its launch.
    pub seconds: Option<Spread>,
    /// FLOPs per second, by the median.
    pub flops_rate: Option<f64>,
    /// Bytes per second, by the median.
    pub bytes_rate: Option<f64>,
    /// What the lower of the two roofs allows over what was measured: 1 is the ceiling.
    pub of_ceiling: Option<f64>,
    /// Which roof is the lower one.
    pub bound_by: BoundBy,
}

/// The kernels, variants and shapes that a device can run and whose names contain these, in the order of the table of kernels.
pub fn kernel_plans(
    kernel: Option<&str>,
    shape: Option<&str>,
    target: Target,
) -> Result<Vec<(&'static Kernel, &'static str, Shape)>, BenchError> {
    let wanted = |name: &str, part: Option<&str>| {
        part.is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
    };
    let mut found = Vec::new();
    for row in KERNELS.iter().filter(|row| wanted(row.name, kernel)) {
        for variant in row.variants {
            let own = shapes(row, variant, target)?.into_iter().filter(|s| wanted(&s.name, shape));
            found.extend(own.map(|shape| (row, *variant, shape)));
        }
    }
    Ok(found)
}

/// Benches every variant of every kernel at every shape that fits the filters and the device; `report` is called after
/// each.
pub fn bench_kernels(
    device: &Device,
    timer: &Timer,
    ceilings: &Ceilings,
    (kernel, shape): (Option<&str>, Option<&str>),
    mut report: impl FnMut(&Row),
) -> Result<Vec<Row>, BenchError> {
    let mut rows = Vec::new();
    for (kernel, variant, shape) in kernel_plans(kernel, shape, device.limits().target)? {
        // The CPU runs the same twin for every variant.
        let repeated = matches!(device, Device::Cpu { .. }) && kernel.variants.first() != Some(&variant);
        let too_long = shape.flops() as f64 > LONGEST * ceilings.fma && shape.flops() > TWIN_FLOPS;
        if repeated || too_long || shape.case.plan.check(&device.limits()).is_err() {
            continue;
        }
        if let Some(row) = bench(device, timer, ceilings, &shape)? {
            report(&row);
            rows.push(row);
        }
    }
    Ok(rows)
}

fn bench(
    device: &Device,
    timer: &Timer,
    ceilings: &Ceilings,
    shape: &Shape,
) -> Result<Option<Row>, BenchError> {
    let Some(at) = shape.command() else { return Ok(None) };
    let command = &shape.case.plan.commands()[at];
    let (flops, bytes) = (command.flops, command.bytes(&shape.case.plan));
    let finding: Option<Finding> = match flops {
        0..=TWIN_FLOPS => Some(doctor::examine(device, &shape.case, 0)?),
        _ => None,
    };
    let compute = flops as f64 / ceilings.fma > bytes as f64 / ceilings.copy;
    let mut row = Row {
        kernel: command.shader.kernel.to_owned(),
        variant: command.shader.variant.to_owned(),
        shape: shape.name.clone(),
        against: if finding.is_some() { Against::Twin } else { Against::SmallerShapes },
        error: finding.as_ref().map(|finding| finding.error),
        of_bound: finding.as_ref().map(|finding| finding.worst),
        fault: finding.and_then(|finding| finding.fault),
        flops,
        bytes,
        intensity: flops as f64 / bytes as f64,
        seconds: None,
        flops_rate: None,
        bytes_rate: None,
        of_ceiling: None,
        bound_by: if compute { BoundBy::Arithmetic } else { BoundBy::Memory },
    };
    if row.fault.is_some() {
        return Ok(Some(row));
    }
    let seconds = time(device, timer, shape, at)?;
    // Below a fifth of a launch nothing is known but that it is little.
    if seconds.median > 0.2 * timer.launch {
        row.flops_rate = (flops > 0).then(|| flops as f64 / seconds.median);
        row.bytes_rate = Some(bytes as f64 / seconds.median);
        row.of_ceiling = Some(ceilings.floor(flops, bytes) / seconds.median);
    }
    row.seconds = Some(seconds);
    Ok(Some(row))
}

fn time(device: &Device, timer: &Timer, shape: &Shape, command: usize) -> Result<Spread, BenchError> {
    let mut session = device.session();
    let loaded = session.load(&shape.case.plan)?;
    doctor::fill(session.as_mut(), &shape.case, 0)?;
    session.run(loaded, 1)?;
    session.wait()?;
    Ok(timer.net(&timer.gross(session.as_mut(), loaded, command)?))
}

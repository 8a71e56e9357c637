//! Is this device right? Every kernel, in every variant, on awkward shapes, against its f64 twin and its bound.

use serde::Serialize;

use crate::exec::{CpuSession, Device, ExecError, GpuSession, Loaded, Options, Session};
use crate::kernels::KERNELS;
use crate::ops::{self, Case, Fill, Tolerance};
use crate::plan::{Tensor, TensorId, Variants};
use crate::random::Random;
use crate::shader::DType;

/// How one variant of one kernel did at one shape.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The kernel.
    pub kernel: String,
    /// Its variant.
    pub variant: String,
    /// The shape.
    pub shape: String,
    /// Seed of the inputs.
    pub seed: u64,
    /// Largest error as a share of its bound; at most 1 in a sound kernel.
    pub worst: f64,
    /// Largest absolute error, as a share of the largest finite value expected.
    pub error: f64,
    /// What is wrong, in words; `None` when nothing is.
    pub fault: Option<String>,
}

impl Finding {
    /// Whether every output lies within its bound and nothing else was touched.
    pub fn passed(&self) -> bool {
        self.fault.is_none()
    }
}

/// The inputs of a case, drawn from a seed.
pub fn draw(case: &Case, seed: u64) -> Vec<(String, Vec<u32>)> {
    let mut inputs = Vec::new();
    for (i, (tensor, fill)) in case.inputs.iter().enumerate() {
        let tensor = case.plan.tensor(*tensor);
        let mut random = Random::new(seed, i as u64);
        let words = (0..tensor.len()).map(|k| match fill {
            Fill::Normal(scale) => (random.normal() as f32 * scale).to_bits(),
            Fill::Uniform(low, high) => (random.uniform(f64::from(*low), f64::from(*high)) as f32).to_bits(),
            Fill::Below(bound) => random.below(*bound as usize) as u32,
            Fill::Floats(values) => values[k % values.len()].to_bits(),
            Fill::Indices(values) => values[k % values.len()],
        });
        inputs.push((tensor.name.clone(), words.collect()));
    }
    inputs
}

fn fill_with(session: &mut dyn Session, case: &Case, seed: u64, absolute: bool) -> Result<(), ExecError> {
    for ((tensor, _), (name, words)) in case.inputs.iter().zip(draw(case, seed)) {
        match case.plan.tensor(*tensor).dtype {
            DType::U32 => session.write_index(&name, &words)?,
            DType::F32 => {
                let values: Vec<f32> = words
                    .into_iter()
                    .map(f32::from_bits)
                    .map(|value| if absolute { value.abs() } else { value })
                    .collect();
                session.write(&name, &values)?;
            }
        }
    }
    Ok(())
}

/// Writes a case's inputs, drawn from a seed, into a session that has loaded its plan.
pub fn fill(session: &mut dyn Session, case: &Case, seed: u64) -> Result<(), ExecError> {
    fill_with(session, case, seed, false)
}

/// The outputs under test: what the last command of the case's kernel writes.
fn outputs(case: &Case) -> Vec<TensorId> {
    let last = case.plan.commands().iter().rev().find(|command| command.shader.kernel == case.kernel);
    last.map(|command| command.args.iter().filter(|arg| arg.writes).map(|arg| arg.tensor).collect())
        .unwrap_or_default()
}

/// A tensor as floats. Packed words become two each, low half first: a float does not hold all bits of a word.
fn read(session: &mut dyn Session, loaded: Loaded, tensor: &Tensor) -> Result<Vec<f32>, ExecError> {
    if tensor.dtype == DType::U32 && tensor.role.is_persistent() {
        let halves = |word: u32| [(word & 0xffff) as f32, (word >> 16) as f32];
        return Ok(session.read_index(&tensor.name)?.into_iter().flat_map(halves).collect());
    }
    session.read_output(loaded, &tensor.name)
}

fn oracle(case: &Case, seed: u64, absolute: bool) -> Result<Vec<Vec<f64>>, ExecError> {
    let mut session = CpuSession::<f64>::new();
    let loaded = session.load(&case.plan)?;
    fill_with(&mut session, case, seed, absolute)?;
    session.run(loaded, 1)?;
    outputs(case)
        .into_iter()
        .map(|tensor| {
            let tensor = case.plan.tensor(tensor);
            match tensor.dtype {
                DType::F32 => session.read_real(loaded, &tensor.name),
                DType::U32 => {
                    let values = read(&mut session, loaded, tensor)?;
                    Ok(values.into_iter().map(f64::from).collect())
                }
            }
        })
        .collect()
}

/// Largest error of `found` as a share of its bound, and where. A NaN or an infinity must be met by its like.
pub fn compare(
    found: &[f32],
    expected: &[f64],
    magnitude: Option<&[f64]>,
    tolerance: &Tolerance,
) -> (f64, usize) {
    const U: f64 = 1.0 / (1u64 << 24) as f64;
    let mut worst = (0.0, 0);
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let rounded = expected as f32;
        let share = if found.to_bits() == rounded.to_bits()
            || found == rounded
            || (found.is_nan() && expected.is_nan())
        {
            0.0
        } else if !found.is_finite() || !rounded.is_finite() {
            f64::INFINITY
        } else {
            let bound = match tolerance {
                Tolerance::Exact => 0.0,
                Tolerance::Dot { terms } => {
                    let n = (*terms as f64 + 2.0) * U;
                    n / (1.0 - n) * magnitude.map_or(expected.abs(), |m| m[i].abs())
                }
                Tolerance::Mixed { relative, absolute } => relative * expected.abs() + absolute,
            };
            // Results below the smallest normal number may be flushed to zero.
            (f64::from(found) - expected).abs() / (bound + f64::from(f32::MIN_POSITIVE))
        };
        if share > worst.0 {
            worst = (share, i);
        }
    }
    worst
}

/// Largest |found − expected| over largest |expected|, among what is finite.
pub(crate) fn relative_error(found: &[f32], expected: &[f64]) -> f64 {
    let finite = || found.iter().zip(expected).filter(|(f, e)| f.is_finite() && e.is_finite());
    let largest = finite().map(|(_, e)| e.abs()).fold(0.0, f64::max);
    let error = finite().map(|(f, e)| (f64::from(*f) - e).abs()).fold(0.0, f64::max);
    if largest > 0.0 { error / largest } else { error }
}

/// Runs one case on a device and holds the result against the oracle.
pub fn examine(device: &Device, case: &Case, seed: u64) -> Result<Finding, ExecError> {
    let expected = oracle(case, seed, false)?;
    let magnitudes = match case.tolerance {
        Tolerance::Dot { .. } => Some(oracle(case, seed, true)?),
        _ => None,
    };
    let run = |session: &mut dyn Session, loaded: Loaded| -> Result<Vec<Vec<f32>>, ExecError> {
        fill(session, case, seed)?;
        session.run(loaded, 1)?;
        outputs(case).into_iter().map(|tensor| read(session, loaded, case.plan.tensor(tensor))).collect()
    };
    let mut broken = Vec::new();
    let found = match device {
        Device::Cpu { .. } => {
            let mut session = CpuSession::<f32>::new();
            let loaded = session.load(&case.plan)?;
            run(&mut session, loaded)?
        }
        Device::Gpu { gpu, .. } => {
            let mut session = GpuSession::new(std::rc::Rc::clone(gpu), Options { guards: true });
            let loaded = session.load(&case.plan)?;
            let found = run(&mut session, loaded)?;
            broken = session.broken_guards()?;
            found
        }
    };

    let (mut worst, mut error) = (0.0, 0.0);
    let mut fault = (!broken.is_empty()).then(|| format!("wrote outside of {}", broken.join(", ")));
    for (i, tensor) in outputs(case).into_iter().enumerate() {
        let magnitude = magnitudes.as_ref().map(|m| m[i].as_slice());
        let (share, at) = compare(&found[i], &expected[i], magnitude, &case.tolerance);
        worst = f64::max(worst, share);
        error = f64::max(error, relative_error(&found[i], &expected[i]));
        if share > 1.0 && fault.is_none() {
            fault = Some(format!(
                "`{}`[{at}] is {}, expected {}: {share:.3} times its bound",
                case.plan.tensor(tensor).name,
                found[i][at],
                expected[i][at],
            ));
        }
    }
    let variant = case.plan.commands().iter().rev().find(|command| command.shader.kernel == case.kernel);
    Ok(Finding {
        kernel: case.kernel.to_owned(),
        variant: variant.map_or("none", |command| command.shader.variant).to_owned(),
        shape: case.shape.clone(),
        seed,
        worst,
        error,
        fault,
    })
}

/// Every case of every variant of every kernel. `report` is called after each.
pub fn examine_all(device: &Device, mut report: impl FnMut(&Finding)) -> Result<Vec<Finding>, ExecError> {
    let mut findings = Vec::new();
    let target = device.limits().target;
    for kernel in KERNELS {
        for (v, variant) in kernel.variants.iter().enumerate() {
            // The CPU runs the same twin for every variant.
            if v > 0 && matches!(device, Device::Cpu { .. }) {
                break;
            }
            let forced = Variants::from([(kernel.name.to_owned(), (*variant).to_owned())]).on(target);
            let cases = ops::cases(&forced)?;
            let own = cases.iter().filter(|case| {
                case.kernel == kernel.name
                    && case
                        .plan
                        .commands()
                        .iter()
                        .any(|c| c.shader.kernel == kernel.name && c.shader.variant == *variant)
            });
            for (seed, case) in own.enumerate() {
                let finding = examine(device, case, seed as u64)?;
                report(&finding);
                findings.push(finding);
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{DeviceClass, Target};

    #[test]
    fn a_comparison_finds_what_is_wrong() {
        let near = Tolerance::Mixed { relative: 1e-6, absolute: 0.0 };
        let share =
            |found, expected, tolerance: &Tolerance| compare(&[found], &[expected], None, tolerance).0;
        assert_eq!(share(1.0, 1.0, &Tolerance::Exact), 0.0);
        assert_eq!(share(f32::NAN, f64::NAN, &Tolerance::Exact), 0.0);
        assert!(share(1.000_001, 1.0, &Tolerance::Exact) > 1.0);
        assert!(share(1.000_000_5, 1.0, &near) < 1.0);
        assert!(share(1.000_01, 1.0, &near) > 1.0);
        assert!(share(f32::NAN, 1.0, &near) > 1.0);
        assert!(share(1.0, f64::NAN, &near) > 1.0);
        assert!(share(f32::INFINITY, 1.0, &near) > 1.0);
        let dot = Tolerance::Dot { terms: 10 };
        // Cancellation: a large sum of absolute values excuses a large relative error, a small one does not.
        assert!(compare(&[1e-6], &[0.0], Some(&[10.0]), &dot).0 < 1.0);
        assert!(compare(&[1e-6], &[0.0], Some(&[0.1]), &dot).0 > 1.0);
    }

    #[test]
    fn every_variant_has_a_case() {
        for kernel in KERNELS {
            for variant in kernel.variants {
                let everything = Target {
                    class: DeviceClass::Hardware,
                    subgroup_size: Some(8),
                    workgroup_bytes: 16 << 10,
                };
                let forced = Variants::from([(kernel.name.to_owned(), (*variant).to_owned())]).on(everything);
                let cases = ops::cases(&forced).unwrap();
                let has = cases.iter().any(|case| {
                    case.kernel == kernel.name
                        && case
                            .plan
                            .commands()
                            .iter()
                            .any(|c| c.shader.kernel == kernel.name && c.shader.variant == *variant)
                });
                assert!(has, "{} ({variant}) has no case", kernel.name);
            }
        }
    }
}

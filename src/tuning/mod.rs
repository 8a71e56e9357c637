//! The tuner: for each product of a plan, which of the variants that fit is fastest on this device. It is run by hand
//! (`rationale tune-kernels`), never in a frame or a test; what it finds is remembered in a file ([`Remembered`]) for
//! runs that ask for it. A tuned choice changes bits within a kernel's bound; a run records its choices and resumes with
//! these, so that its bits do not hang on the file.

#[cfg(feature = "runs")]
mod file;
mod time;

use std::time::Duration;

#[cfg(feature = "runs")]
pub use file::{Found, Remembered, path};

use crate::exec::{Device, ExecError};
use crate::plan::{Choice, DeviceClass, Plan, Variants};
use crate::time::Instant;

/// Candidates of one choice, at most.
const CANDIDATES: usize = 4;
/// A variant displaces the default where it takes less than this share of its time: timings scatter.
const WORTH_IT: f64 = 0.95;

/// What was found for one choice.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The choice, as it stands in [`Variants`].
    pub key: String,
    /// What the command does, in the first plan that has the choice.
    pub label: String,
    /// Floating-point operations of the choice's commands.
    pub flops: u64,
    /// Each candidate and its seconds, the default first.
    pub times: Vec<(&'static str, f64)>,
    /// The one to take.
    pub chosen: &'static str,
}

/// What a tuning came to.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// Most floating-point operations first.
    pub tuned: Vec<Tuned>,
    /// Choices that the time did not suffice for: they keep their default.
    pub left_out: usize,
    /// Seconds that it took.
    pub seconds: f64,
}

impl Tuning {
    /// The choices, for a plan on the same device.
    pub fn variants(&self) -> Variants {
        self.tuned.iter().map(|tuned| (tuned.key.clone(), tuned.chosen.to_owned())).collect()
    }
}

/// Times the candidates of every choice in the plans that `record` makes, on scratch tensors of zeros, until `budget`
/// is spent. The CPU device has one twin for all variants: there it finds nothing.
pub fn tune<E: From<ExecError>>(
    device: &Device,
    budget: Duration,
    record: impl Fn(&Variants) -> Result<Vec<Plan>, E>,
) -> Result<Tuning, E> {
    let start = Instant::now();
    let target = device.limits().target;
    if target.class == DeviceClass::Plain {
        return Ok(Tuning::default());
    }
    let mut open: Vec<(Choice, String, u64)> = Vec::new();
    for plan in record(&Variants::new().on(target))? {
        for choice in plan.choices() {
            if choice.fitting.len() > 1 && open.iter().all(|(other, ..)| other.key != choice.key) {
                let excerpt = plan.excerpt(choice).map_err(ExecError::from)?;
                let label = excerpt.commands().first().map(|command| command.label.clone());
                open.push((choice.clone(), label.unwrap_or_default(), excerpt.flops()));
            }
        }
    }
    // What matters most first, in case the time does not suffice.
    open.sort_by_key(|(_, _, flops)| std::cmp::Reverse(*flops));

    let mut tuning = Tuning::default();
    for (choice, label, flops) in open {
        let mut times = Vec::new();
        let candidates: Vec<_> = choice.fitting.iter().copied().take(CANDIDATES).collect();
        for &candidate in &candidates {
            if start.elapsed() >= budget {
                break;
            }
            let forced = Variants::from([(choice.kernel.to_owned(), candidate.to_owned())]).on(target);
            let plans = record(&forced)?;
            let found = plans
                .iter()
                .find_map(|plan| plan.choices().iter().find(|c| c.key == choice.key).map(|c| (plan, c)));
            let Some((plan, own)) = found.filter(|(_, own)| own.chosen == candidate) else { continue };
            let excerpt = plan.excerpt(own).map_err(ExecError::from)?;
            let best = times.iter().map(|(_, seconds)| *seconds).fold(f64::INFINITY, f64::min);
            times.push((candidate, time::seconds(device, &excerpt, best)?));
        }
        if times.len() < candidates.len() {
            tuning.left_out += 1;
            continue;
        }
        let chosen = fastest(&times);
        tuning.tuned.push(Tuned { key: choice.key, label, flops, times, chosen });
    }
    tuning.seconds = start.elapsed().as_secs_f64();
    Ok(tuning)
}

/// The fastest, or the default, which stands first, if none is clearly faster.
fn fastest(times: &[(&'static str, f64)]) -> &'static str {
    let Some(&(default, of_default)) = times.first() else { return "direct" };
    let best = times.iter().min_by(|(_, a), (_, b)| a.total_cmp(b));
    match best {
        Some(&(name, seconds)) if seconds < WORTH_IT * of_default => name,
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Choice as DeviceChoice;
    use crate::ops::linear;
    use crate::plan::{DeviceClass, Role, Target};
    use crate::shader::DType;

    #[test]
    fn the_default_stays_unless_another_is_clearly_faster() {
        assert_eq!(fastest(&[("a", 1.0), ("b", 0.97), ("c", 2.0)]), "a");
        assert_eq!(fastest(&[("a", 1.0), ("b", 0.9), ("c", 0.5)]), "c");
        assert_eq!(fastest(&[("a", f64::NAN), ("b", 0.9)]), "a");
    }

    fn plan(variants: &Variants) -> Plan {
        let mut plan = Plan::with_variants("two layers", variants);
        let x = plan.add("x", &[2, 300, 16], DType::F32, Role::Data).unwrap();
        let d_weight = plan.activation("d_weight", &[2, 16, 32]).unwrap();
        let d_y = plan.activation("d_y", &[2, 300, 32]).unwrap();
        linear::backward_weight(&mut plan, "first", x, d_y, d_weight).unwrap();
        linear::backward_weight(&mut plan, "second", x, d_y, d_weight).unwrap();
        plan
    }

    #[test]
    fn an_excerpt_holds_the_commands_of_one_choice_and_their_tensors() {
        let target =
            Target { class: DeviceClass::Software, subgroup_size: Some(8), workgroup_bytes: 16 << 10 };
        let forced =
            Variants::from([("linear_backward_weight".to_owned(), "subgroup".to_owned())]).on(target);
        let plan = plan(&forced);
        assert_eq!(plan.choices().len(), 2);
        for (choice, name) in plan.choices().iter().zip(["first", "second"]) {
            assert_eq!(choice.chosen, "subgroup");
            assert!(choice.key.ends_with("@300x16x32"), "{}", choice.key);
            let excerpt = plan.excerpt(choice).unwrap();
            let labels: Vec<&str> = excerpt.commands().iter().map(|c| c.label.as_str()).collect();
            assert_eq!(labels, [format!("{name} backward weight"), format!("{name} backward weight sum")]);
            assert_eq!(excerpt.tensors().len(), 4);
        }
    }

    #[test]
    fn there_is_nothing_to_tune_on_the_cpu() {
        let device = Device::open(&DeviceChoice::Cpu).unwrap();
        let record = |variants: &Variants| Ok::<_, ExecError>(vec![plan(variants)]);
        let tuning = tune(&device, Duration::from_secs(1), record).unwrap();
        assert!(tuning.tuned.is_empty() && tuning.left_out == 0);
    }
}

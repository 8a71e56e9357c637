//! Sums in a fixed order: over slices of a cut sum, and over everything but the replicas.

use super::{Case, Fill, Tolerance, shape_error};
use crate::cpu::reduce::{Sum, SumSlices};
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};
use crate::shader::Shader;

/// Invocations per replica that keep a device busy, if each makes one output.
const BUSY: usize = 16_384;
/// The same, if each makes a block of outputs.
const BUSY_BLOCKS: usize = 2_048;
/// Workgroups per replica that do, if each makes a tile: about the multiprocessors of a large GPU.
const BUSY_TILES: usize = 128;
/// Blocks per replica that keep a device busy with a kernel.
pub(crate) fn busy(shader: &Shader) -> usize {
    match shader.subgroup_size {
        Some(lanes) => BUSY_BLOCKS.div_ceil(lanes as usize),
        None if shader.workgroup_bytes > 0 => BUSY_TILES,
        None if shader.constant("ROWS").is_some() => BUSY_BLOCKS,
        None => BUSY,
    }
}

/// A slice shorter than this is not worth its share of the second pass.
const SHORTEST: usize = 64;
/// A slice longer than this makes one invocation late, and nears [`crate::plan::MAX_ITERATIONS`].
const LONGEST: usize = 8_192;

/// How a sum of `terms` terms is cut where one replica has `invocations` of them at work and a device wants `busy`:
/// how many slices, and the terms of each but the last. Does not look at the number of replicas, so that each gets
/// the bits of a single run.
pub(crate) fn slicing(terms: usize, invocations: usize, busy: usize) -> (usize, usize) {
    let wanted = busy.div_ceil(invocations.max(1));
    let length = terms.div_ceil(wanted).clamp(SHORTEST, LONGEST).min(terms).max(1);
    (terms.div_ceil(length).max(1), length)
}

/// Where the slices of a cut sum go: into `target` itself when there is but one, else into a fresh `[R, S, L]`.
pub(crate) fn partial(plan: &mut Plan, target: TensorId, slices: usize) -> Result<TensorId, PlanError> {
    if slices == 1 {
        return Ok(target);
    }
    let replicas = plan.dims(target)[0];
    let length = plan.tensor(target).len() / replicas;
    let name = plan.fresh_name(&format!("{}.slices", plan.tensor(target).name));
    plan.activation(name, &[replicas, slices, length])
}

/// Records out = Σ over s of `partial`; partial is `[R, S, L]` and out is `[R, …]` with L elements per replica.
pub fn sum_slices(plan: &mut Plan, label: &str, partial: TensorId, out: TensorId) -> Result<(), PlanError> {
    let &[replicas, slices, length] = plan.dims(partial) else {
        return Err(shape_error(plan, label, partial, "[R, S, L]"));
    };
    if plan.dims(out)[0] != replicas || plan.tensor(out).len() != replicas * length {
        return Err(shape_error(
            plan,
            label,
            out,
            format!("[{replicas}, …], {} elements", replicas * length),
        ));
    }
    let fitting = super::by_fours(length);
    let shader = plan.choose("reduce_sum_slices", &fitting)?;
    plan.record(
        Record::new(shader, format!("{label} sum"))
            .args([partial, out])
            .params(&SumSlices { replicas: replicas as u32, slices: slices as u32, length: length as u32 })
            .work(Work::Invocations(replicas * super::blocks(shader, 1, length)))
            .iterations(slices)
            .flops(replicas * slices * length),
    )
}

/// Sums that remain after one pass over `length` elements: the square root, so that two passes do for most
/// lengths, but never so few that one invocation takes more than [`LONGEST`] steps.
fn remaining(length: usize) -> usize {
    if length <= 4 * SHORTEST { 1 } else { length.isqrt().max(length.div_ceil(LONGEST)) }
}

/// Records the sum of everything but the replicas, in as many passes as it takes; x is `[R, …]`, the result `[R]`.
pub fn sum(plan: &mut Plan, label: &str, x: TensorId) -> Result<TensorId, PlanError> {
    let shader = plan.direct("reduce_sum")?;
    let replicas = plan.dims(x)[0];
    let mut length = plan.tensor(x).len() / replicas;
    let mut from = x;
    loop {
        let slices = remaining(length);
        let dims = if slices == 1 { vec![replicas] } else { vec![replicas, slices] };
        let out = plan.activation(plan.fresh_name(&format!("{label}.sum")), &dims)?;
        plan.record(
            Record::new(shader, format!("{label} sum"))
                .args([from, out])
                .params(&Sum { replicas: replicas as u32, length: length as u32, slices: slices as u32 })
                .work(Work::Invocations(replicas * slices))
                .iterations(length.div_ceil(slices))
                .flops(replicas * length),
        )?;
        if slices == 1 {
            return Ok(out);
        }
        (from, length) = (out, slices);
    }
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let slices = [[1, 1, 1], [2, 3, 25], [3, 70, 65], [2, 7, 36], [1, 300, 4]];
    // The last is beyond the 65,535 loop iterations after which lavapipe silently stops.
    cases_at(variants, &slices, &[&[1], &[3, 1], &[2, 9, 7], &[3, 1000], &[1, 3_000_000]])
}

/// Sums of slices `[R, S, L]`, and sums of whole tensors.
pub(crate) fn cases_at(
    variants: &Variants,
    slices: &[[usize; 3]],
    sums: &[&[usize]],
) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &[replicas, slices, length] in slices {
        let mut plan = Plan::with_variants("reduce_sum_slices", variants);
        let partial = super::input(&mut plan, "partial", &[replicas, slices, length])?;
        let out = plan.activation("out", &[replicas, length])?;
        sum_slices(&mut plan, "slices", partial, out)?;
        cases.push(Case {
            kernel: "reduce_sum_slices",
            shape: format!("{replicas}×{slices}×{length}"),
            plan,
            inputs: vec![(partial, Fill::Normal(1.0))],
            tolerance: Tolerance::Dot { terms: slices },
        });
    }
    for &dims in sums {
        let mut plan = Plan::with_variants("reduce_sum", variants);
        let x = super::input(&mut plan, "x", dims)?;
        sum(&mut plan, "total", x)?;
        let terms = plan.tensor(x).len() / dims[0];
        cases.push(Case {
            kernel: "reduce_sum",
            shape: format!("{dims:?}"),
            plan,
            inputs: vec![(x, Fill::Normal(1.0))],
            tolerance: Tolerance::Dot { terms: longest_path(terms) },
        });
    }
    Ok(cases)
}

/// Additions between one element and the sum of all.
fn longest_path(mut length: usize) -> usize {
    let mut additions = 0;
    loop {
        let slices = remaining(length);
        additions += length.div_ceil(slices);
        if slices == 1 {
            return additions;
        }
        length = slices;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slices_where_they_pay() {
        assert_eq!(slicing(50, 10, BUSY), (1, 50));
        assert_eq!(slicing(64, 1_000_000, BUSY), (1, 64));
        assert_eq!(slicing(65_536, 144, BUSY), (114, 575));
        assert_eq!(slicing(10_000_000, 1_000_000, BUSY), (1221, 8192));
        assert_eq!(slicing(16_384, 36, BUSY_BLOCKS), (57, 288));
    }

    proptest! {
        #[test]
        fn slices_cover_every_term_once(terms in 1usize..50_000_000, invocations in 1usize..10_000_000) {
            let (slices, length) = slicing(terms, invocations, BUSY);
            prop_assert!((slices - 1) * length < terms && terms <= slices * length);
            prop_assert!(length <= LONGEST);
        }
    }
}

//! Twin of `shaders/gather/labels.wgsl`: label, weight and explained for the rows of this step's batch.

use super::Gather;
use crate::cpu::{ArgError, Args, Real};

/// Reads order `[R, steps·N]`, clock `[1]`, all labels `[count]`, all explained `[count]` and class weights `[K]`;
/// writes labels, label weight and explained, all `[R, N]`, all 0 where there is no picture; label and
/// weight 0 where it has no label.
pub fn run<T: Real>(args: &mut Args<T>) -> Result<(), ArgError> {
    let gather: Gather = args.params()?;
    let (order, clock) = (args.read_index()?, args.read_index()?);
    let (all_labels, all_explained, class_weights) = (args.read_index()?, args.read_index()?, args.read()?);
    let (labels, label_weight, explained) = (args.write_index()?, args.write()?, args.write()?);
    for (row, ((label, weight), explained)) in labels.iter_mut().zip(label_weight).zip(explained).enumerate()
    {
        let Some(picture) = gather.picture_of(row, order, clock) else {
            (*label, *weight, *explained) = (0, T::ZERO, T::ZERO);
            continue;
        };
        (*label, *weight) = match all_labels[picture] {
            u32::MAX => (0, T::ZERO),
            label => (label, class_weights.get(label as usize).copied().unwrap_or(T::ONE)),
        };
        *explained = if all_explained[picture] == 0 { T::ZERO } else { T::ONE };
    }
    Ok(())
}

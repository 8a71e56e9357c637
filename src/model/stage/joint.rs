//! Joint optimisation: both losses in one step. An ablation of the two stages.

use super::label::{Labelled, labelled};
use super::{Dimensions, Stage1, Stage2, second_losses};
use crate::model::network::Pass;
use crate::model::{ModelError, Network};
use crate::ops::reduce;
use crate::plan::{Plan, Variants};

/// Records one step on cross-entropy + lambda · the alignment loss of `alignment`, which is a mean over the explained
/// pictures of the batch. The target f(x′) is constant; the alignment loss reaches f and m through m(f(x)). One
/// optimiser, that of `label`, updates what its route names; that of `alignment` plays no part. Writes
/// `stage1.losses`, `stage1.confusion` and, without lambda, `stage2.losses [R, steps]`.
pub fn joint(
    network: &Network,
    data: &Dimensions,
    label: &Stage1,
    alignment: &Stage2,
    lambda: f32,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut recorded = Plan::with_variants("joint", variants);
    let plan = &mut recorded;
    let Labelled { source, rows, norm, tape, z, d_logits, .. } = labelled(plan, network, data, &label.route)?;
    let explained = reduce::sum(plan, "explained pictures", rows.explained)?;
    let target = alignment.target(plan, network, &source, data.batch)?;
    let (losses, d_z) = alignment.losses(plan, network, target, z, rows.explained, explained)?;
    second_losses(plan, network, data, losses, explained, &source, (0, 1))?;
    let pass = Pass { route: &label.route, to_input: false, adds: false, joins_at_z: Some((d_z, lambda)) };
    network.backward_pass(plan, &tape, d_logits, &pass)?;
    label.optimizer.record(plan, network, "stage1", |part| label.route.updates(part), norm)?;
    Ok(recorded)
}

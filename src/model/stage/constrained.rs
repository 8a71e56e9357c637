//! The constrained form: cross-entropy subject to an alignment loss of at most epsilon, by dual ascent on m.

use super::label::{Labelled, labelled};
use super::{Dimensions, Stage1, Stage2, second_losses};
use crate::model::network::Pass;
use crate::model::{ModelError, Network};
use crate::ops::{multiplier, pointwise, reduce};
use crate::plan::{Part, Plan, Role, Variants};
use crate::shader::DType;

/// Name of the multiplier mu `[R]`; it starts at 0.
pub(crate) const MULTIPLIER: &str = "constraint.multiplier";

/// The constraint of [`constrained`]: alignment loss ≤ epsilon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constraint {
    /// epsilon, the alignment loss that is allowed.
    pub epsilon: f32,
    /// rho, the rate at which the multiplier follows the violation.
    pub rate: f32,
}

/// Records one step: f and c follow cross-entropy; m follows cross-entropy + mu · (alignment loss − epsilon), or its
/// second term alone where the route of `label` leaves m out; then mu ← max(0, mu + rho · (alignment loss − epsilon)),
/// with the loss of this batch, a mean over its explained pictures. Without any, the second term and mu's step are left
/// out.
///
/// The optimiser of `label` updates f and c, that of `alignment` m, each with its own rate and state. Writes
/// `stage1.losses`, `stage1.confusion`, `stage2.losses [R, steps]` and `constraint.multiplier [R]`, which counts as state
/// of m's optimiser.
pub fn constrained(
    network: &Network,
    data: &Dimensions,
    label: &Stage1,
    alignment: &Stage2,
    constraint: Constraint,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    if !network.has_mapping() {
        return Err(ModelError::Network(
            "the constrained form trains the mapping layer, and `mapping` is \"none\"; use --mapping diagonal".to_owned(),
        ));
    }
    let mut recorded = Plan::with_variants("constrained", variants);
    let plan = &mut recorded;
    let Labelled { source, rows, norm, tape, z, d_logits, .. } = labelled(plan, network, data, &label.route)?;
    let explained = reduce::sum(plan, "explained pictures", rows.explained)?;
    let target = alignment.target(plan, network, &source, data.batch)?;
    let (losses, d_z) = alignment.losses(plan, network, target, z, rows.explained, explained)?;
    second_losses(plan, network, data, losses, explained, &source, (0, 1))?;

    network.backward(plan, &tape, d_logits, &label.route, false)?;
    let role = Role::Optimizer(Part::Mapping);
    let mu = plan.add(MULTIPLIER, &[network.replicas()], DType::F32, role)?;
    pointwise::scale(plan, "multiplier", mu, d_z)?;
    let labels_reach_m = network.reaches(&tape, &label.route, Part::Mapping)?;
    let pass = Pass { route: &alignment.route, to_input: false, adds: labels_reach_m, joins_at_z: None };
    network.backward_pass(plan, &network.only(&tape, Part::Mapping), d_z, &pass)?;

    let labelled = |part| part != Part::Mapping && label.route.updates(part);
    label.optimizer.record(plan, network, "stage1", labelled, norm)?;
    let counts = if labels_reach_m { norm } else { explained };
    alignment.optimizer.record(plan, network, "stage2", |part| part == Part::Mapping, counts)?;
    let total = reduce::sum(plan, "alignment loss", losses)?;
    multiplier::ascend(plan, "multiplier", total, explained, mu, constraint.epsilon, constraint.rate)?;
    Ok(recorded)
}

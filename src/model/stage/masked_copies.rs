//! Cross-entropy on the pictures and on their masked copies: explanations as further training pictures.

use super::label::{Labelled, labelled};
use super::{Dimensions, Stage1, second_losses};
use crate::model::network::Pass;
use crate::model::{ModelError, Network, Tape};
use crate::ops::{cross_entropy, gather, pointwise, reduce};
use crate::plan::{Part, Plan, Variants};

/// Records one step on CE(c(m(f(x)))) + CE(c(m(f(x′)))): two means added, the first over the batch, the second over its
/// explained pictures (0 without any), each with the weights of the classes. Writes `stage1.losses` and
/// `stage1.confusion` for x, and `stage2.losses [R, steps]` for x′. Layers act on x′ as in evaluation.
pub fn masked_copies(
    network: &Network,
    data: &Dimensions,
    stage: &Stage1,
    hard_masks: bool,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut recorded = Plan::with_variants("masked copies", variants);
    let plan = &mut recorded;
    let Labelled { source, rows, norm, tape, d_logits, .. } = labelled(plan, network, data, &stage.route)?;
    network.backward(plan, &tape, d_logits, &stage.route, false)?;

    let weight = pointwise::product(plan, "weights of the copies", rows.label_weight, rows.explained)?;
    let explained = reduce::sum(plan, "weights of the copies", weight)?;
    let mut tape = Tape::default();
    let mut value = gather::masked(plan, "gather x'", &source, data.batch, hard_masks)?;
    for part in Part::ALL {
        value = network.forward(plan, part, value, &mut tape)?;
    }
    plan.reshape(value, &[network.replicas(), data.batch, network.classes()])?;
    let (losses, d_logits) =
        cross_entropy::forward(plan, "cross-entropy of x'", value, rows.labels, weight, explained, 1.0)?;
    second_losses(plan, network, data, losses, explained, &source, (0, 1))?;
    let pass = Pass { route: &stage.route, to_input: false, adds: true, joins_at_z: None };
    network.backward_pass(plan, &tape, d_logits, &pass)?;
    stage.optimizer.record(plan, network, "stage1", |part| stage.route.updates(part), norm)?;
    Ok(recorded)
}

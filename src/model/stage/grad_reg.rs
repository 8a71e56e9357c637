//! GradReg (Ross, Hughes, Doshi-Velez 2017, "Right for the Right Reasons"): a penalty on the input gradient.

use super::label::{Labelled, labelled};
use super::{Dimensions, Stage1, second_losses};
use crate::model::{ModelError, Network};
use crate::ops::{gather, input_penalty, log_probability, reduce};
use crate::plan::{Plan, Variants};

/// Records one step on cross-entropy + lambda · P, with P the mean over the explained pictures of the batch of
/// Σ over pixels ((1 − mask) · G)², G = d(Σ_k log p_k)/dx, x in the scale [−1, 1]. Without explained pictures P is 0.
///
/// By hand: v = 1 − K·p goes down to G; u = ∂(lambda · P)/∂G goes up again to t at the logits; v's own way through p adds
/// −K · p ⊙ (t − p·t) to the gradient in the logits; and each layer's weight gradient gets a second part, from the t at
/// its input and the δ of the first pass at its output. Writes `stage1.losses`, `stage1.confusion` and, without
/// lambda, P into the first of the `slots` of each step in `stage2.losses [R, steps·slots]`.
pub fn grad_reg(
    network: &Network,
    data: &Dimensions,
    stage: &Stage1,
    lambda: f32,
    hard_masks: bool,
    slots: usize,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut recorded = Plan::with_variants("gradient penalty", variants);
    let plan = &mut recorded;
    let Labelled { source, rows, norm, tape, logits, d_logits, .. } =
        labelled(plan, network, data, &stage.route)?;
    let explained = reduce::sum(plan, "explained pictures", rows.explained)?;
    let outside = gather::outside(plan, "gather masks", &source, data.batch, hard_masks)?;
    let v = log_probability::backward(plan, "log-probabilities", logits, rows.explained)?;
    let first = network.first_pass(plan, &tape, v, &stage.route)?;
    let (losses, u) =
        input_penalty::forward(plan, "penalty", first.d_x, outside, rows.explained, explained, lambda)?;
    second_losses(plan, network, data, losses, explained, &source, (0, slots))?;
    let (tangents, t) = network.tangent(plan, &tape, u)?;
    plan.reshape(t, &[network.replicas(), data.batch, network.classes()])?;
    log_probability::second_backward(plan, "log-probabilities", logits, rows.explained, t, d_logits)?;
    network.backward(plan, &tape, d_logits, &stage.route, false)?;
    network.second_weight_gradients(plan, &tape, &tangents, &first, &stage.route)?;
    stage.optimizer.record(plan, network, "stage1", |part| stage.route.updates(part), norm)?;
    Ok(recorded)
}

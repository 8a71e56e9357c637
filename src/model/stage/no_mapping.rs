//! Stage 2 without a mapping layer. An ablation: what aligns is f itself.

use super::{Dimensions, Stage2, data_source, second_losses};
use crate::model::{ModelError, Network, Tape};
use crate::ops::{gather, reduce};
use crate::plan::{Part, Plan, Variants};

/// Records stage 2 for one batch where f is updated: gather x and x′, then `inner_steps` times f of both, their
/// divergence, the gradient of f by way of f(x) alone, and its update. f changes with each step, so each step computes
/// both f(x) and its target f(x′) anew; within a step the target is constant. Without explained pictures nothing is
/// updated. Writes losses into `stage2.losses [R, steps·inner_steps]`.
pub fn no_mapping(
    network: &Network,
    data: &Dimensions,
    stage: &Stage2,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    if network.has_mapping() {
        return Err(ModelError::Network(
            "without a mapping layer stage 2 updates f, and this model has one; use --mapping none"
                .to_owned(),
        ));
    }
    if stage.route.updates(Part::Classifier) {
        return Err(ModelError::Route("stage 2 ends at f(x): it can update `features` only".to_owned()));
    }
    let mut recorded = Plan::with_variants("stage 2", variants);
    let plan = &mut recorded;
    let source = data_source(plan, "train", network, data)?;
    let rows = gather::labels(plan, "gather labels", &source, data.batch)?;
    let norm = reduce::sum(plan, "explained pictures", rows.explained)?;
    let x = gather::pictures(plan, "gather x", &source, data.batch)?;
    let masked = gather::masked(plan, "gather x'", &source, data.batch, stage.hard_masks)?;
    for slot in 0..stage.inner_steps {
        let mut tape = Tape::default();
        let features = network.forward(plan, Part::Features, x, &mut tape)?;
        let target = network.forward(plan, Part::Features, masked, &mut Tape::default())?;
        let (losses, d_features) = stage.losses(plan, network, target, features, rows.explained, norm)?;
        second_losses(plan, network, data, losses, norm, &source, (slot, stage.inner_steps))?;
        network.backward(plan, &tape, d_features, &stage.route, false)?;
        stage.optimizer.record(plan, network, "stage2", |part| stage.route.updates(part), norm)?;
    }
    Ok(recorded)
}

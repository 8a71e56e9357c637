//! How far the logits can move when the irrelevant pixels take any value, and what they are for the pictures as they
//! stand.

use super::{Dimensions, data_source};
use crate::model::{ModelError, Network, Tape};
use crate::ops::{clock, gather, interval, metrics};
use crate::plan::{Part, Plan, TensorId, Variants};

/// Name of the output `[R, N, K]` of [`logits`].
pub(crate) const LOGITS: &str = "logits";
/// Names of the outputs `[R, N, K]` of [`bounds`].
pub(crate) const BOUNDS: [&str; 3] = ["logits.lo", "logits.hi", "margins"];

/// Records the logits of one batch, as an output `logits` `[R, N, K]`, and the step on to the next one.
pub fn logits(
    network: &Network,
    name: &str,
    data: &Dimensions,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut plan = Plan::with_variants(format!("logits {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let logits = forward(&mut plan, network, &source, data)?;
    plan.promote(logits, LOGITS)?;
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

fn forward(
    plan: &mut Plan,
    network: &Network,
    source: &gather::Source,
    data: &Dimensions,
) -> Result<TensorId, ModelError> {
    let mut value = gather::pictures(plan, "gather x", source, data.batch)?;
    for part in Part::ALL {
        value = network.forward(plan, part, value, &mut Tape::default())?;
    }
    plan.reshape(value, &[network.replicas(), data.batch, network.classes()])?;
    Ok(value)
}

/// Records the bounds of one batch's logits over all values of the irrelevant pixels (mask below one half), as outputs
/// `logits.lo`, `logits.hi` and `margins`, all `[R, N, K]`, and the step on to the next batch. margins holds by how much
/// the logit of the class that is predicted for the picture as it is stays above each other one, 0 at the class itself.
pub fn bounds(
    network: &Network,
    name: &str,
    data: &Dimensions,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut plan = Plan::with_variants(format!("bounds {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let logits = forward(&mut plan, network, &source, data)?;
    let predictions = metrics::argmax(&mut plan, "predict", logits)?;
    let x = interval::pictures(&mut plan, "gather x", &source, data.batch)?;
    let found = network.bounds(&mut plan, x, predictions)?;
    let [lo, hi, margins] = BOUNDS;
    for (name, tensor) in [(lo, found.logits.lo), (hi, found.logits.hi), (margins, found.margins)] {
        plan.promote(tensor, name)?;
    }
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

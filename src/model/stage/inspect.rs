//! A look inside: input gradients and feature maps.

use super::{Dimensions, data_source};
use crate::model::{GateGradient, MapShape, ModelError, Network, Route, Tape};
use crate::ops::{clock, cross_entropy, gather, metrics};
use crate::plan::{Part, Plan, Role, Variants};
use crate::shader::DType;

/// Name of the output of [`input_gradient`] and [`features`].
pub(crate) const X: &str = "x";
/// Name of an output of [`input_gradient`].
pub(crate) const D_X: &str = "d_x";

/// Name of the output of [`gate`].
pub(crate) const SCALE: &str = "s";

/// Name of an output of [`batch`].
pub(crate) const OUTSIDE: &str = "outside";

/// Records one batch as training sees it: outputs `x` `[R, N, H, W, C]` in the scale [−1, 1] and `outside`
/// `[R, N, H, W]`, how far each pixel lies outside of its explanation.
pub fn batch(
    network: &Network,
    name: &str,
    data: &Dimensions,
    hard_masks: bool,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut plan = Plan::with_variants(format!("batch {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let x = gather::pictures(&mut plan, "gather x", &source, data.batch)?;
    let outside = gather::outside(&mut plan, "gather masks", &source, data.batch, hard_masks)?;
    plan.promote(x, X)?;
    plan.promote(outside, OUTSIDE)?;
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

/// Records s of the gate max(1 + s, 0) of one batch, `[R, N, H, W, C]`, as the output `s`; an error where the mapping
/// layer is no gate.
pub fn gate(
    network: &Network,
    name: &str,
    data: &Dimensions,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut plan = Plan::with_variants(format!("gate {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let x = gather::pictures(&mut plan, "gather x", &source, data.batch)?;
    let features = network.forward(&mut plan, Part::Features, x, &mut Tape::default())?;
    let s = network.gate_scale(&mut plan, features)?;
    plan.promote(s, SCALE)?;
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

/// Records the gradient of the log-probability of the predicted class with respect to the input, for one batch.
/// Outputs `x` and `d_x`, both `[R, N, H, W, C]` in the scale [−1, 1].
///
/// d log p_k / d logits = onehot(k) − p, which is minus the gradient of the cross-entropy with label k.
pub fn input_gradient(
    network: &Network,
    name: &str,
    data: &Dimensions,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut plan = Plan::with_variants(format!("input gradient {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let x = gather::pictures(&mut plan, "gather x", &source, data.batch)?;
    let rows = gather::labels(&mut plan, "gather labels", &source, data.batch)?;
    let ones = plan.add("ones", &[network.replicas()], DType::F32, Role::Data)?;
    let mut tape = Tape::default();
    let mut value = x;
    for part in Part::ALL {
        value = network.forward(&mut plan, part, value, &mut tape)?;
    }
    plan.reshape(value, &[network.replicas(), data.batch, network.classes()])?;
    let predictions = metrics::argmax(&mut plan, "predict", value)?;
    let (_, d_logits) = cross_entropy::forward(
        &mut plan,
        "log-probability",
        value,
        predictions,
        rows.label_weight,
        ones,
        -1.0,
    )?;
    // The derivative of the forward pass as it is: what leaks through a closed gate is for training only, and the
    // report is of what the prediction depends on.
    let route = Route::default().through_gate(GateGradient::Exact);
    let d_x = network.backward(&mut plan, &tape, d_logits, &route, true)?;
    plan.promote(x, X)?;
    if let Some(d_x) = d_x {
        plan.promote(d_x, D_X)?;
    }
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

/// Name and shape of the outputs of [`features`].
pub(crate) fn feature_outputs(network: &Network) -> Vec<(&'static str, MapShape)> {
    let (input, features) = (network.input(), network.features());
    let mut outputs = vec![(X, input), ("x'", input), ("f(x)", features), ("f(x')", features)];
    if network.has_mapping() {
        outputs.push(("m(f(x))", features));
    }
    outputs
}

/// Records f(x), f(x′) and m(f(x)) of one batch, as outputs `x`, `x'`, `f(x)`, `f(x')` and, where there is
/// a mapping layer, `m(f(x))`.
pub fn features(
    network: &Network,
    name: &str,
    data: &Dimensions,
    hard_masks: bool,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut plan = Plan::with_variants(format!("features {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let x = gather::pictures(&mut plan, "gather x", &source, data.batch)?;
    let masked = gather::masked(&mut plan, "gather x'", &source, data.batch, hard_masks)?;
    let f_x = network.forward(&mut plan, Part::Features, x, &mut Tape::default())?;
    let f_masked = network.forward(&mut plan, Part::Features, masked, &mut Tape::default())?;
    let z = network.forward(&mut plan, Part::Mapping, f_x, &mut Tape::default())?;
    for (name, tensor) in [(X, x), ("x'", masked), ("f(x)", f_x), ("f(x')", f_masked)] {
        plan.promote(tensor, name)?;
    }
    if network.has_mapping() {
        plan.promote(z, "m(f(x))")?;
    }
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

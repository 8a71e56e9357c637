//! The backward pass, layer by layer.

use super::{Network, Step, Tape};
use crate::model::node::{GATE_BRANCH, Kind};
use crate::model::{GateGradient, ModelError, Route};
use crate::ops::{bias, conv2d, diagonal, gate, linear, normalize, pointwise};
use crate::plan::{Part, Plan, PlanError, TensorId};

/// What a backward pass does beside passing the gradient down.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Pass<'a> {
    /// Whose weight gradients are computed, and where the gradient stops.
    pub route: &'a Route,
    /// The gradient goes all the way down, and d_x is returned.
    pub to_input: bool,
    /// Weight gradients are added to what an earlier pass of the step left there.
    pub adds: bool,
    /// A second loss whose gradient in z = m(f(x)), times the factor, joins the first one's there.
    pub joins_at_z: Option<(TensorId, f32)>,
}

impl Network {
    /// Records the backward pass of a tape from d_y, the gradient of its last output: the weight gradients of the
    /// parts that the route updates, and no command more than they need. With `to_input` the gradient goes all the
    /// way down and d_x is returned.
    pub fn backward(
        &self,
        plan: &mut Plan,
        tape: &Tape,
        d_y: TensorId,
        route: &Route,
        to_input: bool,
    ) -> Result<Option<TensorId>, ModelError> {
        self.backward_pass(plan, tape, d_y, &Pass { route, to_input, adds: false, joins_at_z: None })
    }

    /// The same, with all that a pass can do.
    pub(in crate::model) fn backward_pass(
        &self,
        plan: &mut Plan,
        tape: &Tape,
        d_y: TensorId,
        pass: &Pass,
    ) -> Result<Option<TensorId>, ModelError> {
        let &Pass { route, to_input, adds, joins_at_z } = pass;
        let stop = self.stop(tape, route)?;
        let updated = |step: &Step| self.updated(step, route);
        let lowest = if to_input {
            0
        } else {
            match tape.steps.iter().enumerate().position(|(i, step)| i >= stop && updated(step)) {
                Some(lowest) => lowest,
                None => return Ok(None),
            }
        };
        if route.gate == GateGradient::Constant
            && tape.steps.iter().any(|step| self.behind_gate(step) && updated(step))
        {
            return Err(ModelError::Route(
                "a gate that counts as a constant passes no gradient to its own weights, and the route updates \
                 `mapping`; leave `mapping` out of it, or set mapping_in_stage1 to \"update\""
                    .to_owned(),
            ));
        }
        let mut d_y = d_y;
        // A gate on the way down: the first layer of its branch, s, and the gradient that goes past the branch.
        let mut past: Option<(usize, TensorId, TensorId)> = None;
        // Residual blocks on the way down: their first layer, and the gradient that goes around their layers.
        let mut around: Vec<(usize, TensorId)> = Vec::new();
        let mut next = tape.steps.len();
        while next > lowest {
            let i = next - 1;
            next = i;
            let step = &tape.steps[i];
            let node = &self.nodes[step.node];
            d_y = self.through_relu(plan, tape, i, d_y)?;
            if updated(step) && i >= stop {
                self.weight_gradient(plan, step, step.x, d_y, adds)?;
                self.bias_gradient(plan, step, d_y, adds)?;
            }
            if i == lowest && !to_input {
                return Ok(None);
            }
            if let Kind::Residual { length, shortcut } = node.kind {
                let first = i - length;
                let mut past = d_y;
                if shortcut {
                    next = i - 1;
                    let step = &tape.steps[next];
                    if updated(step) && next >= stop {
                        self.weight_gradient(plan, step, step.x, d_y, adds)?;
                        self.bias_gradient(plan, step, d_y, adds)?;
                    }
                    if next == lowest && !to_input {
                        return Ok(None);
                    }
                    if first > lowest || to_input {
                        past = self.through(plan, step, d_y)?;
                    }
                }
                around.push((first, past));
                continue;
            }
            d_y = match (node.kind, route.gate) {
                (Kind::Gate, GateGradient::Constant) => {
                    next = i - GATE_BRANCH;
                    self.through(plan, step, d_y)?
                }
                (Kind::Gate, way) => {
                    let first = i - GATE_BRANCH;
                    past = Some((first, step.x, d_y));
                    let slope = if way == GateGradient::Leaky { gate::CLOSED_SLOPE } else { 0.0 };
                    let h = tape.steps[first].x;
                    gate::backward_scale(plan, &node.name, h, step.x, d_y, slope)?
                }
                (Kind::BatchNorm, _) => {
                    // Its input's gradient takes those of its scale and shift, where this pass has not found them yet.
                    let own = updated(step) && i >= stop && !adds;
                    let sums = if own { Some(self.tensors(plan, node, true)?) } else { None };
                    self.through_batch_norm(plan, step, d_y, sums)?
                }
                _ => self.through(plan, step, d_y)?,
            };
            if let Some((first, s, around)) = past
                && first == i
            {
                d_y = gate::backward_input_sum(plan, Part::Mapping.name(), s, around, d_y)?;
            }
            while let Some(&(first, past)) = around.last()
                && first == i
            {
                pointwise::add(plan, &format!("{} around", node.name), past, 1.0, d_y)?;
                around.pop();
            }
            if let Some((d_z, factor)) = joins_at_z
                && node.part == Part::Classifier
                && tape.steps[..i].iter().all(|step| self.nodes[step.node].part != Part::Classifier)
            {
                pointwise::add(plan, "second loss", d_z, factor, d_y)?;
            }
        }
        Ok(Some(d_y))
    }

    /// Whether a step belongs to the mapping layer of a network whose mapping layer is a gate.
    fn behind_gate(&self, step: &Step) -> bool {
        self.has_gate() && self.nodes[step.node].part == Part::Mapping
    }

    /// Records a layer's weight gradient from an input x and the gradient of its output, or adds it.
    pub(super) fn weight_gradient(
        &self,
        plan: &mut Plan,
        step: &Step,
        x: TensorId,
        d_y: TensorId,
        adds: bool,
    ) -> Result<(), PlanError> {
        let node = &self.nodes[step.node];
        let [d_weight, _] = self.tensors(plan, node, true)?;
        let into = share(plan, d_weight, adds)?;
        match node.kind {
            Kind::Conv(settings, _) => {
                conv2d::backward_weight(plan, &node.name, x, d_y, into, settings)?;
            }
            Kind::Linear(_) => linear::backward_weight(plan, &node.name, x, d_y, into)?,
            Kind::GroupNorm(_) | Kind::BatchNorm => {
                normalize::backward_weight(plan, &node.name, x, step.statistics(node)?, d_y, into)?;
            }
            _ => diagonal::backward_weight(plan, &node.name, x, d_y, into)?,
        }
        if adds {
            pointwise::add(plan, &format!("{} weight", node.name), into, 1.0, d_weight)
        } else {
            Ok(())
        }
    }

    fn bias_gradient(
        &self,
        plan: &mut Plan,
        step: &Step,
        d_y: TensorId,
        adds: bool,
    ) -> Result<(), PlanError> {
        let node = &self.nodes[step.node];
        let [_, d_bias] = self.tensors(plan, node, true)?;
        let into = share(plan, d_bias, adds)?;
        bias::backward(plan, &node.name, d_y, into)?;
        if adds { pointwise::add(plan, &format!("{} bias", node.name), into, 1.0, d_bias) } else { Ok(()) }
    }

    /// Whether a route updates this layer's weights.
    pub(super) fn updated(&self, step: &Step, route: &Route) -> bool {
        let node = &self.nodes[step.node];
        node.has_parameters() && route.updates(node.part)
    }

    /// The steps of one part alone, for a loss that reaches no other.
    pub(in crate::model) fn only(&self, tape: &Tape, part: Part) -> Tape {
        let own = tape.steps.iter().filter(|step| self.nodes[step.node].part == part);
        Tape { steps: own.cloned().collect(), training: tape.training.clone() }
    }

    /// Whether a backward pass along a route leaves weight gradients in a part.
    pub(in crate::model) fn reaches(
        &self,
        tape: &Tape,
        route: &Route,
        part: Part,
    ) -> Result<bool, ModelError> {
        let stop = self.stop(tape, route)?;
        let own = |step: &&Step| self.nodes[step.node].part == part && self.updated(step, route);
        Ok(tape.steps.iter().skip(stop).find(own).is_some())
    }

    /// The lowest step of a tape that a route lets the gradient reach.
    pub(super) fn stop(&self, tape: &Tape, route: &Route) -> Result<usize, ModelError> {
        route.stop_at.as_ref().map_or(Ok(0), |layer| self.stop_index(tape, layer))
    }

    fn stop_index(&self, tape: &Tape, layer: &str) -> Result<usize, ModelError> {
        let name = |step: &Step| self.nodes[step.node].name.clone();
        let Some(found) = tape.steps.iter().position(|step| name(step) == layer) else {
            let known: Vec<String> = tape.steps.iter().map(name).collect();
            let known = known.join(", ");
            return Err(ModelError::Route(format!("stop_at names no layer `{layer}`; there are {known}")));
        };
        // A residual block stands behind its layers; stopping at it means at its beginning.
        for (i, step) in tape.steps.iter().enumerate().skip(found) {
            match self.nodes[step.node].kind {
                Kind::Residual { length, .. } if i == found => return Ok(i - length),
                Kind::Residual { length, .. } if i - length <= found => {
                    return Err(ModelError::Route(format!(
                        "stop_at names `{layer}` within the residual block `{0}`, which the gradient also goes around; \
                         name the block: stop_at = \"{0}\"",
                        name(step)
                    )));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

/// Where a gradient goes that is later added to `target`: into scratch of its own, or, where it is the first, into
/// `target` itself.
fn share(plan: &mut Plan, target: TensorId, adds: bool) -> Result<TensorId, PlanError> {
    if !adds {
        return Ok(target);
    }
    let (name, dims) = (format!("{}.share", plan.tensor(target).name), plan.dims(target).to_vec());
    plan.activation(plan.fresh_name(&name), &dims)
}

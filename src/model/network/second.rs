//! The second backward pass: the gradient of a penalty on the input gradient with respect to the weights.
//!
//! Let v be the gradient of some function in the logits and G = Jᵀ v the one in x, with J the Jacobian of the network.
//! A ReLU or a pooling picks among its inputs, and what it picks does not move with the weights, so the network is a
//! chain of linear layers y_l = W_l x_l (biases drop out of J), and G is linear in each W_l:
//!
//! - The first pass takes v down and keeps δ_l, the gradient in each layer's output; at the bottom it leaves G.
//! - For a penalty P(G) with u = ∂P/∂G, dP = u·dG. Writing t_l for the layers' inputs as u is taken upwards, t = J u, the
//!   part of dG by dW_l is u·(J_below)ᵀ dW_lᵀ δ_l = (dW_l t_l)·δ_l: the weight gradient with t_l in the place of x_l and
//!   δ_l in that of d_y. Biases have none.
//! - A gate that counts as a constant is one more linear layer, h ↦ g ⊙ h, whose branch is passed by.
//! - Where v depends on the logits, u·Jᵀ dv = (J u)·dv = t·dv: with t at the logits, v's derivative gives a gradient in
//!   the logits that joins the first loss's on its way down.

use super::{Network, Step, Tape};
use crate::model::node::{GATE_BRANCH, Kind};
use crate::model::{GateGradient, MapShape, ModelError, Route};
use crate::ops::{average_pool, conv2d, diagonal, gate, linear, max_pool, relu};
use crate::plan::{Plan, PlanError, Role, TensorId};
use crate::shader::DType;

/// What the first pass leaves behind.
#[derive(Clone, Debug)]
pub(in crate::model) struct FirstPass {
    /// For each step of the tape the gradient in its layer's output, before a fused ReLU; `None` inside a gate's branch. That of
    /// a pooling with a ReLU below has gone through the ReLU already.
    deltas: Vec<Option<TensorId>>,
    /// G, the gradient in x.
    pub d_x: TensorId,
}

impl Network {
    /// Records the first pass: v, the gradient in the tape's last output, down to the input. No weight gradients.
    pub(in crate::model) fn first_pass(
        &self,
        plan: &mut Plan,
        tape: &Tape,
        v: TensorId,
        route: &Route,
    ) -> Result<FirstPass, ModelError> {
        if self.has_gate() && route.gate != GateGradient::Constant {
            return Err(ModelError::Route(
                "the second backward pass takes a gate as constant; set mapping_in_stage1 to \"constant\""
                    .to_owned(),
            ));
        }
        if let Some(node) = tape.steps.iter().map(|step| &self.nodes[step.node]).find(|node| node.curved()) {
            return Err(ModelError::Layer {
                layer: node.name.clone(),
                kind: "gradient penalty",
                message: "the methods grad-reg and two-stage-grad-reg have no second backward pass through normalisations and \
                          residual blocks; use another method, or a network without such layers"
                    .to_owned(),
            });
        }
        let mut deltas = vec![None; tape.steps.len()];
        let mut d_y = v;
        let mut next = tape.steps.len();
        while next > 0 {
            let i = next - 1;
            let step = &tape.steps[i];
            let node = &self.nodes[step.node];
            d_y = self.through_relu(plan, tape, i, d_y)?;
            deltas[i] = Some(d_y);
            d_y = self.through(plan, step, d_y)?;
            next = if node.kind == Kind::Gate { i - GATE_BRANCH } else { i };
        }
        Ok(FirstPass { deltas, d_x: d_y })
    }

    /// Records t = J u: how the tape's outputs move when x moves along u, shaped as x. Returns the t at each step's input
    /// and the one at the last output.
    pub(in crate::model) fn tangent(
        &self,
        plan: &mut Plan,
        tape: &Tape,
        u: TensorId,
    ) -> Result<(Vec<TensorId>, TensorId), ModelError> {
        let mut inputs = Vec::with_capacity(tape.steps.len());
        let mut t = u;
        for (i, step) in tape.steps.iter().enumerate() {
            inputs.push(t);
            let mut above = tape.steps[i..].iter().take(GATE_BRANCH + 1).skip(1);
            let in_branch = above.any(|step| self.nodes[step.node].kind == Kind::Gate);
            // h goes past the branch of its gate.
            if !in_branch {
                t = self.tangent_of(plan, step, t)?;
            }
        }
        Ok((inputs, t))
    }

    fn tangent_of(&self, plan: &mut Plan, step: &Step, t: TensorId) -> Result<TensorId, ModelError> {
        let node = &self.nodes[step.node];
        let label = format!("{} tangent", node.name);
        let mut t_y = match (node.kind, step.argmax) {
            (Kind::Conv(settings, channels), _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                let none = self.no_bias(plan, channels)?;
                conv2d::forward(plan, &label, t, weight, none, settings, false)?
            }
            (Kind::Linear(out), _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                let none = self.no_bias(plan, out)?;
                linear::forward(plan, &label, t, weight, none, false)?
            }
            (Kind::Diagonal, _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                diagonal::backward_input(plan, &label, t, weight)? // its own transpose
            }
            (Kind::MaxPool(settings), Some(argmax)) => max_pool::tangent(plan, &label, t, argmax, settings)?,
            (Kind::AveragePool, _) => average_pool::forward(plan, &label, t)?,
            (Kind::Gate, _) => gate::backward_input(plan, &label, step.x, t)?, // its own transpose
            (Kind::Dropout(_) | Kind::GroupNorm(_) | Kind::BatchNorm | Kind::Residual { .. }, _) => {
                self.through(plan, step, t)?
            } // likewise
            (Kind::Relu | Kind::MaxPool(_), _) => relu::backward(plan, &label, step.y, t)?,
        };
        let batch = step.x_dims.get(1).copied().unwrap_or(1);
        let MapShape { height, width, channels } = node.output;
        plan.reshape(t_y, &[self.replicas, batch, height, width, channels])?;
        if node.fused_relu {
            t_y = relu::backward(plan, &format!("{label} relu"), step.y, t_y)?;
        }
        Ok(t_y)
    }

    /// Adds, to the weight gradients that the step's backward pass has left, what the penalty adds: t in the place of
    /// x, δ in that of d_y.
    pub(in crate::model) fn second_weight_gradients(
        &self,
        plan: &mut Plan,
        tape: &Tape,
        tangents: &[TensorId],
        first: &FirstPass,
        route: &Route,
    ) -> Result<(), ModelError> {
        let stop = self.stop(tape, route)?;
        for (i, step) in tape.steps.iter().enumerate().skip(stop) {
            if let Some(delta) = first.deltas[i]
                && self.updated(step, route)
            {
                self.weight_gradient(plan, step, tangents[i], delta, true)?;
            }
        }
        Ok(())
    }

    /// A bias `[R, C]` that nobody writes: persistent tensors start as zeros.
    fn no_bias(&self, plan: &mut Plan, channels: usize) -> Result<TensorId, PlanError> {
        plan.add(format!("no_bias.{channels}"), &[self.replicas, channels], DType::F32, Role::Data)
    }
}

//! The gradient of a layer's input from that of its output.

use super::{Network, Step, Tape};
use crate::model::node::Kind;
use crate::ops::{
    average_pool, batch_norm, bias, conv2d, diagonal, dropout, gate, group_norm, linear, max_pool, normalize,
    relu,
};
use crate::plan::{Plan, PlanError, TensorId};

impl Network {
    /// Records the way of d_y through the ReLU behind a step. Where a max pooling follows the ReLU, the pooled maxima are what it
    /// let through: d_y goes through it at the pooling's output, which is most often smaller, and without a second backward pass
    /// the maps before the pooling need not be kept. The bits are the same.
    pub(super) fn through_relu(
        &self,
        plan: &mut Plan,
        tape: &Tape,
        i: usize,
        d_y: TensorId,
    ) -> Result<TensorId, PlanError> {
        let below = if self.pools_relu(tape, i) {
            i - 1
        } else if self.nodes[tape.steps[i].node].fused_relu && !self.pools_relu(tape, i + 1) {
            i
        } else {
            return Ok(d_y);
        };
        let label = format!("{} relu", self.nodes[tape.steps[below].node].name);
        relu::backward(plan, &label, tape.steps[i].y, d_y)
    }

    /// Whether a step is a max pooling of what a fused ReLU lets through, and nothing else joins the gradient between the two: a
    /// residual block that begins here adds to it, and so may a loss at the border of two parts.
    fn pools_relu(&self, tape: &Tape, i: usize) -> bool {
        let node = |step: &Step| &self.nodes[step.node];
        let Some([below, pool]) = i.checked_sub(1).and_then(|first| tape.steps.get(first..=i)) else {
            return false;
        };
        let begins_here = |(j, step): (usize, &Step)| match node(step).kind {
            Kind::Residual { length, .. } => j.checked_sub(length) == Some(i),
            _ => false,
        };
        pool.argmax.is_some()
            && node(below).fused_relu
            && node(below).part == node(pool).part
            && !tape.steps.iter().enumerate().skip(i).any(begins_here)
    }

    /// Records d_x of one layer from the gradient of its output before a fused ReLU. For a gate it is d_h, with g a
    /// constant.
    pub(super) fn through(&self, plan: &mut Plan, step: &Step, d_y: TensorId) -> Result<TensorId, PlanError> {
        let node = &self.nodes[step.node];
        let d_x = match (node.kind, step.argmax) {
            (Kind::Conv(settings, _), _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                conv2d::backward_input(plan, &node.name, d_y, weight, &step.x_dims, settings)?
            }
            (Kind::Linear(_), _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                linear::backward_input(plan, &node.name, d_y, weight, &step.x_dims)?
            }
            (Kind::Diagonal, _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                diagonal::backward_input(plan, &node.name, d_y, weight)?
            }
            (Kind::MaxPool(settings), Some(argmax)) => {
                max_pool::backward(plan, &node.name, d_y, argmax, &step.x_dims, settings)?
            }
            (Kind::AveragePool, _) => average_pool::backward(plan, &node.name, d_y, &step.x_dims)?,
            (Kind::Gate, _) => gate::backward_input(plan, &node.name, step.x, d_y)?,
            (Kind::GroupNorm(_), _) => {
                let [weight, _] = self.tensors(plan, node, false)?;
                let statistics = step.statistics(node)?;
                group_norm::backward_input(plan, &node.name, step.x, statistics, weight, d_y)?
            }
            (Kind::BatchNorm, _) => self.through_batch_norm(plan, step, d_y, None)?,
            (Kind::Dropout(rate), _) => match step.noise {
                Some(noise) => {
                    let label = format!("{} backward", node.name);
                    dropout::forward(plan, &label, d_y, rate, node.number(), noise)?
                }
                None => d_y,
            },
            // The way through the layers; the caller sees to the way around them.
            (Kind::Residual { .. }, _) => d_y,
            (Kind::Relu | Kind::MaxPool(_), _) => relu::backward(plan, &node.name, step.y, d_y)?,
        };
        plan.reshape(d_x, &step.x_dims)?;
        Ok(d_x)
    }

    /// Records d_x of a batch normalisation; `sums` are the gradients of scale and shift, if they are recorded already.
    pub(super) fn through_batch_norm(
        &self,
        plan: &mut Plan,
        step: &Step,
        d_y: TensorId,
        sums: Option<[TensorId; 2]>,
    ) -> Result<TensorId, PlanError> {
        let node = &self.nodes[step.node];
        let statistics = step.statistics(node)?;
        let [weight, _] = self.tensors(plan, node, false)?;
        let Some(present) = step.present else {
            return normalize::backward_input(plan, &node.name, statistics, weight, d_y);
        };
        let sums = match sums {
            Some(sums) => sums,
            None => {
                let dims = plan.dims(weight).to_vec();
                let mut scratch =
                    |name: &str| plan.activation(plan.fresh_name(&format!("{}.{name}", node.name)), &dims);
                let [d_weight, d_bias] = [scratch("sum_weight")?, scratch("sum_bias")?];
                normalize::backward_weight(plan, &node.name, step.x, statistics, d_y, d_weight)?;
                bias::backward(plan, &node.name, d_y, d_bias)?;
                [d_weight, d_bias]
            }
        };
        batch_norm::backward_input(plan, &node.name, step.x, statistics, weight, d_y, sums, present)
    }
}

//! The interval pass: where the logits stay while the input ranges over a box.

use super::Network;
use crate::model::node::{Kind, MapShape, Node};
use crate::ops::interval::{self, Interval};
use crate::plan::{Part, Plan, PlanError, TensorId};

/// What [`Network::bounds`] records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogitBounds {
    /// `[R, N, K]`: where each logit stays.
    pub logits: Interval,
    /// `[R, N, K]`: by how much the predicted class's logit stays above each other one; see [`interval::margins`].
    pub margins: TensorId,
}

impl Network {
    /// Records the bounds of the logits over a box x `[R, N, H, W, C]`, by interval arithmetic through f, m and c, and how
    /// far the predictions (u32 `[R, N]`) stay ahead. They hold for these weights in f32 on any device, whatever the order
    /// of its sums. They grow loose with depth: each layer takes its inputs as independent of each other.
    pub fn bounds(
        &self,
        plan: &mut Plan,
        x: Interval,
        predictions: TensorId,
    ) -> Result<LogitBounds, PlanError> {
        let mut x = x;
        let mut margins = None;
        // What enters m: a gate multiplies it.
        let mut entering = None;
        for (index, node) in self.nodes.iter().enumerate() {
            if node.part == Part::Mapping {
                entering.get_or_insert(x);
            }
            let y = match node.kind {
                Kind::Conv(settings, _) => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    interval::conv2d(plan, &node.name, x, weight, bias, settings, node.fused_relu)?
                }
                Kind::Linear(_) => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    if index + 1 == self.nodes.len() {
                        margins = Some(interval::margins(plan, &node.name, x, weight, bias, predictions)?);
                    }
                    interval::linear(plan, &node.name, x, weight, bias, node.fused_relu)?
                }
                Kind::Diagonal => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    interval::diagonal(plan, &node.name, x, weight, bias)?
                }
                Kind::Relu => interval::relu(plan, &node.name, x)?,
                Kind::MaxPool(settings) => interval::max_pool(plan, &node.name, x, settings)?,
                Kind::AveragePool => interval::average_pool(plan, &node.name, x)?,
                Kind::Gate => interval::gate(plan, &node.name, x, entering.unwrap_or(x))?,
                Kind::Dropout(_) => x,
                Kind::GroupNorm(_) | Kind::BatchNorm | Kind::Residual { .. } => return Err(no_bounds(node)),
            };
            let batch = plan.dims(x.lo).get(1).copied().unwrap_or(1);
            let MapShape { height, width, channels } = node.output;
            y.reshape(plan, &[self.replicas, batch, height, width, channels])?;
            x = y;
        }
        let batch = plan.dims(x.lo).get(1).copied().unwrap_or(1);
        x.reshape(plan, &[self.replicas, batch, self.classes])?;
        match margins {
            Some(margins) => Ok(LogitBounds { logits: x, margins }),
            None => Err(PlanError::Settings {
                op: "bounds".to_owned(),
                message: "the last layer is not the linear one onto the classes".to_owned(),
            }),
        }
    }
}

fn no_bounds(node: &Node) -> PlanError {
    let kind = match node.kind {
        Kind::Residual { .. } => "residual blocks",
        _ => "normalisations",
    };
    PlanError::Settings {
        op: format!("bounds of `{}`", node.name),
        message: format!(
            "guaranteed bounds are not available with {kind}; observed ranges are (exclusive-use --observed-only), or train \
             a network of convolutions, poolings and linear layers"
        ),
    }
}

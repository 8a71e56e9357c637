//! Stage 2: what learns from explanations.

use serde::{Deserialize, Serialize};

use super::{Dimensions, data_source, second_losses};
use crate::model::{ModelError, Network, OptimizerConfig, Route, Tape};
use crate::ops::gather::Source;
use crate::ops::{gather, jensen_shannon, kl_divergence, reduce, reverse_kl, softmax, squared_distance};
use crate::plan::{Part, Plan, PlanError, TensorId, Variants};

/// Over what the softmax of stage 2 runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum AlignmentAxis {
    /// As our studies found best: `positions` for the gate, `features` for the linear mappings.
    #[default]
    Auto,
    /// All D features of a picture.
    Features,
    /// The positions of each channel.
    Positions,
}

impl AlignmentAxis {
    /// With a gate, the softmax over all features fails where that over positions works: a channel that is off
    /// everywhere then says nothing of places (method-gate.md has BS .493 against .956).
    fn softmax(self, network: &Network) -> softmax::Axis {
        match self {
            AlignmentAxis::Auto if network.has_gate() => softmax::Axis::Positions,
            AlignmentAxis::Auto | AlignmentAxis::Features => softmax::Axis::Features,
            AlignmentAxis::Positions => softmax::Axis::Positions,
        }
    }
}

/// What stage 2 minimises: how far q = softmax(m(f(x))) is from p = softmax(f(x′)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum AlignmentLoss {
    /// KL(p ‖ q).
    #[default]
    Kl,
    /// KL(q ‖ p).
    ReverseKl,
    /// Half of KL(p ‖ a) + KL(q ‖ a), with a the mean of p and q.
    JensenShannon,
    /// The mean of (m(f(x)) − f(x′))², without a softmax.
    SquaredDistance,
}

/// Stage 2: KL(softmax(f(x′)) ‖ softmax(m(f(x)))), routed to m.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage2 {
    /// What it updates: m alone, unless a study asks otherwise.
    pub route: Route,
    /// How.
    pub optimizer: OptimizerConfig,
    /// Steps on m per batch, with f(x) and f(x′) computed once.
    pub inner_steps: usize,
    /// What is minimised.
    pub loss: AlignmentLoss,
    /// Over what the softmax runs; the squared distance has none.
    pub axis: AlignmentAxis,
    /// Softmax of z/T.
    pub temperature: f32,
    /// Masks count as 0 or 1 (from half up), rather than in shades.
    pub hard_masks: bool,
}

impl Stage2 {
    /// Records f(x′) of this step's batch, the constant target.
    pub(super) fn target(
        &self,
        plan: &mut Plan,
        network: &Network,
        source: &Source,
        batch: usize,
    ) -> Result<TensorId, PlanError> {
        let masked = gather::masked(plan, "gather x'", source, batch, self.hard_masks)?;
        network.forward(plan, Part::Features, masked, &mut Tape::default())
    }

    /// Records how far z is from the target, row by row, and the gradient of the mean in z; weight `[R, N]`, norm `[R]`.
    pub(super) fn losses(
        &self,
        plan: &mut Plan,
        network: &Network,
        target: TensorId,
        z: TensorId,
        weight: TensorId,
        norm: TensorId,
    ) -> Result<(TensorId, TensorId), PlanError> {
        let axis = self.axis.softmax(network);
        let (label, forward) = match self.loss {
            AlignmentLoss::Kl => ("KL", kl_divergence::forward as kl_divergence::Forward),
            AlignmentLoss::ReverseKl => ("reverse KL", reverse_kl::forward as kl_divergence::Forward),
            AlignmentLoss::JensenShannon => {
                ("Jensen-Shannon", jensen_shannon::forward as kl_divergence::Forward)
            }
            AlignmentLoss::SquaredDistance => {
                return squared_distance::forward(plan, "squared distance", target, z, weight, norm);
            }
        };
        forward(plan, label, target, z, weight, norm, axis, self.temperature)
    }
}

/// Records stage 2 for one batch: gather x and x′, f of both, then `inner_steps` times m, the divergence, the
/// gradient of m and its update. f(x′) is a constant target. The mean is over the explained pictures of the batch;
/// without any, nothing is updated. Writes losses into `stage2.losses [R, steps·inner_steps]`.
pub fn stage2(
    network: &Network,
    data: &Dimensions,
    stage: &Stage2,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    if !network.has_mapping() {
        return Err(ModelError::Network(
            "stage 2 trains the mapping layer, and `mapping` is \"none\"".to_owned(),
        ));
    }
    if stage.route.updates(Part::Classifier) || stage.route.updates(Part::Features) {
        return Err(ModelError::Route(
            "stage 2 ends at m(f(x)) with f(x) computed once: it can update `mapping` only".to_owned(),
        ));
    }
    let mut recorded = Plan::with_variants("stage 2", variants);
    let plan = &mut recorded;
    let source = data_source(plan, "train", network, data)?;
    let rows = gather::labels(plan, "gather labels", &source, data.batch)?;
    let norm = reduce::sum(plan, "explained pictures", rows.explained)?;
    let x = gather::pictures(plan, "gather x", &source, data.batch)?;
    let features = network.forward(plan, Part::Features, x, &mut Tape::default())?;
    let target = stage.target(plan, network, &source, data.batch)?;
    for slot in 0..stage.inner_steps {
        let mut tape = Tape::default();
        let z = network.forward(plan, Part::Mapping, features, &mut tape)?;
        let (losses, d_z) = stage.losses(plan, network, target, z, rows.explained, norm)?;
        second_losses(plan, network, data, losses, norm, &source, (slot, stage.inner_steps))?;
        network.backward(plan, &tape, d_z, &stage.route, false)?;
        stage.optimizer.record(plan, network, "stage2", |part| stage.route.updates(part), norm)?;
    }
    Ok(recorded)
}

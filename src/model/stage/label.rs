//! Stage 1: what learns from labels.

use super::{Dimensions, control, data_source};
use crate::model::network::Training;
use crate::model::{ModelError, Network, OptimizerConfig, Route, Tape};
use crate::ops::dropout::Noise;
use crate::ops::gather::{Batch, Source};
use crate::ops::{cross_entropy, gather, metrics, reduce};
use crate::plan::{Part, Plan, PlanError, Role, TensorId, Variants};
use crate::shader::DType;

/// Name of the random words `[R, 2]` that masks of dropout are drawn from; the host writes new ones before each pass over
/// the data.
pub(crate) const NOISE: &str = "train.noise";

/// Stage 1: cross-entropy.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage1 {
    /// What it updates.
    pub route: Route,
    /// How.
    pub optimizer: OptimizerConfig,
}

/// A batch on its way through f, m and c, up to the gradient of its cross-entropy in the logits.
pub(super) struct Labelled {
    pub source: Source,
    pub rows: Batch,
    /// `[R]`: the batch's summed label weights, what its mean divides by.
    pub norm: TensorId,
    /// The way from x to the logits.
    pub tape: Tape,
    /// m(f(x)).
    pub z: TensorId,
    /// `[R, N, K]`.
    pub logits: TensorId,
    pub d_logits: TensorId,
}

/// Records what every method begins with: gather, f, m, c, cross-entropy. Writes the batch's mean loss into
/// `stage1.losses [R, steps]` and adds its predictions to `stage1.confusion [R, K, K]`. The parts that `route` updates act
/// as in training, with masks of dropout from `train.noise [R, 2]`; the others as in evaluation.
pub(super) fn labelled(
    plan: &mut Plan,
    network: &Network,
    data: &Dimensions,
    route: &Route,
) -> Result<Labelled, PlanError> {
    let source = data_source(plan, "train", network, data)?;
    let (replicas, classes) = (network.replicas(), network.classes());
    let x = gather::pictures(plan, "gather x", &source, data.batch)?;
    let rows = gather::labels(plan, "gather labels", &source, data.batch)?;
    let norm = reduce::sum(plan, "label weights", rows.label_weight)?;
    let noise = if network.has_dropout() {
        let key = plan.add(NOISE, &[replicas, 2], DType::U32, Role::Control)?;
        Some(Noise { key, clock: source.clock })
    } else {
        None
    };
    let mut tape =
        Tape::training(Training { parts: route.update.clone(), present: rows.label_weight, noise });
    let features = network.forward(plan, Part::Features, x, &mut tape)?;
    let z = network.forward(plan, Part::Mapping, features, &mut tape)?;
    let logits = network.forward(plan, Part::Classifier, z, &mut tape)?;
    plan.reshape(logits, &[replicas, data.batch, classes])?;
    let (losses, d_logits) =
        cross_entropy::forward(plan, "cross-entropy", logits, rows.labels, rows.label_weight, norm, 1.0)?;
    let history = control(plan, "stage1.losses", &[replicas, data.steps], DType::F32)?;
    metrics::record(plan, "record loss", losses, norm, history, source.clock, 0, 1)?;
    let predictions = metrics::argmax(plan, "predict", logits)?;
    let confusion = control(plan, "stage1.confusion", &[replicas, classes, classes], DType::U32)?;
    metrics::confusion(plan, "count", predictions, rows.labels, rows.label_weight, confusion)?;
    Ok(Labelled { source, rows, norm, tape, z, logits, d_logits })
}

/// Records stage 1 for one batch: gather, f, m, c, cross-entropy, the gradients that the route asks for, and their
/// updates. Writes the batch's mean loss into `stage1.losses [R, steps]` and adds its predictions to
/// `stage1.confusion [R, K, K]`.
pub fn stage1(
    network: &Network,
    data: &Dimensions,
    stage: &Stage1,
    variants: &Variants,
) -> Result<Plan, ModelError> {
    let mut recorded = Plan::with_variants("stage 1", variants);
    let plan = &mut recorded;
    let Labelled { norm, tape, d_logits, .. } = labelled(plan, network, data, &stage.route)?;
    network.backward(plan, &tape, d_logits, &stage.route, false)?;
    stage.optimizer.record(plan, network, "stage1", |part| stage.route.updates(part), norm)?;
    Ok(recorded)
}

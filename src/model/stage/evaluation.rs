//! Evaluation: what the weights as they are make of a data set.

use super::{Dimensions, control, data_source};
use crate::model::{ModelError, Network, Tape};
use crate::ops::{clock, cross_entropy, gather, metrics, reduce};
use crate::plan::{Part, Plan, Variants};
use crate::shader::DType;

/// The names of what an evaluation leaves behind.
#[derive(Clone, Debug)]
pub struct EvaluationPlan {
    /// The plan for one batch.
    pub plan: Plan,
    /// `[R, K, K]` counts, true class by predicted class, added up over the batches.
    pub confusion: String,
    /// `[R, steps·N]` predicted classes.
    pub predictions: String,
    /// `[R, steps]` mean cross-entropy of each batch.
    pub losses: String,
}

/// Records an evaluation on the data set `name`: f, m and c of one batch, its loss, its predictions, its counts, and
/// the step on to the next batch. The host clears the counts.
pub fn evaluation(
    network: &Network,
    name: &str,
    data: &Dimensions,
    variants: &Variants,
) -> Result<EvaluationPlan, ModelError> {
    let mut plan = Plan::with_variants(format!("evaluate {name}"), variants);
    let source = data_source(&mut plan, name, network, data)?;
    let (replicas, classes) = (network.replicas(), network.classes());
    let mut value = gather::pictures(&mut plan, "gather x", &source, data.batch)?;
    let rows = gather::labels(&mut plan, "gather labels", &source, data.batch)?;
    let norm = reduce::sum(&mut plan, "label weights", rows.label_weight)?;
    for part in Part::ALL {
        value = network.forward(&mut plan, part, value, &mut Tape::default())?;
    }
    plan.reshape(value, &[replicas, data.batch, classes])?;
    let (losses, _) =
        cross_entropy::forward(&mut plan, "cross-entropy", value, rows.labels, rows.label_weight, norm, 1.0)?;
    let [confusion_name, predictions_name, losses_name] =
        ["confusion", "predictions", "losses"].map(|field| format!("{name}.{field}"));
    let history = control(&mut plan, &losses_name, &[replicas, data.steps], DType::F32)?;
    metrics::record(&mut plan, "record loss", losses, norm, history, source.clock, 0, 1)?;
    let predictions = metrics::argmax(&mut plan, "predict", value)?;
    let all = control(&mut plan, &predictions_name, &[replicas, data.steps * data.batch], DType::U32)?;
    metrics::store(&mut plan, "store predictions", predictions, all, source.clock)?;
    let confusion = control(&mut plan, &confusion_name, &[replicas, classes, classes], DType::U32)?;
    metrics::confusion(&mut plan, "count", predictions, rows.labels, rows.label_weight, confusion)?;
    clock::advance(&mut plan, source.clock)?;
    Ok(EvaluationPlan { plan, confusion: confusion_name, predictions: predictions_name, losses: losses_name })
}

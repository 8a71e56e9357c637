//! The stages of training and evaluation, each as a plan: one file per stage.

mod alignment;
mod constrained;
mod evaluation;
mod exclusive_use;
mod grad_reg;
mod inspect;
mod joint;
mod label;
mod masked_copies;
mod no_mapping;

pub use alignment::{AlignmentAxis, AlignmentLoss, Stage2, stage2};
pub(crate) use constrained::MULTIPLIER;
pub use constrained::{Constraint, constrained};
pub use evaluation::{EvaluationPlan, evaluation};
pub(crate) use exclusive_use::{BOUNDS, LOGITS};
pub use exclusive_use::{bounds, logits};
pub use grad_reg::grad_reg;
pub(crate) use inspect::{D_X, OUTSIDE, SCALE, X, feature_outputs};
pub use inspect::{batch, features, gate, input_gradient};
pub use joint::joint;
pub(crate) use label::NOISE;
pub use label::{Stage1, stage1};
pub use masked_copies::masked_copies;
pub use no_mapping::no_mapping;

use super::{ModelError, Network};
use crate::ops::gather::Source;
use crate::ops::{augment, clock, metrics, schedule};
use crate::plan::{Plan, PlanError, Role, TensorId};
use crate::shader::DType;

/// The numbers that a data set and an epoch over it are described by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Pictures in the data set.
    pub count: usize,
    /// N, pictures in a batch.
    pub batch: usize,
    /// Batches in an epoch; the last one may hold padding.
    pub steps: usize,
    /// Pixels are packed bytes rather than floats.
    pub packed: bool,
    /// The pictures are turned on their way into a batch, as `geometry` says for each slot.
    pub augmented: bool,
}

/// Adds a data set's tensors to a plan, under a name such as `train`. The host writes them; `order` holds
/// `[R, steps·N]` indices, `u32::MAX` for padding.
pub fn data_source(
    plan: &mut Plan,
    name: &str,
    network: &Network,
    dimensions: &Dimensions,
) -> Result<Source, PlanError> {
    let shape = network.input();
    let Dimensions { count, batch, steps, packed, augmented } = *dimensions;
    let values = count * shape.len();
    let words = if packed { values.div_ceil(4) } else { values };
    let mut index =
        |field: &str, dims: &[usize]| plan.add(format!("{name}.{field}"), dims, DType::U32, Role::Data);
    let pixels = index("pixels", &[words])?;
    let masks = index("masks", &[(count * shape.height * shape.width).div_ceil(4)])?;
    let labels = index("labels", &[count])?;
    let explained = index("explained", &[count])?;
    let order = index("order", &[network.replicas(), steps * batch])?;
    let words = [network.replicas(), steps * batch, augment::WORDS];
    let geometry = match augmented {
        true => Some(index("geometry", &words)?),
        false => None,
    };
    let clock = plan.add(format!("{name}.clock"), &[1], DType::U32, Role::Control)?;
    let class_weights =
        plan.add(format!("{name}.class_weights"), &[network.classes()], DType::F32, Role::Data)?;
    let fill = plan.add(format!("{name}.fill"), &[shape.channels], DType::F32, Role::Data)?;
    Ok(Source {
        pixels,
        packed,
        masks,
        labels,
        explained,
        class_weights,
        fill,
        order,
        clock,
        geometry,
        count,
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    })
}

pub(super) fn control(
    plan: &mut Plan,
    name: &str,
    dims: &[usize],
    dtype: DType,
) -> Result<TensorId, PlanError> {
    plan.add(name, dims, dtype, Role::Control)
}

/// Records a step's second loss, that which explanations bring, in slot `slot` of `slots`: the mean over the explained
/// pictures, into `stage2.losses [R, steps·slots]`.
fn second_losses(
    plan: &mut Plan,
    network: &Network,
    data: &Dimensions,
    losses: TensorId,
    norm: TensorId,
    source: &Source,
    (slot, slots): (usize, usize),
) -> Result<(), PlanError> {
    let dims = [network.replicas(), data.steps * slots];
    let history = control(plan, "stage2.losses", &dims, DType::F32)?;
    metrics::record(plan, "record loss", losses, norm, history, source.clock, slot, slots)
}

/// Records that `<stage>.lr` `[R]` becomes this step's entry of `<stage>.rates` `[steps]`, which the host writes.
pub(crate) fn scheduled_rate(
    plan: &mut Plan,
    network: &Network,
    data: &Dimensions,
    stage: &str,
) -> Result<(), ModelError> {
    let clock = data_source(plan, "train", network, data)?.clock;
    let rates = control(plan, &format!("{stage}.rates"), &[data.steps], DType::F32)?;
    let lr = control(plan, &format!("{stage}.lr"), &[network.replicas()], DType::F32)?;
    Ok(schedule::rate(plan, stage, clock, rates, lr)?)
}

/// The plan that moves on to the next batch of a data set.
pub fn advance(network: &Network, name: &str, data: &Dimensions) -> Result<Plan, ModelError> {
    let mut plan = Plan::new("advance");
    let source = data_source(&mut plan, name, network, data)?;
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

//! The stages of training and evaluation, each as a plan.

use serde::{Deserialize, Serialize};

use super::{ModelError, Network, OptimizerConfig, Route, Tape};
use crate::ops::gather::{self, Source};
use crate::ops::{clock, cross_entropy, kl_divergence, metrics, reduce, softmax};
use crate::plan::{Part, Plan, PlanError, Role, TensorId, Variants};
use crate::shader::DType;

/// Over what the softmax of stage 2 runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum AlignmentAxis {
    /// All D features of a picture.
    #[default]
    Features,
    /// The positions of each channel.
    Positions,
}

impl AlignmentAxis {
    fn softmax(self) -> softmax::Axis {
        match self {
            AlignmentAxis::Features => softmax::Axis::Features,
            AlignmentAxis::Positions => softmax::Axis::Positions,
        }
    }
}

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
    let Dimensions { count, batch, steps, packed } = *dimensions;
    let values = count * shape.len();
    let words = if packed { values.div_ceil(4) } else { values };
    let mut index =
        |field: &str, dims: &[usize]| plan.add(format!("{name}.{field}"), dims, DType::U32, Role::Data);
    let pixels = index("pixels", &[words])?;
    let masks = index("masks", &[(count * shape.height * shape.width).div_ceil(4)])?;
    let labels = index("labels", &[count])?;
    let explained = index("explained", &[count])?;
    let order = index("order", &[network.replicas(), steps * batch])?;
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
        count,
        height: shape.height,
        width: shape.width,
        channels: shape.channels,
    })
}

fn control(plan: &mut Plan, name: &str, dims: &[usize], dtype: DType) -> Result<TensorId, PlanError> {
    plan.add(name, dims, dtype, Role::Control)
}

/// Stage 1: cross-entropy.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage1 {
    /// What it updates.
    pub route: Route,
    /// How.
    pub optimizer: OptimizerConfig,
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
    let source = data_source(plan, "train", network, data)?;
    let replicas = network.replicas();
    let x = gather::pictures(plan, "gather x", &source, data.batch)?;
    let rows = gather::labels(plan, "gather labels", &source, data.batch)?;
    let norm = reduce::sum(plan, "label weights", rows.label_weight)?;
    let mut tape = Tape::default();
    let mut value = x;
    for part in Part::ALL {
        value = network.forward(plan, part, value, &mut tape)?;
    }
    plan.reshape(value, &[replicas, data.batch, network.classes()])?;
    let (losses, d_logits) =
        cross_entropy::forward(plan, "cross-entropy", value, rows.labels, rows.label_weight, norm, 1.0)?;
    let history = control(plan, "stage1.losses", &[replicas, data.steps], DType::F32)?;
    metrics::record(plan, "record loss", losses, norm, history, source.clock, 0, 1)?;
    let predictions = metrics::argmax(plan, "predict", value)?;
    let classes = network.classes();
    let confusion = control(plan, "stage1.confusion", &[replicas, classes, classes], DType::U32)?;
    metrics::confusion(plan, "count", predictions, rows.labels, rows.label_weight, confusion)?;
    network.backward(plan, &tape, d_logits, &stage.route, false)?;
    stage.optimizer.record(plan, network, "stage1", |part| stage.route.updates(part), norm)?;
    Ok(recorded)
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
    /// Over what the softmax runs.
    pub axis: AlignmentAxis,
    /// Softmax of z/T.
    pub temperature: f32,
    /// Masks count as 0 or 1 (from half up), rather than in shades.
    pub hard_masks: bool,
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
    let replicas = network.replicas();
    let rows = gather::labels(plan, "gather labels", &source, data.batch)?;
    let norm = reduce::sum(plan, "explained pictures", rows.explained)?;
    let x = gather::pictures(plan, "gather x", &source, data.batch)?;
    let features = network.forward(plan, Part::Features, x, &mut Tape::default())?;
    let masked = gather::masked(plan, "gather x'", &source, data.batch, stage.hard_masks)?;
    let target = network.forward(plan, Part::Features, masked, &mut Tape::default())?;
    let slots = stage.inner_steps;
    let history = control(plan, "stage2.losses", &[replicas, data.steps * slots], DType::F32)?;
    for slot in 0..slots {
        let mut tape = Tape::default();
        let z = network.forward(plan, Part::Mapping, features, &mut tape)?;
        let axis = stage.axis.softmax();
        let (losses, d_z) =
            kl_divergence::forward(plan, "KL", target, z, rows.explained, norm, axis, stage.temperature)?;
        metrics::record(plan, "record loss", losses, norm, history, source.clock, slot, slots)?;
        network.backward(plan, &tape, d_z, &stage.route, false)?;
        stage.optimizer.record(plan, network, "stage2", |part| stage.route.updates(part), norm)?;
    }
    Ok(recorded)
}

/// The plan that moves on to the next batch of a data set.
pub fn advance(network: &Network, name: &str, data: &Dimensions) -> Result<Plan, ModelError> {
    let mut plan = Plan::new("advance");
    let source = data_source(&mut plan, name, network, data)?;
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
}

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

/// Name of the output of [`input_gradient`] and [`features`].
pub(crate) const X: &str = "x";
/// Name of an output of [`input_gradient`].
pub(crate) const D_X: &str = "d_x";

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
    let d_x = network.backward(&mut plan, &tape, d_logits, &Route::default(), true)?;
    plan.promote(x, X)?;
    if let Some(d_x) = d_x {
        plan.promote(d_x, D_X)?;
    }
    clock::advance(&mut plan, source.clock)?;
    Ok(plan)
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

//! The network with every shape resolved: forward and backward recorded layer by layer.

use std::collections::BTreeSet;

use super::node::{GATE_BRANCH, Kind, MapShape, Node, Parameter};
use crate::ops::batch_norm::Running;
use crate::ops::dropout::Noise;
use crate::ops::{
    average_pool, batch_norm, conv2d, diagonal, dropout, gate, group_norm, linear, max_pool, normalize,
    pointwise, relu,
};
use crate::plan::{Part, Plan, PlanError, Role, TensorId};
use crate::shader::DType;

mod backward;
mod bounds;
mod build;
mod second;
mod through;
pub(super) use backward::Pass;
pub use bounds::LogitBounds;

/// One layer's forward pass, as its backward pass needs it.
#[derive(Clone, Debug)]
struct Step {
    node: usize,
    x: TensorId,
    x_dims: Vec<usize>,
    y: TensorId,
    argmax: Option<TensorId>,
    /// Mean and inverse deviation that a normalisation found.
    statistics: Option<TensorId>,
    /// The weights of the batch's rows, where the statistics are those of the batch.
    present: Option<TensorId>,
    /// What a dropout's mask is drawn from; `None` where nothing is dropped.
    noise: Option<Noise>,
}

impl Step {
    fn statistics(&self, node: &Node) -> Result<TensorId, PlanError> {
        self.statistics.ok_or_else(|| PlanError::Settings {
            op: node.name.clone(),
            message: "recorded no statistics on the way forward".to_owned(),
        })
    }
}

/// How layers act that act otherwise in training.
#[derive(Clone, Debug)]
pub(in crate::model) struct Training {
    /// The parts that are trained; the others act as in evaluation.
    pub parts: BTreeSet<Part>,
    /// `[R, N]`: a row of the batch counts where it is not 0.
    pub present: TensorId,
    /// What masks of dropout are drawn from.
    pub noise: Option<Noise>,
}

/// The forward pass that was recorded. [`Tape::default`] records one as in evaluation, `Tape::training` one as in
/// stage 1.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    steps: Vec<Step>,
    training: Option<Training>,
}

impl Tape {
    /// For a forward pass of stage 1.
    pub(super) fn training(training: Training) -> Self {
        Self { steps: Vec::new(), training: Some(training) }
    }

    /// How a part acts, if it is trained.
    fn training_of(&self, part: Part) -> Option<&Training> {
        self.training.as_ref().filter(|training| training.parts.contains(&part))
    }

    /// What the last layer read; for a gate its s.
    pub(super) fn last_input(&self) -> Option<TensorId> {
        self.steps.last().map(|step| step.x)
    }

    /// h of the gate whose s was recorded last: the input of its branch.
    fn entering_gate(&self, node: &Node) -> Result<TensorId, PlanError> {
        self.before(node, GATE_BRANCH).map(|step| step.x)
    }

    /// The step so many places before the one to come.
    fn before(&self, node: &Node, places: usize) -> Result<&Step, PlanError> {
        let step = self.steps.len().checked_sub(places).and_then(|first| self.steps.get(first));
        step.ok_or_else(|| PlanError::Settings {
            op: node.name.clone(),
            message: format!("comes behind {places} layers whose values it reads, and they are not recorded"),
        })
    }
}

/// f, m and c with every shape known.
#[derive(Clone, Debug)]
pub struct Network {
    nodes: Vec<Node>,
    input: MapShape,
    features: MapShape,
    classes: usize,
    replicas: usize,
}

impl Network {
    /// Shape of a picture.
    pub fn input(&self) -> MapShape {
        self.input
    }

    /// Shape of f(x).
    pub fn features(&self) -> MapShape {
        self.features
    }

    /// K.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// R.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    /// The same network with one replica.
    pub fn single(&self) -> Self {
        Self { replicas: 1, ..self.clone() }
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether there is a mapping layer.
    pub fn has_mapping(&self) -> bool {
        self.nodes.iter().any(|node| node.part == Part::Mapping)
    }

    /// Whether some layer drops values in training.
    pub fn has_dropout(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.kind, Kind::Dropout(_)))
    }

    /// Whether the mapping layer is a gate.
    pub fn has_gate(&self) -> bool {
        self.nodes.iter().any(|node| node.kind == Kind::Gate)
    }

    /// Every weight and bias, in the order in which a picture meets them.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.nodes.iter().flat_map(Node::parameters).collect()
    }

    /// Every running mean and variance: what belongs to the model beside its weights.
    pub fn running(&self) -> Vec<Parameter> {
        self.nodes.iter().flat_map(Node::running).collect()
    }

    /// A parameter's tensor in a plan.
    pub fn parameter(&self, plan: &mut Plan, parameter: &Parameter) -> Result<TensorId, PlanError> {
        plan.add(
            &parameter.name,
            &self.with_replicas(&parameter.dims),
            DType::F32,
            Role::Parameter(parameter.part),
        )
    }

    /// A parameter's gradient in a plan: `conv1.weight` has the gradient `conv1.d_weight`.
    pub fn gradient(&self, plan: &mut Plan, parameter: &Parameter) -> Result<TensorId, PlanError> {
        let name = gradient_name(&parameter.name);
        plan.add(name, &self.with_replicas(&parameter.dims), DType::F32, Role::Gradient(parameter.part))
    }

    fn running_tensors(&self, plan: &mut Plan, node: &Node) -> Result<Running, PlanError> {
        let mut ids = node.running().into_iter().map(|state| {
            plan.add(&state.name, &self.with_replicas(&state.dims), DType::F32, Role::Running(state.part))
        });
        match (ids.next(), ids.next()) {
            (Some(mean), Some(variance)) => Ok(Running { mean: mean?, variance: variance? }),
            _ => Err(PlanError::Settings {
                op: node.name.clone(),
                message: "has no running statistics".to_owned(),
            }),
        }
    }

    fn with_replicas(&self, dims: &[usize]) -> Vec<usize> {
        [&[self.replicas], dims].concat()
    }

    fn tensors(&self, plan: &mut Plan, node: &Node, gradients: bool) -> Result<[TensorId; 2], PlanError> {
        let parameters = node.parameters();
        let mut ids = parameters.iter().map(|parameter| {
            if gradients { self.gradient(plan, parameter) } else { self.parameter(plan, parameter) }
        });
        match (ids.next(), ids.next()) {
            (Some(weight), Some(bias)) => Ok([weight?, bias?]),
            _ => Err(PlanError::Settings { op: node.name.clone(), message: "has no parameters".to_owned() }),
        }
    }

    /// Records one part's forward pass over x `[R, N, H, W, C]`; returns its output, shaped as a map.
    pub fn forward(
        &self,
        plan: &mut Plan,
        part: Part,
        x: TensorId,
        tape: &mut Tape,
    ) -> Result<TensorId, PlanError> {
        let mut x = x;
        for (index, node) in self.nodes.iter().enumerate().filter(|(_, node)| node.part == part) {
            if node.back > 0 {
                x = tape.before(node, node.back)?.x;
            }
            let x_dims = plan.dims(x).to_vec();
            let (mut argmax, mut statistics, mut present, mut noise) = (None, None, None, None);
            let y = match node.kind {
                Kind::Conv(settings, _) => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    conv2d::forward(plan, &node.name, x, weight, bias, settings, node.fused_relu)?
                }
                Kind::Linear(_) => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    linear::forward(plan, &node.name, x, weight, bias, node.fused_relu)?
                }
                Kind::Diagonal => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    diagonal::forward(plan, &node.name, x, weight, bias)?
                }
                Kind::Relu => relu::forward(plan, &node.name, x)?,
                Kind::MaxPool(settings) => {
                    let (y, winners) = max_pool::forward(plan, &node.name, x, settings)?;
                    argmax = Some(winners);
                    y
                }
                Kind::AveragePool => average_pool::forward(plan, &node.name, x)?,
                Kind::Gate => gate::forward(plan, &node.name, tape.entering_gate(node)?, x)?,
                Kind::GroupNorm(groups) => {
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    let (y, found) = group_norm::forward(plan, &node.name, x, weight, bias, groups)?;
                    statistics = Some(found);
                    y
                }
                Kind::BatchNorm => {
                    let running = self.running_tensors(plan, node)?;
                    present = tape.training_of(part).map(|training| training.present);
                    let found = match present {
                        Some(present) => batch_norm::batch_statistics(plan, &node.name, x, present, running)?,
                        None => batch_norm::running_statistics(plan, &node.name, x, running)?,
                    };
                    statistics = Some(found);
                    let [weight, bias] = self.tensors(plan, node, false)?;
                    normalize::forward(plan, &node.name, x, found, weight, bias)?
                }
                Kind::Dropout(rate) => {
                    noise = tape.training_of(part).and_then(|training| training.noise);
                    match noise {
                        Some(noise) => dropout::forward(plan, &node.name, x, rate, node.number(), noise)?,
                        None => x,
                    }
                }
                Kind::Residual { length, shortcut: true } => {
                    let main = tape.before(node, 2)?.y;
                    debug_assert!(length >= 2);
                    pointwise::sum(plan, &node.name, main, x)?
                }
                Kind::Residual { length, shortcut: false } => {
                    let around = tape.before(node, length)?.x;
                    pointwise::sum(plan, &node.name, x, around)?
                }
            };
            let batch = x_dims.get(1).copied().unwrap_or(1);
            let MapShape { height, width, channels } = node.output;
            plan.reshape(y, &[self.replicas, batch, height, width, channels])?;
            tape.steps.push(Step { node: index, x, x_dims, y, argmax, statistics, present, noise });
            x = y;
        }
        Ok(x)
    }
}

/// `features.0.weight` → `features.0.d_weight`.
pub(super) fn gradient_name(parameter: &str) -> String {
    match parameter.rsplit_once('.') {
        Some((layer, name)) => format!("{layer}.d_{name}"),
        None => format!("d_{parameter}"),
    }
}

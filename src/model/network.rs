//! The network with every shape resolved: forward and backward recorded layer by layer.

use super::node::{GATE_BRANCH, Kind, MapShape, Node, Parameter, push_mapping, resolve};
use super::{Fill, Layer, ModelConfig, ModelError};
use crate::ops::{average_pool, conv2d, diagonal, gate, linear, max_pool, relu};
use crate::plan::{Part, Plan, PlanError, Role, TensorId};
use crate::shader::DType;

mod backward;
mod bounds;
mod second;
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
}

/// The forward pass that was recorded.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    steps: Vec<Step>,
}

impl Tape {
    /// What the last layer read; for a gate its s.
    pub(super) fn last_input(&self) -> Option<TensorId> {
        self.steps.last().map(|step| step.x)
    }

    /// h of the gate whose s was recorded last: the input of its branch.
    fn entering_gate(&self, node: &Node) -> Result<TensorId, PlanError> {
        let first = self.steps.len().checked_sub(GATE_BRANCH).and_then(|first| self.steps.get(first));
        first.map(|step| step.x).ok_or_else(|| PlanError::Settings {
            op: node.name.clone(),
            message: "comes behind the layers that compute its scale".to_owned(),
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
    /// Resolves a description for pictures of one shape.
    pub fn new(
        config: &ModelConfig,
        input: MapShape,
        classes: usize,
        replicas: usize,
    ) -> Result<Self, ModelError> {
        let mut nodes = Vec::new();
        let mut shape = input;
        for (part, layers) in [(Part::Features, &config.features), (Part::Classifier, &config.classifier)] {
            if part == Part::Classifier {
                push_mapping(&mut nodes, config.mapping, shape)?;
            }
            for (i, layer) in layers.iter().enumerate() {
                let name = format!("{}.{i}", part.name());
                let last = part == Part::Classifier && i + 1 == layers.len();
                if (*layer == Layer::Output) != last {
                    return Err(ModelError::Layer {
                        layer: name,
                        kind: "output",
                        message: "`output` is the last layer of the classifier, and only that".to_owned(),
                    });
                }
                // A ReLU behind a convolution or linear layer of the same part rides along in its kernel.
                if *layer == Layer::Relu
                    && let Some(previous) = nodes.last_mut()
                    && i > 0
                    && matches!(previous.kind, Kind::Conv(..) | Kind::Linear(_))
                    && previous.part == part
                    && !previous.fused_relu
                {
                    previous.fused_relu = true;
                    continue;
                }
                let (kind, output) = resolve(layer, &name, shape, classes)?;
                let fan_in = match kind {
                    Kind::Conv(settings, _) => settings.kernel[0] * settings.kernel[1] * shape.channels,
                    _ => shape.len(),
                };
                let weight_fill = Fill::He { fan_in };
                nodes.push(Node { name, part, kind, input: shape, output, fused_relu: false, weight_fill });
                shape = output;
            }
        }
        if config.classifier.is_empty() {
            return Err(ModelError::Network(
                "the classifier is empty; its last layer must be \"output\"".into(),
            ));
        }
        let features =
            nodes.iter().rev().find(|node| node.part == Part::Features).map_or(input, |node| node.output);
        Ok(Self { nodes, input, features, classes, replicas })
    }

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

    /// Whether the mapping layer is a gate.
    pub fn has_gate(&self) -> bool {
        self.nodes.iter().any(|node| node.kind == Kind::Gate)
    }

    /// Every weight and bias, in the order in which a picture meets them.
    pub fn parameters(&self) -> Vec<Parameter> {
        self.nodes.iter().flat_map(Node::parameters).collect()
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
            let x_dims = plan.dims(x).to_vec();
            let mut argmax = None;
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
            };
            let batch = x_dims.get(1).copied().unwrap_or(1);
            let MapShape { height, width, channels } = node.output;
            plan.reshape(y, &[self.replicas, batch, height, width, channels])?;
            tape.steps.push(Step { node: index, x, x_dims, y, argmax });
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

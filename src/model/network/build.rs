//! From a description to layers whose shapes are known.

use super::Network;
use crate::model::node::{Kind, MapShape, Node, push_mapping, resolve};
use crate::model::{Fill, Layer, ModelConfig, ModelError, Residual};
use crate::ops::conv2d;
use crate::plan::Part;

/// The layers so far, and the shape that the next one meets.
struct Builder {
    nodes: Vec<Node>,
    shape: MapShape,
    classes: usize,
}

impl Network {
    /// Resolves a description for pictures of one shape.
    pub fn new(
        config: &ModelConfig,
        input: MapShape,
        classes: usize,
        replicas: usize,
    ) -> Result<Self, ModelError> {
        let mut builder = Builder { nodes: Vec::new(), shape: input, classes };
        builder.layers(Part::Features, Part::Features.name(), &config.features)?;
        let features = builder.shape;
        push_mapping(&mut builder.nodes, config.mapping, features)?;
        if config.classifier.is_empty() {
            return Err(ModelError::Network(
                "the classifier is empty; its last layer must be \"output\"".into(),
            ));
        }
        builder.layers(Part::Classifier, Part::Classifier.name(), &config.classifier)?;
        Ok(Self { nodes: builder.nodes, input, features, classes, replicas })
    }
}

impl Builder {
    /// Appends layers of one part, named `prefix.0`, `prefix.1` and so on.
    fn layers(&mut self, part: Part, prefix: &str, layers: &[Layer]) -> Result<(), ModelError> {
        for (i, layer) in layers.iter().enumerate() {
            let name = format!("{prefix}.{i}");
            let last = prefix == Part::Classifier.name() && i + 1 == layers.len();
            if (*layer == Layer::Output) != last {
                return Err(ModelError::Layer {
                    layer: name,
                    kind: "output",
                    message: "`output` is the last layer of the classifier, and only that".to_owned(),
                });
            }
            // A ReLU behind a convolution or linear layer of the same list rides along in its kernel.
            if *layer == Layer::Relu
                && i > 0
                && let Some(previous) = self.nodes.last_mut()
                && matches!(previous.kind, Kind::Conv(..) | Kind::Linear(_))
                && !previous.fused_relu
            {
                previous.fused_relu = true;
            } else if let Layer::Residual(block) = layer {
                self.residual(part, name, block)?;
            } else {
                let (kind, output) = resolve(layer, &name, self.shape, self.classes)?;
                self.push(name, part, kind, output, 0);
            }
        }
        Ok(())
    }

    fn push(&mut self, name: String, part: Part, kind: Kind, output: MapShape, back: usize) {
        let input = self.shape;
        let weight_fill = match kind {
            Kind::Conv(s, _) => Fill::He { fan_in: s.kernel[0] * s.kernel[1] * input.channels },
            Kind::GroupNorm(_) | Kind::BatchNorm => Fill::One,
            _ => Fill::He { fan_in: input.len() },
        };
        self.nodes.push(Node { name, part, kind, input, output, fused_relu: false, weight_fill, back });
        self.shape = output;
    }

    /// Appends the block's layers, the way around them where shapes differ, and the sum.
    fn residual(&mut self, part: Part, name: String, block: &Residual) -> Result<(), ModelError> {
        let wrong = |message: String| ModelError::Layer { layer: name.clone(), kind: "residual", message };
        let (first, before) = (self.nodes.len(), self.shape);
        self.layers(part, &format!("{name}.layers"), &block.layers)?;
        let (after, length) = (self.shape, self.nodes.len() - first);
        // A block that ends in a normalisation starts as the way around it alone, so that depth costs nothing at the start
        // (Goyal et al. 2017, section 5.1).
        if let Some(last) = self.nodes[first..].last_mut()
            && matches!(last.kind, Kind::GroupNorm(_) | Kind::BatchNorm)
        {
            last.weight_fill = Fill::Zero;
        }
        let idle = |node: &Node| matches!(node.kind, Kind::Dropout(_) | Kind::Residual { .. });
        if self.nodes[first..].iter().all(idle) {
            return Err(wrong("has no layers but dropout; give it some, or leave it out".to_owned()));
        }
        let shortcut = before != after;
        if shortcut {
            let stride = [before.height.div_ceil(after.height), before.width.div_ceil(after.width)];
            let size = |n, d: usize| conv2d::output_size(n, 1, stride[d], 0, 1);
            if (size(before.height, 0), size(before.width, 1)) != (Some(after.height), Some(after.width)) {
                return Err(wrong(format!(
                    "its layers make a {}×{} map of one of {}×{}, and no 1×1 convolution with a stride does; let them keep \
                     the size (padding of half the kernel) or shrink it by a whole stride",
                    after.height, after.width, before.height, before.width
                )));
            }
            let settings = conv2d::Settings { kernel: [1, 1], stride, padding: [0, 0], dilation: [1, 1] };
            self.shape = before;
            self.push(format!("{name}.shortcut"), part, Kind::Conv(settings, after.channels), after, length);
        }
        let length = self.nodes.len() - first;
        self.push(name, part, Kind::Residual { length, shortcut }, after, 0);
        Ok(())
    }
}

//! Layers with their shapes resolved, and the parameters that they hold.

use super::{GroupNorm, Layer, Mapping, ModelError};
use crate::ops::dropout::Rate;
use crate::ops::{conv2d, max_pool};
use crate::plan::Part;

/// Height, width and channels of a feature map; a flat vector is 1×1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapShape {
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// C.
    pub channels: usize,
}

impl MapShape {
    /// D = H·W·C.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// True for no pixels or channels.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fill {
    /// Normal with variance 2 / fan-in (He et al. 2015).
    He {
        /// Inputs of one output.
        fan_in: usize,
    },
    /// All zero.
    Zero,
    /// All one.
    One,
    /// A square identity matrix.
    Identity,
}

/// A weight or bias.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Such as `features.0.weight`.
    pub name: String,
    /// The part that it belongs to.
    pub part: Part,
    /// Dimensions of one replica.
    pub dims: Vec<usize>,
    /// How it starts.
    pub fill: Fill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Conv(conv2d::Settings, usize),
    Relu,
    MaxPool(max_pool::Settings),
    AveragePool,
    Linear(usize),
    Diagonal,
    /// y = g ⊙ h: its own input is s, and h is what entered the [`GATE_BRANCH`] layers before it, which compute s.
    Gate,
    GroupNorm(usize),
    BatchNorm,
    Dropout(Rate),
    /// y = what the layers made of x, plus x: `length` layers before it belong to the block, the last of them the
    /// convolution on the way around where there is a `shortcut`.
    Residual {
        length: usize,
        shortcut: bool,
    },
}

/// Layers between h and s of a gate.
pub(crate) const GATE_BRANCH: usize = 2;

/// One layer with its shapes resolved.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) part: Part,
    pub(crate) kind: Kind,
    pub(crate) input: MapShape,
    pub(crate) output: MapShape,
    /// The ReLU behind it is computed by the same kernel.
    pub(crate) fused_relu: bool,
    pub(crate) weight_fill: Fill,
    /// It reads what entered the layer so many places before it, not what the last one left: the way around a residual
    /// block. 0 for every other layer.
    pub(crate) back: usize,
}

impl Node {
    /// A number for the layer that depends on its name alone, so that other layers do not change it.
    pub(super) fn number(&self) -> u32 {
        let hash = super::init::stream(&self.name);
        (hash ^ (hash >> 32)) as u32
    }

    /// Whether the second backward pass has no way through it.
    pub(super) fn curved(&self) -> bool {
        matches!(self.kind, Kind::GroupNorm(_) | Kind::BatchNorm | Kind::Residual { .. })
    }

    pub(super) fn has_parameters(&self) -> bool {
        matches!(
            self.kind,
            Kind::Conv(..) | Kind::Linear(_) | Kind::Diagonal | Kind::GroupNorm(_) | Kind::BatchNorm
        )
    }

    /// Running mean and variance; nothing for a layer that has none.
    pub(crate) fn running(&self) -> Vec<Parameter> {
        if self.kind != Kind::BatchNorm {
            return Vec::new();
        }
        let make = |suffix: &str, fill| Parameter {
            name: format!("{}.{suffix}", self.name),
            part: self.part,
            dims: vec![self.input.channels],
            fill,
        };
        vec![make("running_mean", Fill::Zero), make("running_var", Fill::One)]
    }

    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        let (c_in, c_out) = (self.input.channels, self.output.channels);
        let (weight, bias) = match self.kind {
            Kind::Conv(settings, _) => {
                (vec![settings.kernel[0], settings.kernel[1], c_in, c_out], vec![c_out])
            }
            Kind::Linear(out) => (vec![self.input.len(), out], vec![out]),
            Kind::Diagonal => (vec![self.input.len()], vec![self.input.len()]),
            Kind::GroupNorm(_) | Kind::BatchNorm => (vec![c_in], vec![c_in]),
            _ => return Vec::new(),
        };
        let make = |suffix: &str, dims, fill| Parameter {
            name: format!("{}.{suffix}", self.name),
            part: self.part,
            dims,
            fill,
        };
        vec![make("weight", weight, self.weight_fill), make("bias", bias, Fill::Zero)]
    }
}

pub(super) fn push_mapping(
    nodes: &mut Vec<Node>,
    mapping: Mapping,
    shape: MapShape,
) -> Result<(), ModelError> {
    let one = conv2d::Settings { kernel: [1, 1], stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
    let name = Part::Mapping.name();
    let mut push = |name: String, kind, input, output, fused_relu, weight_fill| {
        nodes.push(Node { name, part: Part::Mapping, kind, input, output, fused_relu, weight_fill, back: 0 });
    };
    let mut linear = |kind, fill| push(name.to_owned(), kind, shape, shape, false, fill);
    match mapping.settled(shape.height, shape.width) {
        Mapping::None => {}
        Mapping::Dense => linear(Kind::Linear(shape.len()), Fill::Identity),
        Mapping::Diagonal | Mapping::Auto => linear(Kind::Diagonal, Fill::One),
        Mapping::Conv1x1 => linear(Kind::Conv(one, shape.channels), Fill::Identity),
        Mapping::Gate => {
            if shape.height * shape.width == 1 {
                return Err(ModelError::Layer {
                    layer: name.to_owned(),
                    kind: "gate",
                    message: "a gate chooses among the positions of a map, and f(x) has one only; move the last layers of \
                              `features` to the classifier, or use the mapping \"diagonal\""
                        .to_owned(),
                });
            }
            let three = conv2d::Settings { kernel: [3, 3], padding: [1, 1], ..one };
            let hidden = MapShape { channels: (shape.channels / 2).max(1), ..shape };
            let he = Fill::He { fan_in: 9 * shape.channels };
            // s = 0 at the start, so that g = 1 and m is the identity.
            push(format!("{name}.0"), Kind::Conv(three, hidden.channels), shape, hidden, true, he);
            push(format!("{name}.2"), Kind::Conv(three, shape.channels), hidden, shape, false, Fill::Zero);
            push(name.to_owned(), Kind::Gate, shape, shape, false, Fill::Zero);
        }
    }
    Ok(())
}

/// The kind and the output's shape of a layer that is no residual block.
pub(super) fn resolve(
    layer: &Layer,
    name: &str,
    shape: MapShape,
    classes: usize,
) -> Result<(Kind, MapShape), ModelError> {
    let wrong = |kind, message: String| ModelError::Layer { layer: name.to_owned(), kind, message };
    let flat = |channels| MapShape { height: 1, width: 1, channels };
    let too_large = |kernel| {
        format!(
            "a kernel of {kernel} does not fit the {}×{} map that reaches it; use a smaller kernel or stride, more \
             padding, or larger pictures (--size)",
            shape.height, shape.width
        )
    };
    let positive = |kind, numbers: &[(&str, usize)]| match numbers.iter().find(|(_, n)| *n == 0) {
        Some((what, _)) => Err(wrong(kind, format!("`{what}` must be at least 1"))),
        None => Ok(()),
    };
    match layer {
        Layer::Conv(conv) => {
            positive(
                "conv",
                &[
                    ("out", conv.out),
                    ("kernel", conv.kernel),
                    ("stride", conv.stride),
                    ("dilation", conv.dilation),
                ],
            )?;
            let size = |n| conv2d::output_size(n, conv.kernel, conv.stride, conv.padding, conv.dilation);
            let (Some(height), Some(width)) = (size(shape.height), size(shape.width)) else {
                return Err(wrong("conv", too_large(conv.kernel)));
            };
            let settings = conv2d::Settings {
                kernel: [conv.kernel; 2],
                stride: [conv.stride; 2],
                padding: [conv.padding; 2],
                dilation: [conv.dilation; 2],
            };
            Ok((Kind::Conv(settings, conv.out), MapShape { height, width, channels: conv.out }))
        }
        Layer::Relu => Ok((Kind::Relu, shape)),
        Layer::MaxPool(pool) => {
            let stride = pool.stride.unwrap_or(pool.kernel);
            positive("max_pool", &[("kernel", pool.kernel), ("stride", stride)])?;
            if pool.padding * 2 > pool.kernel {
                return Err(wrong("max_pool", "`padding` must be at most half of `kernel`".to_owned()));
            }
            let size = |n| conv2d::output_size(n, pool.kernel, stride, pool.padding, 1);
            let (Some(height), Some(width)) = (size(shape.height), size(shape.width)) else {
                return Err(wrong("max_pool", too_large(pool.kernel)));
            };
            let settings = max_pool::Settings {
                kernel: [pool.kernel; 2],
                stride: [stride; 2],
                padding: [pool.padding; 2],
            };
            Ok((Kind::MaxPool(settings), MapShape { height, width, channels: shape.channels }))
        }
        Layer::AveragePool => Ok((Kind::AveragePool, flat(shape.channels))),
        Layer::GroupNorm(GroupNorm { groups }) => {
            if *groups == 0 || !shape.channels.is_multiple_of(*groups) {
                let message = format!(
                    "{} channels cannot be cut into {groups} groups of one size; choose `groups` among their divisors",
                    shape.channels
                );
                return Err(wrong("group_norm", message));
            }
            if shape.height * shape.width * shape.channels == *groups {
                let message = "each group would hold one value, whose distance from its own mean is 0; use fewer groups";
                return Err(wrong("group_norm", message.to_owned()));
            }
            Ok((Kind::GroupNorm(*groups), shape))
        }
        Layer::BatchNorm => Ok((Kind::BatchNorm, shape)),
        Layer::Dropout(rate) => match Rate::new(*rate) {
            Some(rate) => Ok((Kind::Dropout(rate), shape)),
            None => Err(wrong(
                "dropout",
                format!("the share that is dropped lies from 0 to below 1, but is {rate}"),
            )),
        },
        Layer::Residual(_) => Err(wrong("residual", "is a block and no layer by itself".to_owned())),
        Layer::Linear(linear) => {
            positive("linear", &[("out", linear.out)])?;
            Ok((Kind::Linear(linear.out), flat(linear.out)))
        }
        Layer::Output => Ok((Kind::Linear(classes), flat(classes))),
    }
}

//! The network as an ONNX graph. Field numbers are those of onnx.proto (onnx.ai, IR version 8).

use super::{ExportError, Model, Tensor, weights};
use crate::model::{GATE_BRANCH, Kind, MapShape, Node};
use crate::ops::normalize::EPSILON;
use crate::protobuf::Message;

const OPSET: i64 = 17;
const FLOAT: i64 = 1;
const INT64: i64 = 7;

/// Nodes and constants of the graph so far.
#[derive(Default)]
struct Graph {
    nodes: Vec<Message>,
    constants: Vec<Message>,
}

fn ints(name: &str, values: &[usize]) -> Message {
    const INTS: i64 = 7;
    Message::default().text(1, name).ints(8, values.iter().map(|&value| value as i64)).int(20, INTS)
}

fn int(name: &str, value: i64) -> Message {
    const INT: i64 = 2;
    Message::default().text(1, name).int(3, value).int(20, INT)
}

fn float(name: &str, value: f32) -> Message {
    const FLOAT: i64 = 1;
    Message::default().text(1, name).float(2, value).int(20, FLOAT)
}

impl Graph {
    /// Adds an operation; its only output has the operation's name.
    fn node(&mut self, op: &str, name: &str, inputs: &[&str], attributes: Vec<Message>) -> String {
        let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input));
        self.nodes.push(node.text(2, name).text(3, name).text(4, op).messages(5, attributes));
        name.to_owned()
    }

    fn constant(&mut self, name: &str, kind: i64, dims: &[usize], bytes: &[u8]) {
        let dims = dims.iter().map(|&dim| dim as i64);
        self.constants.push(Message::default().ints(1, dims).int(2, kind).text(8, name).bytes(9, bytes));
    }

    fn scalar(&mut self, name: &str, value: f32) {
        self.constant(name, FLOAT, &[], &value.to_le_bytes());
    }

    fn tensor(&mut self, tensor: &Tensor) {
        let bytes: Vec<u8> = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(&tensor.name, FLOAT, &tensor.dims, &bytes);
    }

    /// `[batch, C, H, W]` again, behind a linear layer.
    fn map(&mut self, value: String, name: &str, shape: MapShape) -> String {
        let target = format!("{name}.shape");
        // 0 takes the batch as it is.
        let dims = [0, shape.channels as i64, shape.height as i64, shape.width as i64];
        let bytes: Vec<u8> = dims.iter().flat_map(|dim| dim.to_le_bytes()).collect();
        self.constant(&target, INT64, &[4], &bytes);
        self.node("Reshape", &format!("{name}.map"), &[&value, &target], Vec::new())
    }

    /// A group normalisation, as the opset has it: the values of a group as one row, normalised by itself, then a scale
    /// and a shift per channel.
    fn group_norm(&mut self, name: &str, x: &str, groups: usize, shape: MapShape) -> String {
        let dims = |values: &[i64]| values.iter().flat_map(|dim| dim.to_le_bytes()).collect::<Vec<u8>>();
        let ones: Vec<u8> = (0..groups).flat_map(|_| 1f32.to_le_bytes()).collect();
        let [rows, one, zero] = ["rows", "ones", "zeros"].map(|field| format!("{name}.{field}"));
        self.constant(&rows, INT64, &[3], &dims(&[0, groups as i64, -1]));
        self.constant(&one, FLOAT, &[groups], &ones);
        self.constant(&zero, FLOAT, &[groups], &vec![0; ones.len()]);
        let flat = self.node("Reshape", &format!("{name}.grouped"), &[x, &rows], Vec::new());
        let epsilon = vec![float("epsilon", EPSILON)];
        let normal = self.node(
            "InstanceNormalization",
            &format!("{name}.rows_normal"),
            &[&flat, &one, &zero],
            epsilon,
        );
        let normal = self.map(normal, name, shape);
        let [weight, bias] = ["weight", "bias"].map(|field| format!("{name}.{field}"));
        let scaled = self.node("Mul", &format!("{name}.scaled"), &[&normal, &weight], Vec::new());
        self.node("Add", name, &[&scaled, &bias], Vec::new())
    }

    /// Adds a layer that reads `x`; `other` is the second thing that it reads, where it reads two: what entered the branch
    /// of a gate, or what comes around a residual block.
    fn layer(
        &mut self,
        model: &Model<'_>,
        node: &Node,
        x: &str,
        other: &str,
        last: bool,
    ) -> Result<String, ExportError> {
        let name = node.name.as_str();
        let parameters = weights::of(model, node)?;
        let [weight, bias] = ["weight", "bias"].map(|field| format!("{name}.{field}"));
        for mut tensor in parameters {
            if matches!(node.kind, Kind::GroupNorm(_)) {
                tensor.dims.extend([1, 1]); // [C, 1, 1], one value for all positions of a channel
            }
            self.tensor(&tensor);
        }
        let y = match node.kind {
            Kind::Conv(settings, _) => {
                let [height, width] = settings.padding;
                let attributes = vec![
                    ints("kernel_shape", &settings.kernel),
                    ints("strides", &settings.stride),
                    ints("pads", &[height, width, height, width]),
                    ints("dilations", &settings.dilation),
                ];
                self.node("Conv", name, &[x, &weight, &bias], attributes)
            }
            Kind::Linear(_) => {
                let flat = self.node("Flatten", &format!("{name}.flat"), &[x], vec![int("axis", 1)]);
                let name = if last { "logits" } else { name };
                let y = self.node("Gemm", name, &[&flat, &weight, &bias], vec![int("transB", 1)]);
                if last { y } else { self.map(y, name, node.output) }
            }
            Kind::Diagonal => {
                let scaled = self.node("Mul", &format!("{name}.scaled"), &[x, &weight], Vec::new());
                self.node("Add", name, &[&scaled, &bias], Vec::new())
            }
            Kind::Relu => self.node("Relu", name, &[x], Vec::new()),
            Kind::MaxPool(settings) => {
                let [height, width] = settings.padding;
                let attributes = vec![
                    ints("kernel_shape", &settings.kernel),
                    ints("strides", &settings.stride),
                    ints("pads", &[height, width, height, width]),
                ];
                self.node("MaxPool", name, &[x], attributes)
            }
            Kind::AveragePool => self.node("GlobalAveragePool", name, &[x], Vec::new()),
            Kind::Gate => {
                let opened = self.node("Add", &format!("{name}.opened"), &[x, "one"], Vec::new());
                let gate = self.node("Relu", &format!("{name}.gate"), &[&opened], Vec::new());
                self.node("Mul", name, &[&gate, other], Vec::new())
            }
            Kind::GroupNorm(groups) => self.group_norm(name, x, groups, node.output),
            Kind::BatchNorm => {
                let [mean, variance] = ["running_mean", "running_var"].map(|field| format!("{name}.{field}"));
                let inputs = [x, &weight, &bias, &mean, &variance];
                self.node("BatchNormalization", name, &inputs, vec![float("epsilon", EPSILON)])
            }
            Kind::Dropout(_) => x.to_owned(),
            Kind::Residual { .. } => self.node("Add", name, &[x, other], Vec::new()),
        };
        Ok(if node.fused_relu { self.node("Relu", &format!("{name}.relu"), &[&y], Vec::new()) } else { y })
    }
}

/// A tensor `[batch, …]` of floats at the edge of the graph.
fn value(name: &str, dims: &[usize]) -> Message {
    let batch = Message::default().text(2, "batch");
    let dims = dims.iter().map(|&dim| Message::default().int(1, dim as i64));
    let shape = Message::default().messages(1, std::iter::once(batch).chain(dims));
    let tensor = Message::default().int(1, FLOAT).message(2, shape);
    Message::default().text(1, name).message(2, Message::default().message(1, tensor))
}

pub(super) fn file(model: &Model<'_>, metadata: &[(String, String)]) -> Result<Vec<u8>, ExportError> {
    let network = model.network;
    let mut graph = Graph::default();
    graph.scalar("one", 1.0);
    graph.scalar("two", 2.0);
    // The network is fed values in [−1, 1].
    let doubled = graph.node("Mul", "pictures.doubled", &["pictures", "two"], Vec::new());
    let mut x = graph.node("Sub", "x", &[&doubled, "one"], Vec::new());
    let (mut entered, mut left): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (i, node) in network.nodes().iter().enumerate() {
        if node.back > 0 {
            x = entered[i.saturating_sub(node.back)].clone();
        }
        entered.push(x.clone());
        let other = match node.kind {
            Kind::Residual { shortcut: true, .. } => &left[i.saturating_sub(2)],
            Kind::Residual { length, .. } => &entered[i.saturating_sub(length)],
            _ => &entered[i.saturating_sub(GATE_BRANCH)],
        };
        x = graph.layer(model, node, &x, &other.clone(), i + 1 == network.nodes().len())?;
        left.push(x.clone());
    }
    graph.node("Softmax", "probabilities", &[&x], vec![int("axis", 1)]);
    let MapShape { height, width, channels } = network.input();
    let body = Message::default()
        .messages(1, graph.nodes)
        .text(2, "rationale")
        .messages(5, graph.constants)
        .message(11, value("pictures", &[channels, height, width]))
        .messages(12, ["logits", "probabilities"].map(|name| value(name, &[network.classes()])));
    let properties = metadata.iter().map(|(key, value)| Message::default().text(1, key).text(2, value));
    Ok(Message::default()
        .int(1, 8)
        .text(2, "rationale")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, body)
        .message(8, Message::default().text(1, "").int(2, OPSET))
        .messages(14, properties)
        .finish())
}

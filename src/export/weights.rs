//! Weights in the layout that other programs use: channels first, outputs before inputs.

use super::{ExportError, Model};
use crate::model::{Kind, MapShape, Node};

/// A tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Such as `features.0.weight`.
    pub name: String,
    /// Its dimensions.
    pub dims: Vec<usize>,
    /// Its values.
    pub values: Vec<f32>,
}

/// For every place of a flat vector in (c, h, w) order the place of the same value in (h, w, c) order.
fn channels_first(shape: MapShape) -> Vec<usize> {
    let MapShape { height, width, channels } = shape;
    let of = |c, at| at * channels + c;
    (0..channels).flat_map(|c| (0..height * width).map(move |at| of(c, at))).collect()
}

/// Weight and bias of a layer; nothing for a layer without.
///
/// A convolution's weight becomes `[C_out, C_in, K_h, K_w]`, that of a linear layer `[D_out, D_in]` with D_in, and D_out
/// where it is a map, in (c, h, w) order; a diagonal's weight and bias become `[C, H, W]`.
///
/// Behind them running mean and variance, `[C]`, where there are some.
pub(super) fn of(model: &Model<'_>, node: &Node) -> Result<Vec<Tensor>, ExportError> {
    let mut parameters = node.parameters().into_iter();
    let (Some(weight), Some(bias)) = (parameters.next(), parameters.next()) else { return Ok(Vec::new()) };
    let read = |name: &str, dims: &[usize]| model.values(name, dims);
    let (old, old_bias) = (read(&weight.name, &weight.dims)?, read(&bias.name, &bias.dims)?);
    let (weight_dims, values, bias_dims, bias_values) = match node.kind {
        Kind::Conv(settings, _) => {
            let [kh, kw] = settings.kernel;
            let (c_in, c_out) = (node.input.channels, node.output.channels);
            let mut values = Vec::with_capacity(old.len());
            for o in 0..c_out {
                for c in 0..c_in {
                    values.extend((0..kh * kw).map(|tap| old[(tap * c_in + c) * c_out + o]));
                }
            }
            (vec![c_out, c_in, kh, kw], values, vec![c_out], old_bias.to_vec())
        }
        Kind::GroupNorm(_) | Kind::BatchNorm => {
            let dims = vec![node.input.channels];
            (dims.clone(), old.to_vec(), dims, old_bias.to_vec())
        }
        Kind::Diagonal => {
            let order = channels_first(node.input);
            let MapShape { height, width, channels } = node.input;
            let dims = vec![channels, height, width];
            let turn = |values: &[f32]| order.iter().map(|&at| values[at]).collect::<Vec<f32>>();
            (dims.clone(), turn(old), dims, turn(old_bias))
        }
        _ => {
            let (inputs, outputs) = (channels_first(node.input), channels_first(node.output));
            let mut values = Vec::with_capacity(old.len());
            for &o in &outputs {
                values.extend(inputs.iter().map(|&i| old[i * outputs.len() + o]));
            }
            let bias = outputs.iter().map(|&o| old_bias[o]).collect();
            (vec![outputs.len(), inputs.len()], values, vec![outputs.len()], bias)
        }
    };
    let mut tensors = vec![
        Tensor { name: weight.name, dims: weight_dims, values },
        Tensor { name: bias.name, dims: bias_dims, values: bias_values },
    ];
    for state in node.running() {
        let values = read(&state.name, &state.dims)?.to_vec();
        tensors.push(Tensor { name: state.name, dims: state.dims, values });
    }
    Ok(tensors)
}

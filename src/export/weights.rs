//! Weights in the layout that other programs use: channels first, outputs before inputs.

use super::{ExportError, Model};
use crate::model::{Kind, MapShape, Node, Parameter};

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

/// Where the values of a parameter lie in PyTorch's layout.
pub(crate) struct Layout {
    /// The parameter, with our dimensions.
    pub parameter: Parameter,
    /// PyTorch's dimensions.
    pub dims: Vec<usize>,
    /// For every value of theirs, in row-major order, the place of the same value in ours.
    pub places: Vec<usize>,
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
pub(crate) fn layouts(node: &Node) -> Vec<Layout> {
    let mut parameters = node.parameters().into_iter();
    let (Some(weight), Some(bias)) = (parameters.next(), parameters.next()) else { return Vec::new() };
    let channels = node.input.channels;
    let ([weight_dims, bias_dims], [weight_places, bias_places]) = match node.kind {
        Kind::Conv(settings, _) => {
            let [kh, kw] = settings.kernel;
            let (c_in, c_out) = (channels, node.output.channels);
            let of = |o: usize, c: usize| (0..kh * kw).map(move |tap| (tap * c_in + c) * c_out + o);
            let places = (0..c_out).flat_map(|o| (0..c_in).flat_map(move |c| of(o, c))).collect();
            ([vec![c_out, c_in, kh, kw], vec![c_out]], [places, (0..c_out).collect()])
        }
        Kind::GroupNorm(_) | Kind::BatchNorm => {
            let places: Vec<usize> = (0..channels).collect();
            ([vec![channels], vec![channels]], [places.clone(), places])
        }
        Kind::Diagonal => {
            let MapShape { height, width, channels } = node.input;
            let (dims, places) = (vec![channels, height, width], channels_first(node.input));
            ([dims.clone(), dims], [places.clone(), places])
        }
        _ => {
            let (inputs, outputs) = (channels_first(node.input), channels_first(node.output));
            let len = outputs.len();
            let places = outputs.iter().flat_map(|o| inputs.iter().map(move |i| i * len + o)).collect();
            ([vec![len, inputs.len()], vec![len]], [places, outputs])
        }
    };
    let mut layouts = vec![
        Layout { parameter: weight, dims: weight_dims, places: weight_places },
        Layout { parameter: bias, dims: bias_dims, places: bias_places },
    ];
    layouts.extend(node.running().into_iter().map(|parameter| {
        let dims = parameter.dims.clone();
        Layout { parameter, dims, places: (0..channels).collect() }
    }));
    layouts
}

/// What [`layouts`] speaks of, with its values.
pub(super) fn of(model: &Model<'_>, node: &Node) -> Result<Vec<Tensor>, ExportError> {
    let tensor = |Layout { parameter, dims, places }: Layout| {
        let ours = model.values(&parameter.name, &parameter.dims)?;
        Ok(Tensor { name: parameter.name, dims, values: places.iter().map(|&at| ours[at]).collect() })
    };
    layouts(node).into_iter().map(tensor).collect()
}

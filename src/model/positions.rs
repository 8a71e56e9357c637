//! A gate looked at: its scale at each position of f(x), and which pixels stand around the position's centre.

use super::node::Kind;
use super::{ModelError, Network, Tape};
use crate::plan::{Part, Plan, TensorId};

/// The pixels of one axis in the cell of a position: index, and the length that lies in the cell.
#[derive(Clone, Debug, PartialEq)]
pub struct PositionCell {
    /// In order.
    pub pixels: Vec<(usize, f64)>,
}

/// One axis of a map: position i is centred on `offset` + i · `stride`, in pixels, that of pixel 0 being 0.5.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    stride: f64,
    offset: f64,
}

impl Axis {
    /// The axis behind a window: its first position sees inputs −padding to −padding + span.
    fn behind(self, stride: usize, padding: usize, span: usize) -> Self {
        let first = (span as f64 - 1.0) / 2.0 - padding as f64;
        Self { stride: self.stride * stride as f64, offset: self.offset + self.stride * first }
    }

    /// The cell of position i, one stride wide, as far as it lies within `size` pixels.
    fn cell(self, i: usize, size: usize) -> PositionCell {
        let low = self.offset + (i as f64 - 0.5) * self.stride;
        let overlap = |pixel: usize| {
            let (start, end) = (f64::max(pixel as f64, low), f64::min(pixel as f64 + 1.0, low + self.stride));
            (pixel, end - start)
        };
        PositionCell { pixels: (0..size).map(overlap).filter(|(_, length)| *length > 0.0).collect() }
    }
}

impl Network {
    /// The cells of the rows and of the columns of f(x): squares of one stride around the centre of what a position
    /// sees. A layer that flattens makes one cell of all that there is.
    pub fn position_cells(&self) -> [Vec<PositionCell>; 2] {
        let (input, output) = (self.input(), self.features());
        let start = Axis { stride: 1.0, offset: 0.5 };
        let mut axes = [start; 2];
        // The way around a residual block sees less than the way through it.
        for node in self.nodes().iter().filter(|node| node.part == Part::Features && node.back == 0) {
            let sizes = [node.input.height, node.input.width];
            for (d, axis) in axes.iter_mut().enumerate() {
                *axis = match node.kind {
                    Kind::Conv(s, _) => {
                        axis.behind(s.stride[d], s.padding[d], s.dilation[d] * (s.kernel[d] - 1) + 1)
                    }
                    Kind::MaxPool(s) => axis.behind(s.stride[d], s.padding[d], s.kernel[d]),
                    Kind::AveragePool | Kind::Linear(_) => axis.behind(sizes[d], 0, sizes[d]),
                    Kind::Relu
                    | Kind::Diagonal
                    | Kind::Gate
                    | Kind::GroupNorm(_)
                    | Kind::BatchNorm
                    | Kind::Dropout(_)
                    | Kind::Residual { .. } => *axis,
                };
            }
        }
        let cells = |axis: Axis, count: usize, size: usize| (0..count).map(|i| axis.cell(i, size)).collect();
        [cells(axes[0], output.height, input.height), cells(axes[1], output.width, input.width)]
    }

    /// Records s of f(x), `[R, N, H, W, C]`; the gate is max(1 + s, 0).
    pub(super) fn gate_scale(&self, plan: &mut Plan, features: TensorId) -> Result<TensorId, ModelError> {
        let mut tape = Tape::default();
        self.forward(plan, Part::Mapping, features, &mut tape)?;
        match tape.last_input() {
            Some(s) if self.has_gate() => Ok(s),
            _ => Err(ModelError::Network(
                "there is no gate to look at; train with the mapping \"gate\"".to_owned(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MapShape, Mapping, ModelConfig};

    #[test]
    fn cells_stand_around_the_centres_of_what_the_positions_see() {
        let input = MapShape { height: 32, width: 32, channels: 1 };
        let network = Network::new(&ModelConfig::anywhere(false, Mapping::Gate), input, 2, 1).unwrap();
        let [rows, columns] = network.position_cells();
        assert_eq!((rows.len(), &rows), (8, &columns));
        // Position 1 sees a 9×9 window centred on pixel 4, whose centre is at 4.5: its cell goes from 2.5 to 6.5.
        assert_eq!(rows[1].pixels, [(2, 0.5), (3, 1.0), (4, 1.0), (5, 1.0), (6, 0.5)]);
        // Position 0 is centred on pixel 0, and half of its cell lies outside of the picture.
        assert_eq!(rows[0].pixels, [(0, 1.0), (1, 1.0), (2, 0.5)]);
        let covered: f64 = rows.iter().flat_map(|cell| &cell.pixels).map(|(_, length)| length).sum();
        assert_eq!(covered, 30.5, "from 0 to 28.5 + 2");
    }

    #[test]
    fn without_strides_a_cell_is_a_pixel() {
        let input = MapShape { height: 5, width: 3, channels: 2 };
        let model = ModelConfig { features: Vec::new(), ..ModelConfig::reference(Mapping::None) };
        let [rows, columns] = Network::new(&model, input, 2, 1).unwrap().position_cells();
        assert_eq!((rows.len(), columns.len()), (5, 3));
        assert_eq!(rows[4].pixels, [(4, 1.0)]);
    }
}

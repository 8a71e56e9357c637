//! Where a gate is open: the share of it that falls into the masks.

use super::Trainer;
use super::inspection::NAME;
use crate::data::{Dataset, RELEVANT, masks};
use crate::exec::Device;
use crate::model::{self, PositionCell, SCALE};
use crate::train::TrainError;

/// Gate mass of one replica: the gate averaged over channels; the share of its sum over positions that falls into the
/// mask, a position counting by the share of mask pixels in the cell around its centre. One entry per explained picture
/// whose gate is open anywhere.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct GateMass {
    /// In the picture's own mask.
    pub own: Vec<f64>,
    /// In another picture's mask.
    pub other: Vec<f64>,
    /// In the own mask if the gate were the same everywhere.
    pub constant: Vec<f64>,
    /// Explained pictures whose gate is closed everywhere: they say nothing of places, and are left out above.
    pub closed: usize,
}

impl GateMass {
    /// Means of `own`, `other` and `constant`; NaN without pictures.
    pub fn means(&self) -> [f64; 3] {
        [&self.own, &self.other, &self.constant]
            .map(|shares| shares.iter().sum::<f64>() / shares.len() as f64)
    }
}

/// For each position the share of relevant mask pixels in its cell, as far as it lies in the picture.
fn coverage(mask: &[u8], width: usize, cells: [&[PositionCell]; 2]) -> Vec<f64> {
    let [rows, columns] = cells;
    let mut shares = Vec::with_capacity(rows.len() * columns.len());
    for row in rows {
        for column in columns {
            let (mut inside, mut all) = (0.0, 0.0);
            for &(y, height) in &row.pixels {
                for &(x, breadth) in &column.pixels {
                    let area = height * breadth;
                    all += area;
                    inside += if mask[y * width + x] >= RELEVANT { area } else { 0.0 };
                }
            }
            shares.push(if all > 0.0 { inside / all } else { 0.0 });
        }
    }
    shares
}

/// max(1 + s, 0); a NaN stays a NaN.
fn open(s: f64) -> f64 {
    if s < -1.0 { 0.0 } else { 1.0 + s }
}

/// Σ gate · share / Σ gate over positions.
fn mass(gate: &[f64], shares: &[f64]) -> f64 {
    gate.iter().zip(shares).map(|(g, share)| g * share).sum::<f64>() / gate.iter().sum::<f64>()
}

impl Trainer {
    /// How much of the gate lies inside the pictures' own masks, inside another picture's, and how much a gate that is
    /// the same everywhere would have there; for one replica in its last good state.
    pub fn gate_mass(
        &mut self,
        device: &Device,
        data: &Dataset,
        replica: usize,
    ) -> Result<GateMass, TrainError> {
        let other = masks::shuffled(data, 0)?;
        let mut values = self.inspect(
            device,
            data,
            replica,
            &|network, dims, variants| model::gate(network, NAME, dims, variants),
            &[SCALE],
        )?;
        let values = values.pop().unwrap_or_default();
        let shape = self.network.features();
        let [rows, columns] = self.network.position_cells();
        let cells = [rows.as_slice(), columns.as_slice()];
        let mut result = GateMass::default();
        for i in data.explained_pictures() {
            let picture = &values[i * shape.len()..][..shape.len()];
            let gate: Vec<f64> = picture
                .chunks(shape.channels)
                .map(|s| s.iter().map(|&s| open(f64::from(s))).sum::<f64>() / shape.channels as f64)
                .collect();
            if gate.iter().sum::<f64>() == 0.0 {
                result.closed += 1;
                continue;
            }
            let own = coverage(data.mask(i), data.width, cells);
            result.own.push(mass(&gate, &own));
            result.other.push(mass(&gate, &coverage(other.mask(i), data.width, cells)));
            result.constant.push(mass(&vec![1.0; gate.len()], &own));
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_by_the_share_of_its_cell_that_the_mask_covers() {
        // Two positions over four columns, the second cell half outside of the picture; one row.
        let rows = [PositionCell { pixels: vec![(0, 1.0)] }];
        let columns = [
            PositionCell { pixels: vec![(0, 0.5), (1, 1.0), (2, 0.5)] },
            PositionCell { pixels: vec![(3, 1.0)] },
        ];
        let shares = coverage(&[255, 0, 200, 127], 4, [&rows, &columns]);
        assert_eq!(shares, [0.5, 0.0]);
        assert_eq!(mass(&[3.0, 1.0], &shares), 0.375);
    }
}

//! A look inside: input gradients and feature maps of one replica.

use super::Trainer;
use super::inspection::NAME;
use crate::data::Dataset;
use crate::exec::Device;
use crate::model::{self, D_X, MapShape, X};
use crate::train::{TrainError, share_inside};

/// Input gradients of one replica.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientReport {
    /// `[n, H, W, C]`: d log p(predicted class) / d x, x in [−1, 1].
    pub gradients: Vec<f32>,
    /// For each explained picture the share of the squared gradient's sum that lies inside its mask.
    pub shares: Vec<f64>,
}

impl GradientReport {
    /// Mean of [`GradientReport::shares`]; NaN without explained pictures.
    pub fn mass_inside(&self) -> f64 {
        self.shares.iter().sum::<f64>() / self.shares.len() as f64
    }
}

/// Feature maps of one replica: name (`x`, `x'`, `f(x)`, `f(x')`, `m(f(x))`), shape, values `[n, H, W, C]`.
pub type FeatureMaps = Vec<(String, MapShape, Vec<f32>)>;

impl Trainer {
    /// The gradient of the log-probability of the predicted class with respect to each picture, for one replica in
    /// its last good state, and how much of it lies inside the pictures' masks.
    pub fn input_gradient(
        &mut self,
        device: &Device,
        data: &Dataset,
        replica: usize,
    ) -> Result<GradientReport, TrainError> {
        let mut results = self.inspect(
            device,
            data,
            replica,
            &|network, dims, variants| model::input_gradient(network, NAME, dims, variants),
            &[X, D_X],
        )?;
        let gradients = results.pop().unwrap_or_default();
        let size = data.picture_len();
        let share =
            |i: usize| share_inside(&gradients[i * size..(i + 1) * size], data.mask(i), data.channels);
        let shares = data.explained_pictures().filter_map(share).collect();
        Ok(GradientReport { gradients, shares })
    }

    /// x, x′, f(x), f(x′) and m(f(x)) of each picture, for one replica in its last good state.
    pub fn feature_maps(
        &mut self,
        device: &Device,
        data: &Dataset,
        replica: usize,
    ) -> Result<FeatureMaps, TrainError> {
        let outputs = model::feature_outputs(&self.network);
        let names: Vec<&str> = outputs.iter().map(|(name, _)| *name).collect();
        let hard = self.config.hard_masks;
        let values = self.inspect(
            device,
            data,
            replica,
            &|network, dims, variants| model::features(network, NAME, dims, hard, variants),
            &names,
        )?;
        let named = outputs.into_iter().zip(values);
        Ok(named.map(|((name, shape), values)| (name.to_owned(), shape, values)).collect())
    }
}

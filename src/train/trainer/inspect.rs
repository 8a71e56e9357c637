//! A look inside: input gradients and feature maps of one replica.

use super::{EVALUATION_BATCH, Trainer};
use crate::data::Dataset;
use crate::exec::{Device, Session};
use crate::model::{self, D_X, Dimensions, MapShape, Network, X};
use crate::plan::{Plan, Variants};
use crate::train::{TrainError, upload};

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
    /// Writes one replica's weights of the last good epoch into a session that has loaded the plan of a network with one
    /// replica.
    pub(super) fn write_weights(
        &self,
        session: &mut dyn Session,
        network: &Network,
        plan: &Plan,
        replica: usize,
    ) -> Result<(), TrainError> {
        for parameter in network.parameters() {
            let len: usize = parameter.dims.iter().product();
            if plan.find(&parameter.name).is_some()
                && let Some((_, values)) = self.last_good.tensors.get(&parameter.name)
            {
                session.write(&parameter.name, &values[replica * len..(replica + 1) * len])?;
            }
        }
        Ok(())
    }

    /// A session of its own beside the training session, with the weights of one replica: for diagnosis, whose
    /// memory is given back afterwards.
    pub(super) fn inspect(
        &mut self,
        device: &Device,
        data: &Dataset,
        record: impl Fn(&Network, &Dimensions, &Variants) -> Result<Plan, model::ModelError>,
        replica: usize,
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let network = self.network.single();
        let dimensions = upload::dimensions(data, EVALUATION_BATCH);
        let plan = record(&network, &dimensions, &self.variants.clone().on(device.limits().target))?;
        let mut session = device.session();
        let loaded = session.load(&plan)?;
        let fill = upload::fill_values(self.config.fill, data);
        upload::write(session.as_mut(), "inspect", data, &fill, &[])?;
        session.write_index("inspect.order", &upload::padded(0..data.len() as u32, &dimensions))?;
        if plan.find("ones").is_some() {
            session.write("ones", &[1.0])?;
        }
        self.write_weights(session.as_mut(), &network, &plan, replica)?;
        let mut results = vec![Vec::new(); outputs.len()];
        for step in 0..dimensions.steps {
            session.run(loaded, 1)?;
            let pictures = (data.len() - step * dimensions.batch).min(dimensions.batch);
            for (result, name) in results.iter_mut().zip(outputs) {
                let values = session.read_output(loaded, name)?;
                result.extend_from_slice(&values[..values.len() / dimensions.batch * pictures]);
            }
        }
        Ok(results)
    }

    /// The gradient of the log-probability of the predicted class with respect to each picture, for one replica in
    /// its last good state, and how much of it lies inside the pictures' masks.
    pub fn input_gradient(
        &mut self,
        device: &Device,
        data: &Dataset,
        replica: usize,
    ) -> Result<GradientReport, TrainError> {
        let record = |network: &Network, dims: &Dimensions, variants: &Variants| {
            model::input_gradient(network, "inspect", dims, variants)
        };
        let mut results = self.inspect(device, data, record, replica, &[X, D_X])?;
        let gradients = results.pop().unwrap_or_default();
        let mut shares = Vec::new();
        for i in (0..data.len()).filter(|&i| data.explained[i]) {
            let (mut inside, mut all) = (0.0, 0.0);
            let size = data.height * data.width * data.channels;
            for (k, gradient) in gradients[i * size..(i + 1) * size].iter().enumerate() {
                let squared = f64::from(*gradient).powi(2);
                all += squared;
                if data.mask(i)[k / data.channels] >= 128 {
                    inside += squared;
                }
            }
            // A picture without any gradient says nothing about where the model looks.
            if all > 0.0 {
                shares.push(inside / all);
            }
        }
        Ok(GradientReport { gradients, shares })
    }

    /// x, x′, f(x), f(x′) and m(f(x)) of each picture, for one replica in its last good state.
    pub fn feature_maps(
        &mut self,
        device: &Device,
        data: &Dataset,
        replica: usize,
    ) -> Result<FeatureMaps, TrainError> {
        let mut names = vec![X, "x'", "f(x)", "f(x')"];
        if self.network.has_mapping() {
            names.push("m(f(x))");
        }
        let hard = self.config.hard_masks;
        let record = |network: &Network, dims: &Dimensions, variants: &Variants| {
            model::features(network, "inspect", dims, hard, variants)
        };
        let values = self.inspect(device, data, record, replica, &names)?;
        let shape =
            |name: &str| if name.starts_with('x') { self.network.input() } else { self.network.features() };
        Ok(names.iter().zip(values).map(|(name, values)| ((*name).to_owned(), shape(name), values)).collect())
    }
}

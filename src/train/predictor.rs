//! A trained model at work: logits and input gradients of pictures that nobody has labelled.

use super::measures::GRADIENT_PICTURES;
use super::{Checkpoint, FeatureMaps, TrainError, share_inside, upload};
use crate::data::Dataset;
use crate::exec::{Device, Loaded, Session};
use crate::model::{self, D_X, Dimensions, LOGITS, MapShape, ModelConfig, Network};
use crate::plan::Variants;

const NAME: &str = "predict";

/// One model on a device, ready for batches of pictures.
pub struct Predictor {
    session: Box<dyn Session>,
    network: Network,
    batch: usize,
    variants: Variants,
    logits: Loaded,
    gradient: Loaded,
    /// Made when it is first asked for, with hard masks or without.
    features: Option<(bool, Loaded)>,
}

impl std::fmt::Debug for Predictor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Predictor").field("network", &self.network).finish_non_exhaustive()
    }
}

impl Predictor {
    /// Loads the weights of a checkpoint for pictures of this shape. Memory is taken for `batch` pictures.
    pub fn new(
        device: &Device,
        model: &ModelConfig,
        input: MapShape,
        classes: usize,
        checkpoint: &Checkpoint,
        variants: &Variants,
        batch: usize,
    ) -> Result<Self, TrainError> {
        let network = Network::new(model, input, classes, 1)?;
        let batch = batch.max(1);
        let dimensions = dimensions(batch);
        let variants = &variants.clone().on(device.limits().target);
        let mut session = device.session();
        let plans = [
            model::logits(&network, NAME, &dimensions, variants)?,
            model::input_gradient(&network, NAME, &dimensions, variants)?,
        ];
        let [logits, gradient] = [session.load(&plans[0])?, session.load(&plans[1])?];
        for parameter in network.parameters().into_iter().chain(network.running()) {
            let expected: usize = parameter.dims.iter().product();
            match checkpoint.tensors.get(&parameter.name) {
                Some((_, values)) if values.len() == expected => session.write(&parameter.name, values)?,
                found => {
                    return Err(TrainError::Data(format!(
                        "the checkpoint has {} values in `{}`, and the model needs {expected} for pictures of {}×{}×{}; \
                         give pictures of the size that it was trained on",
                        found.map_or(0, |(_, values)| values.len()),
                        parameter.name,
                        input.height,
                        input.width,
                        input.channels,
                    )));
                }
            }
        }
        session.write_index(&format!("{NAME}.labels"), &vec![0; batch])?;
        session.write(&format!("{NAME}.class_weights"), &vec![1.0; classes])?;
        session.write("ones", &[1.0])?;
        Ok(Self { session, network, batch, variants: variants.clone(), logits, gradient, features: None })
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The most pictures in one call.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Logits `[n, K]` of n pictures `[n, H, W, C]` with values in [0, 1]; n at most [`Predictor::batch`].
    pub fn logits(&mut self, pictures: &[f32]) -> Result<Vec<f32>, TrainError> {
        let n = self.show(pictures)?;
        self.output(self.logits, LOGITS, n)
    }

    /// d log p(predicted class) / d x, `[n, H, W, C]`, for pictures as in [`Predictor::logits`].
    pub fn input_gradient(&mut self, pictures: &[f32]) -> Result<Vec<f32>, TrainError> {
        let n = self.show(pictures)?;
        self.output(self.gradient, D_X, n)
    }

    /// Probabilities of each class, one row per picture, for a whole data set.
    pub fn probabilities(&mut self, data: &Dataset) -> Result<Vec<Vec<f64>>, TrainError> {
        let numbers: Vec<usize> = (0..data.len()).collect();
        let mut rows = Vec::with_capacity(data.len());
        for numbers in numbers.chunks(self.batch) {
            let logits = self.logits(&values(data, numbers))?;
            rows.extend(logits.chunks(self.network.classes()).map(probabilities));
        }
        Ok(rows)
    }

    /// [`share_inside`] of the input gradient of each explained picture that has a gradient, of [`GRADIENT_PICTURES`] at most.
    pub fn gradient_shares(&mut self, data: &Dataset) -> Result<Vec<f64>, TrainError> {
        let explained = data.explained_sample(GRADIENT_PICTURES);
        let mut shares = Vec::with_capacity(explained.len());
        for numbers in explained.chunks(self.batch) {
            let gradients = self.input_gradient(&values(data, numbers))?;
            let parts = numbers.iter().zip(gradients.chunks(data.picture_len()));
            shares.extend(
                parts.filter_map(|(&i, gradient)| share_inside(gradient, data.mask(i), data.channels)),
            );
        }
        Ok(shares)
    }

    /// x, x′, f(x), f(x′) and, where there is a mapping layer, m(f(x)) of at most [`Predictor::batch`] pictures. `fill` is
    /// what stands outside of the mask in x′, per channel in the scale [−1, 1]; `hard` makes the mask 0 or 1.
    pub fn feature_maps(
        &mut self,
        data: &Dataset,
        fill: &[f32],
        hard: bool,
    ) -> Result<FeatureMaps, TrainError> {
        let plan = match self.features {
            Some((known, plan)) if known == hard => plan,
            _ => {
                let dimensions = dimensions(self.batch);
                let plan = model::features(&self.network, NAME, &dimensions, hard, &self.variants)?;
                self.features.insert((hard, self.session.load(&plan)?)).1
            }
        };
        let numbers: Vec<usize> = (0..data.len()).collect();
        let n = self.show(&values(data, &numbers))?;
        let mut masks = data.masks.clone();
        masks.resize(self.batch * data.height * data.width, 0);
        self.session.write_index(&format!("{NAME}.masks"), &upload::pack(&masks))?;
        self.session.write(&format!("{NAME}.fill"), fill)?;
        self.session.run(plan, 1)?;
        let mut maps = FeatureMaps::new();
        for (name, shape) in model::feature_outputs(&self.network) {
            let mut values = self.session.read_output(plan, name)?;
            values.truncate(values.len() / self.batch * n);
            maps.push((name.to_owned(), shape, values));
        }
        Ok(maps)
    }

    fn show(&mut self, pictures: &[f32]) -> Result<usize, TrainError> {
        let size = self.network.input().len();
        let n = pictures.len() / size;
        if n * size != pictures.len() || n > self.batch {
            return Err(TrainError::Data(format!(
                "{} values are not 0 to {} pictures of {size} values each",
                pictures.len(),
                self.batch
            )));
        }
        let mut words: Vec<u32> = pictures.iter().map(|value| value.to_bits()).collect();
        words.resize(self.batch * size, 0);
        self.session.write_index(&format!("{NAME}.pixels"), &words)?;
        let order: Vec<u32> = (0..self.batch as u32).collect();
        self.session.write_index(&format!("{NAME}.order"), &order)?;
        self.session.write_index(&format!("{NAME}.clock"), &[0])?;
        Ok(n)
    }

    fn output(&mut self, plan: Loaded, name: &str, n: usize) -> Result<Vec<f32>, TrainError> {
        self.session.run(plan, 1)?;
        let mut values = self.session.read_output(plan, name)?;
        values.truncate(values.len() / self.batch * n);
        Ok(values)
    }
}

/// Batches of values as they come.
fn dimensions(batch: usize) -> Dimensions {
    Dimensions { count: batch, batch, steps: 1, packed: false, augmented: false }
}

/// The values of the pictures with these numbers.
fn values(data: &Dataset, numbers: &[usize]) -> Vec<f32> {
    numbers.iter().flat_map(|&i| data.picture(i)).collect()
}

/// The first of the most probable classes; none where every probability is no number, which must not look like an answer.
pub fn most_probable(probabilities: &[f64]) -> Option<usize> {
    let numbers = (0..probabilities.len()).filter(|&k| !probabilities[k].is_nan());
    numbers.max_by(|&a, &b| probabilities[a].total_cmp(&probabilities[b]).then(b.cmp(&a)))
}

/// Probabilities of one row of logits, in double precision.
pub fn probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().fold(f64::NEG_INFINITY, |max, &x| max.max(f64::from(x)));
    let exps: Vec<f64> = logits.iter().map(|&x| (f64::from(x) - max).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|x| x / sum).collect()
}

//! A trained model at work: logits and input gradients of pictures that nobody has labelled.

use super::{Checkpoint, TrainError};
use crate::exec::{Device, Loaded, Session};
use crate::model::{self, D_X, Dimensions, LOGITS, MapShape, ModelConfig, Network};
use crate::plan::Variants;

const NAME: &str = "predict";

/// One model on a device, ready for batches of pictures.
pub struct Predictor {
    session: Box<dyn Session>,
    network: Network,
    batch: usize,
    logits: Loaded,
    gradient: Loaded,
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
        let dimensions = Dimensions { count: batch, batch, steps: 1, packed: false, augmented: false };
        let variants = &variants.clone().on(device.limits().target);
        let mut session = device.session();
        let plans = [
            model::logits(&network, NAME, &dimensions, variants)?,
            model::input_gradient(&network, NAME, &dimensions, variants)?,
        ];
        let [logits, gradient] = [session.load(&plans[0])?, session.load(&plans[1])?];
        for parameter in network.parameters() {
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
        Ok(Self { session, network, batch, logits, gradient })
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

/// Probabilities of one row of logits, in double precision.
pub fn probabilities(logits: &[f32]) -> Vec<f64> {
    let max = logits.iter().fold(f64::NEG_INFINITY, |max, &x| max.max(f64::from(x)));
    let exps: Vec<f64> = logits.iter().map(|&x| (f64::from(x) - max).exp()).collect();
    let sum: f64 = exps.iter().sum();
    exps.into_iter().map(|x| x / sum).collect()
}

//! Evaluation on data sets that stay on the device.

use super::{EVALUATION_BATCH, Trainer};
use crate::data::Dataset;
use crate::exec::Loaded;
use crate::model::{self, Dimensions};
use crate::train::stream::Stream;
use crate::train::{Confusion, TrainError, upload};

/// How a model does on a data set; each list has one entry per replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy over batches.
    pub loss: Vec<f64>,
    /// Counts, true by predicted class.
    pub confusion: Vec<Confusion>,
    /// Predicted class of each picture.
    pub predictions: Vec<Vec<u32>>,
}

pub(super) struct EvaluationData {
    /// Pictures of the data set.
    count: usize,
    dimensions: Dimensions,
    /// The pictures in host memory, where they are too many for the device.
    stream: Option<Stream>,
    totals: Vec<u32>,
    loaded: Loaded,
    names: model::EvaluationPlan,
}

impl Trainer {
    /// Refuses a data set that is unsound or does not suit the model.
    pub(super) fn check_dataset(&self, name: &str, data: &Dataset) -> Result<(), TrainError> {
        data.validate()?;
        if upload::shape(data) != self.network.input() || data.classes.len() != self.network.classes() {
            let own = self.network.input();
            return Err(TrainError::Data(format!(
                "data set `{name}` has pictures of {}×{}×{} in {} classes; the model was trained on {}×{}×{} in {}",
                data.height,
                data.width,
                data.channels,
                data.classes.len(),
                own.height,
                own.width,
                own.channels,
                self.network.classes(),
            )));
        }
        Ok(())
    }

    /// Puts a data set on the device under a name, for [`Trainer::evaluate`] and its like.
    pub fn add_dataset(&mut self, name: &str, data: &Dataset) -> Result<(), TrainError> {
        self.check_dataset(name, data)?;
        let whole = upload::dimensions(data, self.room.batch(data, EVALUATION_BATCH));
        // All replicas see the same pictures, so that a chunk holds each once.
        let chunk = self.room.chunk(data, whole.batch, whole.steps)?;
        let (stream, dimensions) = match chunk.map(|chunk| Stream::new(data, 1, chunk, &whole)) {
            Some((stream, dimensions)) => (Some(stream), dimensions),
            None => (None, whole),
        };
        if data.unlabelled_count() > 0 {
            return Err(TrainError::Data(format!(
                "{} pictures of `{name}` have no label, so nothing can be judged by them; leave them out",
                data.unlabelled_count()
            )));
        }
        let names = model::evaluation(&self.network, name, &dimensions, &self.variants)?;
        let loaded = self.session.load(&names.plan)?;
        let fill = upload::fill_values(self.config.fill, data);
        match stream {
            None => upload::write(self.session.as_mut(), name, data, &fill, &[])?,
            Some(_) => upload::write_constants(self.session.as_mut(), name, data, &fill, &[])?,
        }
        let totals = data.class_counts().into_iter().map(|count| count as u32).collect();
        self.evaluations.insert(
            name.to_owned(),
            EvaluationData { count: data.len(), dimensions, stream, totals, loaded, names },
        );
        Ok(())
    }

    /// All replicas on the data set of that name.
    pub fn evaluate(&mut self, name: &str) -> Result<Evaluation, TrainError> {
        let Some(data) = self.evaluations.get(name) else {
            return Err(TrainError::Data(format!("there is no data set `{name}` on the device")));
        };
        let (replicas, classes) = (self.network.replicas(), self.network.classes());
        let Dimensions { batch, steps, .. } = data.dimensions;
        let count = data.count;
        let order = upload::padded(0..count as u32, &data.dimensions);
        let places = data.stream.as_ref().map_or_else(|| order.clone(), |stream| stream.order(&order));
        self.session.write_index(&format!("{name}.order"), &places.repeat(replicas))?;
        self.session.write_index(&format!("{name}.clock"), &[0])?;
        self.session.write_index(&data.names.confusion, &vec![0; replicas * classes * classes])?;
        match &data.stream {
            None => self.session.run(data.loaded, steps)?,
            Some(stream) => {
                stream.run(self.session.as_mut(), name, &order, 0..steps, |session, batches| {
                    Ok(session.run(data.loaded, batches.len())?)
                })?;
            }
        }
        let losses = self.session.read(&data.names.losses)?;
        let counts = self.session.read_index(&data.names.confusion)?;
        let predictions = self.session.read_index(&data.names.predictions)?;
        // Batches weigh by their pictures: the last one may be short.
        let weigh = |losses: &[f32]| {
            let pictures = |step: usize| (count - step * batch).min(batch) as f64;
            losses.iter().enumerate().map(|(i, &x)| f64::from(x) * pictures(i)).sum::<f64>() / count as f64
        };
        Ok(Evaluation {
            loss: losses.chunks(steps).map(weigh).collect(),
            confusion: counts
                .chunks(classes * classes)
                .map(|cells| Confusion::new(cells.to_vec(), data.totals.clone()))
                .collect(),
            predictions: predictions.chunks(steps * batch).map(|row| row[..count].to_vec()).collect(),
        })
    }
}

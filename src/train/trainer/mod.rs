//! The trainer: prepared once, then epoch after epoch, with a snapshot after each.

mod advance;
mod epoch;
mod evaluate;
mod exclusive_use;
mod gate_mass;
mod inspect;
mod inspection;
mod phases;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use advance::Place;
pub use epoch::EpochReport;
pub(crate) use epoch::{mean_loss, noise};
pub use evaluate::Evaluation;
use evaluate::EvaluationData;
pub use gate_mass::GateMass;
pub use inspect::{FeatureMaps, GradientReport};
pub(crate) use phases::{first_phase, passes, phases};

use super::stream::{Room, Stream, Streaming};
use super::upload;
use super::{Checkpoint, MaskSource, Method, TrainConfig, TrainError};
use crate::data::{Dataset, UNLABELLED, masks};
use crate::exec::{Device, Loaded, Session};
use crate::model::{Dimensions, ModelConfig, Network, initial_weights};
use crate::plan::{Limits, Plan, Role, Variants};
use crate::random::Seeds;

/// Pictures per batch of an evaluation: enough to fill a device, few enough for its memory.
const EVALUATION_BATCH: usize = 250;

/// Trains R replicas of one network on one data set.
pub struct Trainer {
    session: Box<dyn Session>,
    network: Network,
    config: TrainConfig,
    seeds: Vec<Seeds>,
    variants: Variants,
    /// What lies on the device: all training pictures, or a chunk.
    data: Dimensions,
    /// Training pictures.
    pictures: usize,
    /// The training pictures in host memory, where they are too many for the device.
    stream: Option<Stream>,
    room: Room,
    labelled: Vec<bool>,
    explained: Vec<bool>,
    /// The plans of an epoch, in order; each is repeated for every batch.
    phases: Vec<Loaded>,
    /// Stage 2 alone, where the first epoch begins with it.
    first: Option<Loaded>,
    /// Name and dimensions of all that a checkpoint holds.
    state: Vec<(String, Vec<usize>)>,
    evaluations: HashMap<String, EvaluationData>,
    epoch: usize,
    /// The epoch at hand, once it has been begun.
    place: Option<Place>,
    batch_time: Duration,
    last_good: Checkpoint,
}

impl Trainer {
    /// Prepares a run: plans, memory, kernels, data and initial weights, one replica per entry of `seeds`.
    /// `variants` are those of an earlier run, so that its bits can be met again; empty for a new one.
    pub fn new(
        device: &Device,
        model: &ModelConfig,
        config: &TrainConfig,
        data: &Dataset,
        seeds: &[Seeds],
        variants: &Variants,
    ) -> Result<Self, TrainError> {
        Self::within(device, model, config, data, seeds, variants, None)
    }

    /// The same with at most `memory_cap` bytes of each data set on the device at a time, those on their way included.
    /// What is larger, or larger than the device's limits for one buffer, is kept in host memory (a copy) and streamed; no
    /// bit of the weights depends on it. A cap below 500 pictures makes evaluation's batches smaller, and with them the
    /// last bits of its loss others.
    pub fn within(
        device: &Device,
        model: &ModelConfig,
        config: &TrainConfig,
        data: &Dataset,
        seeds: &[Seeds],
        variants: &Variants,
        memory_cap: Option<u64>,
    ) -> Result<Self, TrainError> {
        data.validate()?;
        config.check(data.len(), data.classes.len())?;
        let masked;
        let reshaped;
        let data = match config.mask_dilation {
            0 if !config.mask_boxes => data,
            pixels => {
                let grown = masks::dilated(data, pixels);
                reshaped = if config.mask_boxes { masks::boxed(&grown) } else { grown };
                &reshaped
            }
        };
        let data = match (config.method, config.masks) {
            (Method::LabelOnly, _) | (_, MaskSource::Own) => data,
            (_, MaskSource::Ones) => {
                masked = masks::all_ones(data);
                &masked
            }
            (_, MaskSource::Other) => {
                masked = masks::shuffled(data, seeds.first().map_or(0, |seeds| seeds.data))?;
                &masked
            }
        };
        if config.method.explains() && !data.explained.contains(&true) {
            return Err(TrainError::NoExplanations { pictures: data.len(), method: config.method });
        }
        if data.unlabelled_count() == data.len() {
            return Err(TrainError::NoLabels { pictures: data.len() });
        }
        if data.unlabelled_count() > 0 && !config.method.has_stage2() {
            return Err(TrainError::Unlabelled { pictures: data.unlabelled_count(), method: config.method });
        }
        config.check_mapping(model.mapping)?;
        let class_weights = config.weights_of_classes(data)?;
        let network = Network::new(model, upload::shape(data), data.classes.len(), seeds.len())?;
        let room = Room::on(&device.limits(), memory_cap);
        let whole = upload::training(data, config);
        let chunk = room.chunk(data, seeds.len() * whole.batch, whole.steps)?;
        let (stream, dimensions) = match chunk.map(|chunk| Stream::new(data, seeds.len(), chunk, &whole)) {
            Some((stream, dimensions)) => (Some(stream), dimensions),
            None => (None, whole),
        };
        let variants = &variants.clone().on(device.limits().target);
        let plans = phases(&network, &dimensions, config, variants)?;
        let first = first_phase(&network, &dimensions, config, variants)?;
        let mut session = device.session();
        let mut loaded = Vec::new();
        let mut state: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut used = Variants::new().on(variants.target());
        for plan in plans.iter().chain(&first) {
            loaded.push(session.load(plan)?);
            used.extend(plan.variants_used());
            for tensor in plan.tensors() {
                let is_tick = tensor.role == Role::Control && tensor.name.ends_with(".tick");
                if matches!(tensor.role, Role::Parameter(_) | Role::Running(_) | Role::Optimizer(_))
                    || is_tick
                {
                    state.insert(tensor.name.clone(), tensor.dims.clone());
                }
            }
        }
        let fill = upload::fill_values(config.fill, data);
        match stream {
            None => upload::write(session.as_mut(), "train", data, &fill, &class_weights)?,
            Some(_) => upload::write_constants(session.as_mut(), "train", data, &fill, &class_weights)?,
        }
        let init: Vec<u64> = seeds.iter().map(|seeds| seeds.init).collect();
        for (name, values) in initial_weights(&network, &init) {
            session.write(&name, &values)?;
        }
        let first = first.and_then(|_| loaded.pop());
        let mut trainer = Self {
            session,
            network,
            config: config.clone(),
            seeds: seeds.to_vec(),
            variants: used,
            data: dimensions,
            pictures: data.len(),
            stream,
            room,
            labelled: data.labels.iter().map(|&label| label != UNLABELLED).collect(),
            explained: data.explained.clone(),
            phases: loaded,
            first,
            state: state.into_iter().collect(),
            evaluations: HashMap::new(),
            epoch: 0,
            place: None,
            batch_time: Duration::ZERO,
            last_good: Checkpoint::default(),
        };
        trainer.last_good = trainer.snapshot()?;
        Ok(trainer)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Epochs done.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// The kernel variants in use.
    pub fn variants(&self) -> &Variants {
        &self.variants
    }

    /// How the training pictures are streamed; `None` where all of them lie on the device.
    pub fn streaming(&self) -> Option<Streaming> {
        self.stream.as_ref().map(Stream::describe)
    }

    /// The device, for people.
    pub fn device(&self) -> String {
        self.session.device()
    }

    /// The state at the end of the last good epoch; of an epoch at hand nothing is in it.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.last_good
    }

    fn snapshot(&mut self) -> Result<Checkpoint, TrainError> {
        self.snapshot_of(self.epoch)
    }

    fn snapshot_of(&mut self, epoch: usize) -> Result<Checkpoint, TrainError> {
        let mut tensors = BTreeMap::new();
        for (name, dims) in &self.state {
            tensors.insert(name.clone(), (dims.clone(), self.session.read(name)?));
        }
        Ok(Checkpoint { epoch, tensors, notes: BTreeMap::new() })
    }

    /// Goes back to a checkpoint of the same model and method; an epoch at hand is dropped.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), TrainError> {
        let wrong = |message: String| TrainError::Checkpoint { path: "in memory".into(), message };
        for (name, dims) in &self.state {
            match checkpoint.tensors.get(name) {
                None => {
                    return Err(wrong(format!(
                        "has no tensor `{name}`: it belongs to another model or method than this config"
                    )));
                }
                Some((found, _)) if found != dims => {
                    return Err(wrong(format!(
                        "tensor `{name}` has dimensions {found:?}, this config wants {dims:?}: it belongs to another model"
                    )));
                }
                Some(_) => {}
            }
        }
        for (name, _) in &self.state {
            if let Some((_, values)) = checkpoint.tensors.get(name) {
                self.session.write(name, values)?;
            }
        }
        self.epoch = checkpoint.epoch;
        self.place = None;
        self.last_good = checkpoint.clone();
        Ok(())
    }
}

/// Checks that every plan of a training run fits a device, before anything is allocated, under the cap of
/// [`Trainer::within`].
pub fn check_fit(
    model: &ModelConfig,
    config: &TrainConfig,
    data: &Dataset,
    replicas: usize,
    limits: &Limits,
    memory_cap: Option<u64>,
) -> Result<Vec<Plan>, TrainError> {
    let room = Room::on(limits, memory_cap);
    let plans = plans_in(&room, model, config, data, replicas, &Variants::new().on(limits.target))?;
    for plan in &plans {
        plan.check(limits)?;
    }
    Ok(plans)
}

/// The plans of a training run, for the variants wanted and their device.
pub fn plans(
    model: &ModelConfig,
    config: &TrainConfig,
    data: &Dataset,
    replicas: usize,
    variants: &Variants,
) -> Result<Vec<Plan>, TrainError> {
    plans_in(&Room::ALL, model, config, data, replicas, variants)
}

fn plans_in(
    room: &Room,
    model: &ModelConfig,
    config: &TrainConfig,
    data: &Dataset,
    replicas: usize,
    variants: &Variants,
) -> Result<Vec<Plan>, TrainError> {
    config.check_mapping(model.mapping)?;
    let network = Network::new(model, upload::shape(data), data.classes.len(), replicas)?;
    let whole = upload::training(data, config);
    let dimensions = match room.chunk(data, replicas * whole.batch, whole.steps)? {
        Some(chunk) => Dimensions { count: replicas * chunk * whole.batch, ..whole },
        None => whole,
    };
    let mut plans = phases(&network, &dimensions, config, variants)?;
    plans.extend(first_phase(&network, &dimensions, config, variants)?);
    Ok(plans)
}

//! The loop: epochs, evaluation, snapshots.

use std::collections::{BTreeMap, HashMap};

use super::upload::{self, PADDING};
use super::{Alternation, Checkpoint, Confusion, MaskSource, Method, TrainConfig, TrainError};
use crate::data::{Dataset, masks};
use crate::exec::{Device, Loaded, Session};
use crate::model::{
    self, D_X, Dimensions, MapShape, ModelConfig, Network, Route, Stage1, Stage2, X, initial_weights,
};
use crate::plan::{Limits, Plan, Role, Variants};
use crate::random::{Random, Seeds};

/// Pictures per batch of an evaluation: enough to fill a device, few enough for its memory.
const EVALUATION_BATCH: usize = 250;

/// What an epoch came to; each list has one entry per replica.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean over batches of the mean cross-entropy.
    pub label_loss: Vec<f64>,
    /// Mean over batches with explained pictures, and inner steps, of the mean KL; `None` for label-only.
    pub alignment_loss: Option<Vec<f64>>,
    /// Share of the training pictures that were predicted right when their batch came by.
    pub train_accuracy: Vec<f64>,
}

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

/// One stretch of an epoch: a plan repeated for every batch.
struct Phase {
    loaded: Loaded,
}

struct EvaluationData {
    dimensions: Dimensions,
    totals: Vec<u32>,
    loaded: Loaded,
    names: model::EvaluationPlan,
}

/// Trains R replicas of one network on one data set.
pub struct Trainer {
    session: Box<dyn Session>,
    network: Network,
    config: TrainConfig,
    seeds: Vec<Seeds>,
    variants: Variants,
    data: Dimensions,
    explained: Vec<bool>,
    phases: Vec<Phase>,
    /// Name and dimensions of all that a checkpoint holds.
    state: Vec<(String, Vec<usize>)>,
    evaluations: HashMap<String, EvaluationData>,
    epoch: usize,
    last_good: Checkpoint,
}

/// The plans of a training epoch, in order; each is repeated for every batch.
pub(crate) fn phases(
    network: &Network,
    data: &Dimensions,
    config: &TrainConfig,
    variants: &Variants,
) -> Result<Vec<Plan>, TrainError> {
    let route = config.label_route.clone().unwrap_or_else(|| Route::stage1(network.has_mapping()));
    let stage1 = Stage1 { route, optimizer: config.label_optimizer };
    let first = model::stage1(network, data, &stage1, variants)?;
    let advance = model::advance(network, "train", data)?;
    let second = match config.method {
        Method::LabelOnly => None,
        Method::TwoStage => {
            let stage2 = Stage2 {
                route: Route::stage2(),
                optimizer: config.alignment_optimizer,
                inner_steps: config.inner_steps,
                axis: config.alignment_axis,
                temperature: config.temperature as f32,
                hard_masks: config.hard_masks,
            };
            Some(model::stage2(network, data, &stage2, variants)?)
        }
    };
    let joined = |name: &str, parts: &[&Plan]| -> Result<Plan, TrainError> {
        let mut plan = Plan::new(name);
        for part in parts {
            plan.append(part)?;
        }
        Ok(plan)
    };
    Ok(match (second, config.alternation) {
        (None, _) => vec![joined("stage 1", &[&first, &advance])?],
        (Some(second), Alternation::Batch) => vec![joined("stages 1 and 2", &[&first, &second, &advance])?],
        (Some(second), Alternation::Epoch) => {
            vec![joined("stage 1", &[&first, &advance])?, joined("stage 2", &[&second, &advance])?]
        }
    })
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
        data.validate()?;
        config.check(data.len(), data.classes.len())?;
        let masked;
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
        if config.method == Method::TwoStage && !data.explained.contains(&true) {
            return Err(TrainError::NoExplanations { pictures: data.len() });
        }
        let network = Network::new(model, upload::shape(data), data.classes.len(), seeds.len())?;
        let dimensions = upload::dimensions(data, config.batch);
        let plans = phases(&network, &dimensions, config, variants)?;
        let mut session = device.session();
        let mut loaded = Vec::new();
        let mut state: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut used = Variants::new();
        for plan in &plans {
            loaded.push(Phase { loaded: session.load(plan)? });
            used.extend(plan.variants_used());
            for tensor in plan.tensors() {
                let is_tick = tensor.role == Role::Control && tensor.name.ends_with(".tick");
                if matches!(tensor.role, Role::Parameter(_) | Role::Optimizer(_)) || is_tick {
                    state.insert(tensor.name.clone(), tensor.dims.clone());
                }
            }
        }
        let fill = upload::fill_values(config.fill, data);
        upload::write(session.as_mut(), "train", data, &fill, &config.class_weights)?;
        for (name, rate) in [("stage1.lr", config.label_lr), ("stage2.lr", config.alignment_lr)] {
            if name == "stage1.lr" || config.method == Method::TwoStage {
                session.write(name, &vec![rate as f32; seeds.len()])?;
            }
        }
        let init: Vec<u64> = seeds.iter().map(|seeds| seeds.init).collect();
        for (name, values) in initial_weights(&network, &init) {
            session.write(&name, &values)?;
        }
        let mut trainer = Self {
            session,
            network,
            config: config.clone(),
            seeds: seeds.to_vec(),
            variants: used,
            data: dimensions,
            explained: data.explained.clone(),
            phases: loaded,
            state: state.into_iter().collect(),
            evaluations: HashMap::new(),
            epoch: 0,
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

    /// The device, for people.
    pub fn device(&self) -> String {
        self.session.device()
    }

    /// The order of the training pictures in an epoch (counted from 0), as each replica sees it.
    fn order(&self, epoch: usize) -> Vec<u32> {
        let mut order = Vec::new();
        for seeds in &self.seeds {
            let permutation = Random::new(seeds.order, epoch as u64).permutation(self.data.count);
            order.extend(upload::padded(permutation, &self.data));
        }
        order
    }

    fn begin_epoch(&mut self) -> Result<Vec<u32>, TrainError> {
        let order = self.order(self.epoch);
        self.session.write_index("train.order", &order)?;
        let classes = self.network.classes();
        let cells = self.network.replicas() * classes * classes;
        self.session.write_index("stage1.confusion", &vec![0; cells])?;
        Ok(order)
    }

    /// Trains for one epoch. On a loss that is no number the error says where it began, and the state is that of
    /// the last good epoch again.
    pub fn train_epoch(&mut self) -> Result<EpochReport, TrainError> {
        let order = self.begin_epoch()?;
        for index in 0..self.phases.len() {
            self.session.write_index("train.clock", &[0])?;
            self.session.run(self.phases[index].loaded, self.data.steps)?;
        }
        let report = self.report(&order)?;
        let after = self.snapshot_of(self.epoch + 1)?;
        let bad_weight =
            after.tensors.iter().find(|(_, (_, values))| values.iter().any(|value| !value.is_finite()));
        let bad_loss = report.label_loss.iter().any(|loss| !loss.is_finite())
            || report.alignment_loss.iter().flatten().any(|loss| !loss.is_finite());
        if bad_loss || bad_weight.is_some() {
            return Err(self.diagnose());
        }
        self.epoch += 1;
        self.last_good = after;
        Ok(report)
    }

    fn report(&mut self, order: &[u32]) -> Result<EpochReport, TrainError> {
        let (replicas, classes, steps) = (self.network.replicas(), self.network.classes(), self.data.steps);
        let mean = |values: &[f32]| values.iter().map(|&x| f64::from(x)).sum::<f64>() / values.len() as f64;
        let losses = self.session.read("stage1.losses")?;
        let label_loss = losses.chunks(steps).map(mean).collect();
        let alignment_loss = if self.config.method == Method::TwoStage {
            let losses = self.session.read("stage2.losses")?;
            let slots = self.config.inner_steps;
            let per_replica = steps * self.data.batch;
            let mut means = Vec::with_capacity(replicas);
            for r in 0..replicas {
                // A batch without explained pictures takes no step and records a 0 that is no loss.
                let taken: Vec<f32> = (0..steps)
                    .filter(|step| {
                        let at = r * per_replica + step * self.data.batch;
                        order[at..at + self.data.batch]
                            .iter()
                            .any(|&i| i != PADDING && self.explained[i as usize])
                    })
                    .flat_map(|step| losses[(r * steps + step) * slots..][..slots].to_vec())
                    .collect();
                means.push(mean(&taken));
            }
            Some(means)
        } else {
            None
        };
        let counts = self.session.read_index("stage1.confusion")?;
        let train_accuracy = counts
            .chunks(classes * classes)
            .map(|cells| {
                let right: u32 = (0..classes).map(|k| cells[k * classes + k]).sum();
                f64::from(right) / self.data.count as f64
            })
            .collect();
        debug_assert_eq!(counts.len(), replicas * classes * classes);
        Ok(EpochReport { epoch: self.epoch + 1, label_loss, alignment_loss, train_accuracy })
    }

    /// Runs the epoch again from its start, watching every tensor, until one goes bad. The same bits as before lead
    /// to the same place.
    fn diagnose(&mut self) -> TrainError {
        match self.find_divergence() {
            Ok(error) => error,
            Err(error) => error,
        }
    }

    fn find_divergence(&mut self) -> Result<TrainError, TrainError> {
        let good = self.last_good.clone();
        self.restore(&good)?;
        self.begin_epoch()?;
        let mut found = None;
        'phases: for index in 0..self.phases.len() {
            self.session.write_index("train.clock", &[0])?;
            for step in 0..self.data.steps {
                let mut command = None;
                self.session.observe(self.phases[index].loaded, &mut |c, tensor, values| {
                    let bad =
                        tensor.dtype == crate::shader::DType::F32 && values.iter().any(|x| !x.is_finite());
                    if bad {
                        let label = format!("`{}` ({})", c.label, c.shader.kernel);
                        // What stands before the divergence in a step belongs to stage 1.
                        let aligning = tensor.name.contains("KL")
                            || c.label.starts_with("stage2")
                            || tensor.name.starts_with("mapping") && index > 0;
                        command = Some((tensor.name.clone(), label, aligning));
                    }
                    !bad
                })?;
                if let Some((tensor, command, aligning)) = command {
                    found = Some(TrainError::Diverged {
                        epoch: self.epoch + 1,
                        step: step + 1,
                        what: "a loss or a weight",
                        tensor,
                        command,
                        last_good: self.epoch,
                        remedy: if aligning { "--alignment-lr" } else { "--label-lr" },
                    });
                    break 'phases;
                }
            }
        }
        self.restore(&good)?;
        Ok(found.unwrap_or(TrainError::Diverged {
            epoch: self.epoch + 1,
            step: self.data.steps,
            what: "a loss",
            tensor: "(not met again in a second run)".to_owned(),
            command: "an unknown command".to_owned(),
            last_good: self.epoch,
            remedy: "--label-lr",
        }))
    }

    /// The state at the end of the last good epoch.
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

    /// Goes back to a checkpoint of the same model and method.
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
        self.last_good = checkpoint.clone();
        Ok(())
    }

    /// Puts a data set on the device under a name, for [`Trainer::evaluate`] and its like.
    pub fn add_dataset(&mut self, name: &str, data: &Dataset) -> Result<(), TrainError> {
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
        let dimensions = upload::dimensions(data, EVALUATION_BATCH);
        let names = model::evaluation(&self.network, name, &dimensions, &self.variants)?;
        let loaded = self.session.load(&names.plan)?;
        let fill = upload::fill_values(self.config.fill, data);
        upload::write(self.session.as_mut(), name, data, &fill, &[])?;
        let totals = data.class_counts().into_iter().map(|count| count as u32).collect();
        self.evaluations.insert(name.to_owned(), EvaluationData { dimensions, totals, loaded, names });
        Ok(())
    }

    /// All replicas on the data set of that name.
    pub fn evaluate(&mut self, name: &str) -> Result<Evaluation, TrainError> {
        let Some(data) = self.evaluations.get(name) else {
            return Err(TrainError::Data(format!("there is no data set `{name}` on the device")));
        };
        let (replicas, classes) = (self.network.replicas(), self.network.classes());
        let Dimensions { count, batch, steps, .. } = data.dimensions;
        let order = upload::padded(0..count as u32, &data.dimensions);
        self.session.write_index(&format!("{name}.order"), &order.repeat(replicas))?;
        self.session.write_index(&format!("{name}.clock"), &[0])?;
        self.session.write_index(&data.names.confusion, &vec![0; replicas * classes * classes])?;
        self.session.run(data.loaded, steps)?;
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

    /// A session of its own beside the training session, with the weights of one replica: for diagnosis, whose
    /// memory is given back afterwards.
    fn inspect(
        &mut self,
        device: &Device,
        data: &Dataset,
        record: impl Fn(&Network, &Dimensions, &Variants) -> Result<Plan, model::ModelError>,
        replica: usize,
        outputs: &[&str],
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let network = self.network.single();
        let dimensions = upload::dimensions(data, EVALUATION_BATCH);
        let plan = record(&network, &dimensions, &self.variants)?;
        let mut session = device.session();
        let loaded = session.load(&plan)?;
        let fill = upload::fill_values(self.config.fill, data);
        upload::write(session.as_mut(), "inspect", data, &fill, &[])?;
        session.write_index("inspect.order", &upload::padded(0..data.len() as u32, &dimensions))?;
        if plan.find("ones").is_some() {
            session.write("ones", &[1.0])?;
        }
        for parameter in network.parameters() {
            let len: usize = parameter.dims.iter().product();
            if plan.find(&parameter.name).is_some()
                && let Some((_, values)) = self.last_good.tensors.get(&parameter.name)
            {
                session.write(&parameter.name, &values[replica * len..(replica + 1) * len])?;
            }
        }
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

/// Checks that every plan of a training run fits a device, before anything is allocated.
pub fn check_fit(
    model: &ModelConfig,
    config: &TrainConfig,
    data: &Dataset,
    replicas: usize,
    limits: &Limits,
) -> Result<Vec<Plan>, TrainError> {
    let network = Network::new(model, upload::shape(data), data.classes.len(), replicas)?;
    let plans = phases(&network, &upload::dimensions(data, config.batch), config, &Variants::new())?;
    for plan in &plans {
        plan.check(limits)?;
    }
    Ok(plans)
}

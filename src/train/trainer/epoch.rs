//! One epoch: its order, its report, and the search for where a divergence began.

use super::Trainer;
use super::phases::passes;
use crate::exec::Loaded;
use crate::model::{MULTIPLIER, NOISE};
use crate::random::{Random, Seeds};
use crate::shader::DType;
use crate::train::upload::{self, PADDING};
use crate::train::{Method, TrainError};

/// What an epoch came to; each list has one entry per replica.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean over batches of the mean cross-entropy; batches without any label do not count.
    pub label_loss: Vec<f64>,
    /// The second loss, that which explanations bring: its mean over the explained pictures of a batch, averaged over
    /// the batches that have some, and over inner steps. It is the alignment loss for `two-stage`, `no-mapping`, `joint`
    /// and `constrained`, the penalty on the input gradient for `grad-reg`, and the cross-entropy of the masked copies for
    /// `masked-copies`, never multiplied by lambda; `None` for label-only. Epochs of stage 2 alone, which epoch 1 begins
    /// with, are not counted in.
    pub alignment_loss: Option<Vec<f64>>,
    /// mu of `constrained` after the epoch; `None` for every other method.
    pub multiplier: Option<Vec<f64>>,
    /// Share of the labelled training pictures that were predicted right when their batch came by.
    pub train_accuracy: Vec<f64>,
}

/// The words that a stream's masks of dropout are drawn from, for one replica. They come from the seed of the order turned over,
/// so that masks and order have streams of their own.
pub(crate) fn noise(seeds: &Seeds, stream: u64) -> [u32; 2] {
    let word = Random::new(!seeds.order, stream).next_u64();
    [word as u32, (word >> 32) as u32]
}

/// The mean of a replica's recorded losses, `[steps · slots]`, over the steps that had pictures which count: a step without
/// any records a 0 that is no loss. NaN where no step had any.
pub(crate) fn mean_loss(losses: &[f32], steps: usize, counts: impl Fn(usize) -> bool) -> f64 {
    let slots = losses.len() / steps.max(1);
    let taken = (0..steps).filter(|&step| counts(step)).flat_map(|step| &losses[step * slots..][..slots]);
    let (sum, count) = taken.fold((0.0, 0), |(sum, count), &loss| (sum + f64::from(loss), count + 1));
    sum / f64::from(count)
}

impl Trainer {
    /// The order of the training pictures that a stream gives, as each replica sees it.
    fn order(&self, stream: u64) -> Vec<u32> {
        let mut order = Vec::new();
        for seeds in &self.seeds {
            let permutation = Random::new(seeds.order, stream).permutation(self.pictures);
            order.extend(upload::padded(permutation, &self.data));
        }
        order
    }

    /// Writes what an epoch starts from: learning rates and cleared counts.
    pub(super) fn begin_epoch(&mut self) -> Result<(), TrainError> {
        for (stage, moving) in self.config.rates() {
            // Not every method has an optimiser of stage 2.
            if !self.state.iter().any(|(name, _)| *name == format!("{stage}.tick")) {
                continue;
            }
            if moving.stands_still() {
                self.session.write(&format!("{stage}.lr"), &vec![moving.rate as f32; self.seeds.len()])?;
            } else {
                let rates = moving.epoch(self.epoch, self.data.steps, self.config.epochs);
                self.session.write(&format!("{stage}.rates"), &rates)?;
            }
        }
        let classes = self.network.classes();
        let cells = self.network.replicas() * classes * classes;
        self.session.write_index("stage1.confusion", &vec![0; cells])?;
        Ok(())
    }

    pub(super) fn passes(&self) -> Vec<(Loaded, u64)> {
        passes(self.first, &self.phases, &self.config, self.epoch)
    }

    /// Writes the order of a pass and how its pictures are turned, and goes to its first batch.
    pub(super) fn begin_pass(&mut self, stream: u64) -> Result<Vec<u32>, TrainError> {
        let order = self.order(stream);
        match &self.stream {
            Some(stream) => self.session.write_index("train.order", &stream.order(&order))?,
            None => self.session.write_index("train.order", &order)?,
        }
        if self.data.augmented {
            let size = [self.network.input().height, self.network.input().width];
            let counts = [self.pictures, self.data.steps * self.data.batch];
            let augment = &self.config.augment;
            let geometry: Vec<u32> = self
                .seeds
                .iter()
                .flat_map(|seeds| augment.geometry(seeds.order, stream, counts, size))
                .collect();
            self.session.write_index("train.geometry", &geometry)?;
        }
        self.session.write_index("train.clock", &[0])?;
        if self.network.has_dropout() {
            let words = self.seeds.iter().flat_map(|seeds| noise(seeds, stream)).collect::<Vec<u32>>();
            self.session.write_index(NOISE, &words)?;
        }
        Ok(order)
    }

    pub(super) fn report(&mut self, order: &[u32]) -> Result<EpochReport, TrainError> {
        let (replicas, classes, steps) = (self.network.replicas(), self.network.classes(), self.data.steps);
        let means = |losses: &[f32], counts: &[bool]| -> Vec<f64> {
            let per_replica = steps * self.data.batch;
            let of_replica = |(r, losses): (usize, &[f32])| {
                mean_loss(losses, steps, |step| {
                    order[r * per_replica + step * self.data.batch..][..self.data.batch]
                        .iter()
                        .any(|&i| i != PADDING && counts[i as usize])
                })
            };
            losses.chunks(losses.len() / replicas).enumerate().map(of_replica).collect()
        };
        let label_loss = means(&self.session.read("stage1.losses")?, &self.labelled);
        let alignment_loss = match self.config.method.explains() {
            true => Some(means(&self.session.read("stage2.losses")?, &self.explained)),
            false => None,
        };
        let multiplier = match self.config.method {
            Method::Constrained => {
                Some(self.session.read(MULTIPLIER)?.iter().map(|&mu| f64::from(mu)).collect())
            }
            _ => None,
        };
        let counts = self.session.read_index("stage1.confusion")?;
        let train_accuracy = counts
            .chunks(classes * classes)
            .map(|cells| {
                let right: u32 = (0..classes).map(|k| cells[k * classes + k]).sum();
                f64::from(right) / f64::from(cells.iter().sum::<u32>().max(1))
            })
            .collect();
        debug_assert_eq!(counts.len(), replicas * classes * classes);
        Ok(EpochReport { epoch: self.epoch + 1, label_loss, alignment_loss, multiplier, train_accuracy })
    }

    /// Runs the epoch again from its start, watching every tensor, until one goes bad. The same bits as before lead
    /// to the same place.
    pub(super) fn diagnose(&mut self) -> TrainError {
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
        'passes: for (plan, stream) in self.passes() {
            let order = self.begin_pass(stream)?;
            for step in 0..self.data.steps {
                if let Some(stream) = &self.stream
                    && step % stream.chunk == 0
                {
                    stream.lay_out(&order, step).write(self.session.as_mut(), "train")?;
                }
                let mut command = None;
                self.session.observe(plan, &mut |c, tensor, values| {
                    let bad = tensor.dtype == DType::F32 && values.iter().any(|x| !x.is_finite());
                    if bad {
                        let label = format!("`{}` ({})", c.label, c.shader.kernel);
                        command = Some((tensor.name.clone(), label, c.label.starts_with("stage 2")));
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
                    break 'passes;
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
}

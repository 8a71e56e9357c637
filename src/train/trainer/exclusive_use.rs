//! How exclusively a model uses what the masks mark: guaranteed bounds beside what is observed.

use super::{EVALUATION_BATCH, Trainer};
use crate::data::{Dataset, backgrounds};
use crate::exec::{Device, Loaded, Session};
use crate::model::{self, BOUNDS, Dimensions, LOGITS, Network};
use crate::plan::Variants;
use crate::train::exclusive_use::{ExclusiveUse, ExclusiveUseOptions, PictureUse};
use crate::train::{TrainError, upload};

/// Name of the data set in the session.
const NAME: &str = "exclusive use";

/// A session beside the training session, with the weights of one replica and the two plans.
struct Probe {
    session: Box<dyn Session>,
    bounds: Loaded,
    logits: Loaded,
    dimensions: Dimensions,
    fill: Vec<f32>,
}

impl Probe {
    /// Puts pictures in the place of those before.
    fn show(&mut self, data: &Dataset) -> Result<(), TrainError> {
        upload::write(self.session.as_mut(), NAME, data, &self.fill, &[])
    }

    /// Outputs `[count, K]` over all batches.
    fn rows(&mut self, plan: Loaded, outputs: &[&str]) -> Result<Vec<Vec<f32>>, TrainError> {
        let Dimensions { count, batch, steps, .. } = self.dimensions;
        self.session.write_index(&format!("{NAME}.clock"), &[0])?;
        let mut rows = vec![Vec::new(); outputs.len()];
        for step in 0..steps {
            self.session.run(plan, 1)?;
            let pictures = (count - step * batch).min(batch);
            for (rows, name) in rows.iter_mut().zip(outputs) {
                let values = self.session.read_output(plan, name)?;
                rows.extend_from_slice(&values[..values.len() / batch * pictures]);
            }
        }
        Ok(rows)
    }

    /// The logits `[count, K]` of other pictures.
    fn logits_of(&mut self, data: &Dataset) -> Result<Vec<f32>, TrainError> {
        self.show(data)?;
        let rows = self.rows(self.logits, &[LOGITS])?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}

impl Trainer {
    fn probe(&self, device: &Device, data: &Dataset, replica: usize) -> Result<Probe, TrainError> {
        let network: Network = self.network.single();
        let dimensions = upload::dimensions(data, EVALUATION_BATCH);
        let variants: &Variants = &self.variants.clone().on(device.limits().target);
        let plans = [
            model::bounds(&network, NAME, &dimensions, variants)?,
            model::logits(&network, NAME, &dimensions, variants)?,
        ];
        let mut session = device.session();
        let [bounds, logits] = [session.load(&plans[0])?, session.load(&plans[1])?];
        self.write_weights(session.as_mut(), &network, &plans[0], replica)?;
        let order = upload::padded(0..data.len() as u32, &dimensions);
        session.write_index(&format!("{NAME}.order"), &order)?;
        let fill = upload::fill_values(self.config.fill, data);
        Ok(Probe { session, bounds, logits, dimensions, fill })
    }

    /// How far the logits of each explained picture can move when its irrelevant pixels (mask below one half) take any
    /// value in [0, 1], for one replica in its last good state: guaranteed bounds, and beside them what was observed under
    /// random values, black, white, and the backgrounds of other pictures. [`ExclusiveUse`] defines each number.
    pub fn exclusive_use(
        &mut self,
        device: &Device,
        data: &Dataset,
        replica: usize,
        options: &ExclusiveUseOptions,
    ) -> Result<ExclusiveUse, TrainError> {
        self.check_dataset("exclusive use", data)?;
        if replica >= self.network.replicas() {
            return Err(TrainError::Data(format!(
                "there is no replica {replica}: the trainer has {}, counted from 0",
                self.network.replicas()
            )));
        }
        let explained: Vec<usize> = (0..data.len()).filter(|&i| data.explained[i]).collect();
        if explained.is_empty() {
            return Err(TrainError::Data(format!(
                "none of the {} pictures has a mask, so no pixel of theirs counts as irrelevant; add masks",
                data.len()
            )));
        }
        let chosen = data.subset(&explained)?;
        let mut probe = self.probe(device, &chosen, replica)?;
        let base = probe.logits_of(&chosen)?;
        let bounds = probe.rows(probe.bounds, &BOUNDS)?;
        let [lower, upper, margins] = bounds.as_slice() else {
            return Err(TrainError::Data("the bounds have no three parts".to_owned()));
        };
        let classes = self.network.classes();
        let mut pictures: Vec<PictureUse> = explained
            .iter()
            .enumerate()
            .map(|(i, &picture)| {
                let row = i * classes..(i + 1) * classes;
                let irrelevant = backgrounds::irrelevant(data, picture).count();
                PictureUse::new(
                    picture,
                    data.labels[picture],
                    irrelevant as f64 / (data.height * data.width) as f64,
                    &base[row.clone()],
                    [&lower[row.clone()], &upper[row.clone()]],
                    &margins[row],
                )
            })
            .collect();
        let see = |pictures: &mut [PictureUse], logits: &[f32]| {
            for (picture, logits) in pictures.iter_mut().zip(logits.chunks_exact(classes)) {
                picture.see(logits);
            }
        };
        for sample in 0..options.samples {
            see(
                &mut pictures,
                &probe.logits_of(&backgrounds::sampled(&chosen, options.seed, sample as u64))?,
            );
        }
        for white in [false, true] {
            see(&mut pictures, &probe.logits_of(&backgrounds::constant(&chosen, white))?);
        }
        for swap in 0..options.swaps {
            let (swapped, from) = backgrounds::swapped(&chosen, options.seed, swap as u64)?;
            let logits = probe.logits_of(&swapped)?;
            see(&mut pictures, &logits);
            for (i, picture) in pictures.iter_mut().enumerate() {
                let other_class = chosen.labels[from[i]] != chosen.labels[i];
                picture.swap(&logits[i * classes..(i + 1) * classes], other_class);
            }
        }
        Ok(ExclusiveUse {
            pictures,
            samples: options.samples,
            swaps: options.swaps,
            unexplained: data.len() - explained.len(),
        })
    }
}

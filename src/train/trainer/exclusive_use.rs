//! How exclusively a model uses what the masks mark: guaranteed bounds beside what is observed.

use super::Trainer;
use super::inspection::{Inspection, NAME, Recording};
use crate::data::{Dataset, UNLABELLED, backgrounds};
use crate::exec::Device;
use crate::model::{self, BOUNDS, LOGITS};
use crate::train::TrainError;
use crate::train::exclusive_use::{ExclusiveUse, ExclusiveUseOptions, PictureUse};

/// Places of the two plans in the inspection.
const LOGITS_PLAN: usize = 0;
const BOUNDS_PLAN: usize = 1;

impl Trainer {
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
        let labelled = |&i: &usize| data.labels[i] != UNLABELLED;
        let explained: Vec<usize> = data.explained_pictures().filter(labelled).collect();
        if explained.is_empty() {
            return Err(TrainError::Data(format!(
                "none of the {} pictures has a mask, so no pixel of theirs counts as irrelevant; add masks",
                data.len()
            )));
        }
        let chosen = data.subset(&explained)?;
        let recordings: [Recording<'_>; 2] = [
            &|network, dims, variants| model::logits(network, NAME, dims, variants),
            &|network, dims, variants| model::bounds(network, NAME, dims, variants),
        ];
        let mut inspection =
            self.inspection(device, &chosen, replica, &recordings[..if options.bounds { 2 } else { 1 }])?;
        let base = logits_of(&mut inspection, &chosen)?;
        let bounds = match options.bounds {
            true => inspection.rows(BOUNDS_PLAN, &BOUNDS)?,
            false => [f32::NEG_INFINITY, f32::INFINITY, f32::NEG_INFINITY]
                .map(|end| vec![end; base.len()])
                .to_vec(),
        };
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
            let sampled = backgrounds::sampled(&chosen, options.seed, sample as u64);
            see(&mut pictures, &logits_of(&mut inspection, &sampled)?);
        }
        for white in [false, true] {
            see(&mut pictures, &logits_of(&mut inspection, &backgrounds::constant(&chosen, white))?);
        }
        for swap in 0..options.swaps {
            let (swapped, from) = backgrounds::swapped(&chosen, options.seed, swap as u64)?;
            let logits = logits_of(&mut inspection, &swapped)?;
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

/// The logits `[count, K]` of these pictures.
fn logits_of(inspection: &mut Inspection, data: &Dataset) -> Result<Vec<f32>, TrainError> {
    inspection.show(data)?;
    Ok(inspection.rows(LOGITS_PLAN, &[LOGITS])?.pop().unwrap_or_default())
}

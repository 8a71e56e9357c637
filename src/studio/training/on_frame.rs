//! Both models on the window's own device, a few milliseconds in each frame.

use std::sync::Arc;
use std::time::Duration;

use super::{Arm, Engine, Event, Position, Start};
use crate::data::Dataset;
use crate::embed::{
    ColorMap, EpochStatistics, Mask, Overlay, Pending, Picture, Preparation, RouteRow, Setup, Snapshot,
    Subject, Trainer,
};
use crate::model::MapShape;
use crate::studio::error::StudioError;

/// Two trainers that take turns.
#[derive(Debug)]
pub struct OnFrame {
    device: wgpu::Device,
    name: String,
    trainers: [Trainer; 2],
    /// The state that was asked for, and when.
    snapshots: [Option<(Position, Pending<Snapshot>)>; 2],
    /// Another state was asked for while one was on its way.
    again: bool,
    /// Training steps to which both models are to come before they stop.
    goal: Option<u64>,
    /// The last epoch of each model whose figures were told.
    told: [usize; 2],
    batches: usize,
    /// What is uploaded once the trainers are prepared.
    data: Option<Dataset>,
    overlays: [Option<wgpu::TextureView>; 2],
    colors: ColorMap,
    size: (u32, u32),
}

impl OnFrame {
    /// Trainers that have yet to be prepared. An error where the device lacks something.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        name: String,
        start: Start,
    ) -> Result<Self, StudioError> {
        let setup = |arm: Arm| {
            let (model, training) = start.recipe.of(arm);
            let Dataset { height, width, channels, .. } = start.train;
            Setup {
                model,
                training,
                picture: MapShape { height, width, channels },
                classes: start.train.classes.len(),
                capacity: start.train.len(),
                seeds: start.recipe.seeds,
                name: arm.name().to_owned(),
            }
        };
        let labels = Trainer::new(device, queue, &setup(Arm::Labels))?;
        let explained = labels.beside(&setup(Arm::Explained))?;
        Ok(Self {
            device: device.clone(),
            name,
            trainers: [labels, explained],
            snapshots: [None, None],
            again: false,
            goal: None,
            told: [0; 2],
            batches: start.train.len().div_ceil(start.recipe.train.batch.max(1)).max(1),
            size: (start.train.width as u32, start.train.height as u32),
            data: Some(start.train),
            overlays: [None, None],
            colors: glow(),
        })
    }

    /// The model that is behind: both train in step.
    fn turn(&mut self) -> &mut Trainer {
        let [labels, explained] = &mut self.trainers;
        if explained.progress().steps < labels.progress().steps { explained } else { labels }
    }

    /// Training steps that are done or begun.
    fn begun(&self) -> u64 {
        let begun = |trainer: &Trainer| trainer.progress().steps + u64::from(!trainer.between_steps());
        self.trainers.iter().map(begun).max().unwrap_or(0)
    }

    fn upload(&mut self, data: &Dataset) -> Result<(), StudioError> {
        for index in 0..data.len() {
            let bytes = data.picture_bytes(index);
            let picture = if data.channels == 3 { Picture::Rgb(&bytes) } else { Picture::Grey(&bytes) };
            for trainer in &mut self.trainers {
                trainer.set_picture(index, picture)?;
                trainer.set_label(index, Some(data.labels[index]))?;
            }
            if data.explained[index] {
                self.trainers[Arm::Explained as usize].set_mask(index, Mask::Bytes(data.mask(index)))?;
            }
        }
        Ok(())
    }
}

/// Clear where nothing is, red to pale yellow where much is; colours are premultiplied, as the window blends them.
fn glow() -> ColorMap {
    let heat = |share: f64| crate::report::color::heat(0.35 + 0.65 * share);
    let color = |i: usize| {
        let share = i as f64 / 255.0;
        let alpha = share.sqrt();
        let [r, g, b] = heat(share).map(|value| (f64::from(value) * alpha).round() as u8);
        [r, g, b, (alpha * 255.0).round() as u8]
    };
    ColorMap::custom(&std::array::from_fn(color))
}

impl Engine for OnFrame {
    fn device(&self) -> String {
        format!("{}, the window's own", self.name)
    }

    fn in_frames(&self) -> bool {
        true
    }

    fn unit(&self) -> &'static str {
        "one batch"
    }

    fn prepare(&mut self, budget: Duration) -> Result<Preparation, StudioError> {
        let mut all = Preparation { done: 0, of: 0 };
        for trainer in &mut self.trainers {
            let each = trainer.prepare(budget / 2)?;
            all = Preparation { done: all.done + each.done, of: all.of + each.of };
        }
        if all.is_done()
            && let Some(data) = self.data.take()
        {
            self.upload(&data)?;
        }
        Ok(all)
    }

    fn set_mask(&mut self, index: usize, mask: Option<Vec<u8>>) -> Result<(), StudioError> {
        let trainer = &mut self.trainers[Arm::Explained as usize];
        match mask {
            Some(mask) => trainer.set_mask(index, Mask::Bytes(&mask))?,
            None => trainer.clear_mask(index)?,
        }
        Ok(())
    }

    fn advance(&mut self, budget: Duration) -> Result<(), StudioError> {
        let Some(goal) = self.goal else {
            self.turn().step(budget)?;
            return Ok(());
        };
        match self.trainers.iter_mut().find(|trainer| trainer.progress().steps < goal) {
            Some(trainer) => {
                if let Err(error) = trainer.step_within(budget) {
                    self.goal = None;
                    return Err(error.into());
                }
                Ok(())
            }
            None => {
                self.goal = None;
                self.ask_for_states()
            }
        }
    }

    fn step(&mut self) -> Result<(), StudioError> {
        // What is begun is ended; else one more.
        let begun = self.begun();
        self.goal = Some(begun + u64::from(begun == self.position().steps));
        Ok(())
    }

    fn pause(&mut self) -> Result<(), StudioError> {
        self.goal = Some(self.begun());
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.goal.is_some()
    }

    fn is_waiting(&self) -> bool {
        self.snapshots.iter().any(Option::is_some)
    }

    fn position(&self) -> Position {
        let steps = self.trainers.iter().map(|trainer| trainer.progress().steps).min().unwrap_or(0);
        Position { steps, epochs: steps as f64 / self.batches as f64 }
    }

    fn ask_for_states(&mut self) -> Result<(), StudioError> {
        let at = self.position();
        for (trainer, pending) in self.trainers.iter_mut().zip(&mut self.snapshots) {
            match pending {
                None => *pending = Some((at, trainer.snapshot()?)),
                Some(_) => self.again = true,
            }
        }
        Ok(())
    }

    fn events(&mut self) -> Result<Vec<Event>, StudioError> {
        let mut events = Vec::new();
        // Maps arrive during a poll; while training is paused nothing else polls.
        let _ = self.device.poll(wgpu::PollType::Poll);
        for (arm, pending) in Arm::BOTH.into_iter().zip(&mut self.snapshots) {
            if let Some((at, waiting)) = pending
                && let Some(snapshot) = waiting.take()?
            {
                let at = *at;
                let checkpoint = Arc::new(snapshot.into_checkpoint());
                events.push(Event::State { arm, at, checkpoint });
                *pending = None;
            }
        }
        if self.again && !self.is_waiting() {
            self.again = false;
            self.ask_for_states()?;
        }
        for ((arm, trainer), told) in Arm::BOTH.into_iter().zip(&mut self.trainers).zip(&mut self.told) {
            // Figures of an epoch are there once the next one has begun.
            if self.data.is_some() || trainer.progress().epoch < *told + 2 {
                continue;
            }
            trainer.request_statistics()?;
            if let Some(last) = trainer.statistics()?.and_then(|figures| figures.last.as_ref())
                && last.epoch > *told
            {
                *told = last.epoch;
                let steps = (last.epoch * self.batches) as u64;
                let at = Position { steps, epochs: last.epoch as f64 };
                let EpochStatistics { label_loss, alignment_loss, .. } = *last;
                events.push(Event::Figures { arm, at, label_loss, alignment_loss });
            }
        }
        Ok(events)
    }

    fn route(&self) -> Vec<RouteRow> {
        self.trainers[Arm::Explained as usize].route()
    }

    fn overlay(&mut self, arm: Arm, index: usize) -> Result<Option<wgpu::TextureView>, StudioError> {
        let (device, (width, height)) = (&self.device, self.size);
        let view = self.overlays[arm as usize].get_or_insert_with(|| {
            let texture = device.create_texture(&wgpu::TextureDescriptor {
                label: Some("studio.overlay"),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: wgpu::TextureFormat::Rgba8Unorm,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
                view_formats: &[],
            });
            texture.create_view(&wgpu::TextureViewDescriptor::default())
        });
        let trainer = &mut self.trainers[arm as usize];
        trainer.overlay(view, Subject::Stored(index), Overlay::InputGradient, &self.colors)?;
        Ok(Some(view.clone()))
    }
}

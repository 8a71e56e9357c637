//! What is made before training, a piece at a time: kernels, memory, initial weights, and what each command costs here.

use std::time::Duration;

use super::recorded::{Recorded, SHARED, SHOW, TRAIN};
use super::step::{Flight, bytes};
use super::textures::{TARGET, Textures};
use super::{EmbedError, Preparation, Trainer};
use crate::exec::{Costs, Loaded, Store};
use crate::model::initial_weights;
use crate::shader::Shader;
use crate::time::Instant;
use crate::train::PADDING;

/// What is to be made, and how far that is.
pub(super) struct Making {
    /// Every kernel once.
    shaders: Vec<&'static Shader>,
    /// Pieces before the measurement: kernels, plans, texture pipelines, initial values.
    pieces: usize,
    /// Commands of the plans that train, which are measured one after the other.
    commands: usize,
    done: usize,
    /// Where the measurement is: a plan that trains, by its number among those, and a command of it.
    at: (usize, usize),
    flight: Option<Flight>,
}

impl Making {
    pub(super) fn new(recorded: &Recorded) -> Self {
        let mut shaders: Vec<&'static Shader> = Vec::new();
        for command in recorded.plans.iter().flat_map(|plan| plan.commands()) {
            if !shaders.iter().any(|shader| std::ptr::eq(*shader, command.shader)) {
                shaders.push(command.shader);
            }
        }
        let pieces = shaders.len() + recorded.plans.len() + 1 + TARGET.0.len() + 1;
        let commands = recorded.training().map(|plan| recorded.plans[plan.0].commands().len()).sum();
        Self { shaders, pieces, commands, done: 0, at: (0, 0), flight: None }
    }
}

impl Trainer {
    /// How far preparation is.
    pub fn preparation(&self) -> Preparation {
        Preparation { done: self.making.done, of: self.making.pieces + self.making.commands }
    }

    pub(super) fn require_prepared(&self) -> Result<(), EmbedError> {
        let Preparation { done, of } = self.preparation();
        if done == of { Ok(()) } else { Err(EmbedError::NotPrepared { done, of }) }
    }

    /// Goes on with what must be made before training, one kernel or plan at a time until the budget is used up; at least one piece.
    /// The last pieces run each command of training once on an empty batch, which changes no weight, and look for at most the rest
    /// of the budget when it is done: so the first `step` knows what its commands cost. After it is done the call does nothing.
    pub fn prepare(&mut self, budget: Duration) -> Result<Preparation, EmbedError> {
        let start = Instant::now();
        while !self.preparation().is_done() {
            if self.making.done < self.making.pieces {
                self.make_piece()?;
                self.making.done += 1;
            } else if !self.measure(budget, start)? {
                break;
            }
            if start.elapsed() >= budget {
                break;
            }
        }
        Ok(self.preparation())
    }

    fn make_piece(&mut self) -> Result<(), EmbedError> {
        let mut piece = self.making.done;
        if let Some(&shader) = self.making.shaders.get(piece) {
            let doing = format!("compiling kernel `{}` ({})", shader.kernel, shader.variant);
            let made = self.host.guarded(&doing, |gpu| drop(gpu.pipeline(shader)));
            if made.is_err() {
                self.host.gpu.forget(shader);
            }
            return made;
        }
        piece -= self.making.shaders.len();
        if piece < self.recorded.plans.len() {
            let loaded = self.load(Loaded(piece));
            if loaded.is_err() {
                // Buffers may be there in part: all of them are made anew.
                self.store = Store::default();
                self.costs.clear();
                self.making.done = self.making.shaders.len();
            }
            return loaded;
        }
        piece -= self.recorded.plans.len();
        let Self { host, textures, .. } = self;
        match textures {
            None => *textures = Some(host.guarded("preparing textures", Textures::new)?),
            Some(textures) if piece <= TARGET.0.len() => {
                host.guarded("preparing overlays", |gpu| textures.add_target(gpu))?;
            }
            Some(_) => self.initialise()?,
        }
        Ok(())
    }

    fn load(&mut self, plan: Loaded) -> Result<(), EmbedError> {
        let Self { host, store, recorded, .. } = self;
        if plan == recorded.first_to_look() {
            for field in SHARED {
                store.alias(&format!("{TRAIN}.{field}"), &format!("{SHOW}.{field}"))?;
            }
        }
        let recorded = &recorded.plans[plan.0];
        let doing = format!("preparing plan `{}`", recorded.name());
        host.guarded(&doing, |gpu| store.load(gpu, recorded))??;
        self.costs.push(Costs::new(self.store.costs(plan)));
        Ok(())
    }

    /// Initial weights, and what stays as it is: class weights, the fill, an order without any picture.
    fn initialise(&mut self) -> Result<(), EmbedError> {
        let training = &self.setup.training;
        let mut values = initial_weights(&self.network, &[self.setup.seeds.init]);
        let weights = match training.class_weights.as_slice() {
            [] => vec![1.0; self.setup.classes],
            weights => weights.iter().map(|&weight| weight as f32).collect(),
        };
        values.push((format!("{TRAIN}.class_weights"), weights));
        let fill = training.fill.constant().unwrap_or_default();
        values.push((format!("{TRAIN}.fill"), vec![fill; self.setup.picture.channels]));
        values.push(("ones".to_owned(), vec![1.0]));
        let dimensions = self.recorded.dimensions;
        let order = vec![PADDING; dimensions.steps * dimensions.batch];
        let Self { host, store, figures, .. } = self;
        host.guarded("writing initial weights", |gpu| -> Result<(), EmbedError> {
            for (name, values) in &values {
                gpu.queue().write_buffer(&store.locate(None, name)?.gpu, 0, bytemuck::cast_slice(values));
            }
            let place = &store.locate(None, &format!("{TRAIN}.order"))?.gpu;
            gpu.queue().write_buffer(place, 0, bytes(&order));
            figures.prepare(gpu);
            Ok(())
        })?
    }

    /// Goes on with the measurement; whether there may be time for more of it.
    fn measure(&mut self, budget: Duration, start: Instant) -> Result<bool, EmbedError> {
        let Self { host, store, recorded, making, costs, .. } = self;
        let (number, from) = making.at;
        let Some(plan) = recorded.training().nth(number) else { return Ok(false) };
        let flight = match &mut making.flight {
            Some(flight) => flight,
            None => {
                let left = budget.saturating_sub(start.elapsed()).as_secs_f64();
                let end = costs[plan.0].fitting(from, left).max(from + 1);
                let stamps = host.submit("measuring commands", |_, encoder| {
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                    store.encode(&mut pass, plan, from..end);
                })?;
                making.flight.insert(Flight::new(plan, std::iter::once(from..end).collect(), stamps))
            }
        };
        let Some((least, most)) = flight.watch(host, budget.saturating_sub(start.elapsed())) else {
            // Not there yet; a lost device would never get there.
            host.guarded("measuring commands", |_| ())?;
            return Ok(false);
        };
        let end = flight.ranges.last().map_or(from, |range| range.end);
        costs[plan.0].learn(&flight.ranges, least, most);
        making.flight = None;
        making.done += end - from;
        making.at = if end == costs[plan.0].len() { (number + 1, 0) } else { (number, end) };
        Ok(true)
    }
}

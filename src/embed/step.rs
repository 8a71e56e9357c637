//! Training in slices: what is submitted, and what it turned out to take.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::cursor::{Chunk, Cursor};
use super::host::{Host, Stamps};
use super::recorded::TRAIN;
use super::{EmbedError, Progress, Trainer};
use crate::exec::Loaded;
use crate::model::NOISE;
use crate::plan::DeviceClass;
use crate::time::Instant;
use crate::train::noise;

/// Submissions under way before a call submits nothing.
const IN_FLIGHT: usize = 2;
/// A software driver may keep the caller of a submission waiting until the one before is done.
const IN_FLIGHT_SOFTWARE: usize = 1;
/// One call in so many looks for its own submission to be done, so that its cost is known exactly.
const WATCHED: u64 = 64;
/// The longest submission where no budget is given.
const LONGEST: Duration = Duration::from_millis(25);

/// A submission whose end has not been seen.
pub(super) struct Flight {
    pub(super) plan: Loaded,
    pub(super) ranges: Vec<Range<usize>>,
    stamps: Arc<Stamps>,
    /// It cannot have begun before: when it was submitted, or when work before it was last seen unfinished.
    began: Instant,
    /// When it was last seen unfinished.
    unfinished: Instant,
}

impl Flight {
    pub(super) fn new(plan: Loaded, ranges: Vec<Range<usize>>, stamps: Arc<Stamps>) -> Self {
        let now = Instant::now();
        Self { plan, ranges, stamps, began: now, unfinished: now }
    }

    /// Once it is done: how long it took at least and at most, as far as looks at it can tell.
    fn look(&mut self) -> Option<(Duration, Duration)> {
        let reached = self.stamps.reached.get().copied();
        let Some(passed) = self.stamps.passed.get().copied() else {
            self.unfinished = Instant::now();
            if reached.is_none() {
                self.began = self.unfinished;
            }
            return None;
        };
        // It began before the host was told that the work before it is done.
        let least =
            reached.map_or(Duration::ZERO, |reached| self.unfinished.saturating_duration_since(reached));
        Some((least, passed.saturating_duration_since(self.began)))
    }

    /// Looks for at most so long, without ever waiting for the device.
    pub(super) fn watch(&mut self, host: &Host, time: Duration) -> Option<(Duration, Duration)> {
        let start = Instant::now();
        loop {
            host.poll();
            if let Some(seen) = self.look() {
                return Some(seen);
            }
            // On the web nothing arrives before this call returns to the page.
            if cfg!(target_arch = "wasm32") || start.elapsed() >= time {
                return None;
            }
            std::thread::yield_now();
        }
    }
}

pub(super) fn bytes(words: &[u32]) -> &[u8] {
    bytemuck::cast_slice(words)
}

impl Trainer {
    /// Goes on with training: submits as many commands as should take the device no longer than `budget`, at least one. A training
    /// step may span many calls. While two earlier submissions are unfinished, on a software adapter one, nothing is submitted. One
    /// call in 64 looks for at most `budget` when its submission is done; no call waits longer.
    pub fn step(&mut self, budget: Duration) -> Result<Progress, EmbedError> {
        self.go_on(budget, false)
    }

    /// The same, but not past the end of a training step: for a host that wants to stop between two of them, see
    /// [`Trainer::between_steps`], without submitting the rest at once.
    pub fn step_within(&mut self, budget: Duration) -> Result<Progress, EmbedError> {
        self.go_on(budget, true)
    }

    /// Whether no training step is begun and not yet submitted to its end. A snapshot that is asked for then is taken at once.
    pub fn between_steps(&self) -> bool {
        self.cursor.between_batches()
    }

    fn go_on(&mut self, budget: Duration, within_batch: bool) -> Result<Progress, EmbedError> {
        self.settle_requests()?;
        self.settle();
        let most = match self.host.gpu.class() {
            DeviceClass::Software => IN_FLIGHT_SOFTWARE,
            _ => IN_FLIGHT,
        };
        if self.flights.len() >= most {
            self.host.guarded("training", |_| ())?;
            self.host.poll();
            self.settle();
            if self.flights.len() >= most {
                return Ok(self.progress());
            }
        }
        let chunk = self.next_chunk(budget, within_batch || !self.snapshots.is_empty())?;
        self.submit_chunk(&chunk)?;
        self.calls += 1;
        if self.calls % WATCHED == 1
            && let Some(flight) = self.flights.back_mut()
        {
            flight.watch(&self.host, budget);
            self.settle();
        }
        self.settle_requests()?;
        Ok(self.moved(&chunk))
    }

    /// The same, recorded into the host's encoder, in which no pass may be open. The host submits it before the next call to this
    /// trainer. What its commands cost is known from preparation and from calls of `step`; recorded ones teach nothing.
    pub fn record(
        &mut self,
        encoder: &mut wgpu::CommandEncoder,
        budget: Duration,
    ) -> Result<Progress, EmbedError> {
        self.settle_requests()?;
        let chunk = self.next_chunk(budget, !self.snapshots.is_empty())?;
        self.host.guarded("recording training", |_| self.encode(encoder, &chunk))??;
        self.advance(&chunk);
        Ok(self.moved(&chunk))
    }

    /// Submits what is left of the training step at hand, at most one batch's worth, so that a snapshot need not wait for it.
    pub fn finish_batch(&mut self) -> Result<Progress, EmbedError> {
        self.settle_requests()?;
        let mut progress = self.progress();
        while !self.cursor.between_batches() {
            let chunk = self.next_chunk(LONGEST, true)?;
            self.submit_chunk(&chunk)?;
            let moved = self.moved(&chunk);
            progress = Progress {
                submitted: progress.submitted + moved.submitted,
                estimate: progress.estimate + moved.estimate,
                ..moved
            };
        }
        self.settle_requests()?;
        Ok(progress)
    }

    /// What other calls have left to do: painted masks to read, snapshots to take.
    fn settle_requests(&mut self) -> Result<(), EmbedError> {
        self.require_prepared()?;
        self.read_painted()?;
        if self.cursor.between_batches() { self.take_snapshots() } else { Ok(()) }
    }

    /// Learns from what has been seen to be done.
    fn settle(&mut self) {
        while let Some(flight) = self.flights.front_mut() {
            let Some((least, most)) = flight.look() else { break };
            self.costs[flight.plan.0].learn(&flight.ranges, least, most);
            self.flights.pop_front();
        }
        // Those behind are looked at too, so that they know since when they have been running.
        for flight in self.flights.iter_mut().skip(1) {
            flight.look();
        }
    }

    fn next_chunk(&mut self, budget: Duration, within_batch: bool) -> Result<Chunk, EmbedError> {
        self.begin_pass()?;
        let (plan, _) = self.passes()[self.cursor.pass];
        let batches = self.cursor.batches(self.setup.training.batch);
        Ok(self.cursor.chunk(plan, &self.costs[plan.0], batches, budget.as_secs_f64(), within_batch))
    }

    /// Writes what the pass at hand starts from, and the epoch where it is its first one.
    fn begin_pass(&mut self) -> Result<(), EmbedError> {
        if self.order.is_some() {
            return Ok(());
        }
        let mut cursor = self.cursor.clone();
        let begins_epoch = cursor.pictures.is_empty();
        if begins_epoch {
            cursor.pictures = self.slots.ready();
            if cursor.pictures.is_empty() {
                return Err(self.slots.no_data());
            }
        }
        let order = self.order_of(&cursor)?;
        let (_, stream) = self.passes()[self.cursor.pass];
        let rates = self.rates_of(&cursor);
        let Self { host, store, setup, network, .. } = self;
        host.guarded("beginning an epoch", |gpu| -> Result<(), EmbedError> {
            let write = |name: &str, data: &[u8]| -> Result<(), EmbedError> {
                gpu.queue().write_buffer(&store.locate(None, name)?.gpu, 0, data);
                Ok(())
            };
            if begins_epoch {
                for (name, rates) in &rates {
                    write(name, bytemuck::cast_slice(rates))?;
                }
                write("stage1.confusion", bytes(&vec![0; setup.classes * setup.classes]))?;
            }
            if network.has_dropout() {
                write(NOISE, bytes(&noise(&setup.seeds, stream)))?;
            }
            write(&format!("{TRAIN}.order"), bytes(&order))?;
            write(&format!("{TRAIN}.clock"), &[0; 4])
        })??;
        self.figures.explained = cursor.explained(&order, self.setup.training.batch, &self.slots.explained);
        self.cursor = cursor;
        self.order = Some(order);
        Ok(())
    }

    /// The learning rates of an epoch, and the tensors that they go to. After the last epoch of the settings its rates stay.
    fn rates_of(&self, cursor: &Cursor) -> Vec<(String, Vec<f32>)> {
        let training = &self.setup.training;
        let epoch = cursor.epoch.min(training.epochs - 1);
        let batches = cursor.batches(training.batch);
        // Not every method has an optimiser of stage 2.
        let stages = training
            .rates()
            .into_iter()
            .filter(|(stage, _)| self.store.locate(None, &format!("{stage}.tick")).is_ok());
        stages
            .map(|(stage, moving)| match moving.stands_still() {
                true => (format!("{stage}.lr"), vec![moving.rate as f32]),
                false => (format!("{stage}.rates"), moving.epoch(epoch, batches, training.epochs)),
            })
            .collect()
    }

    /// The order of the pass that a cursor stands in.
    pub(super) fn order_of(&self, cursor: &Cursor) -> Result<Vec<u32>, EmbedError> {
        let training = &self.setup.training;
        let passes = crate::train::passes(self.recorded.first, &self.recorded.phases, training, cursor.epoch);
        let stream = passes.get(cursor.pass).map(|(_, stream)| *stream);
        let stream = stream.ok_or_else(|| {
            EmbedError::Snapshot(format!("pass {} of an epoch of {}", cursor.pass + 1, passes.len()))
        })?;
        Ok(cursor.order(self.setup.seeds.order, stream, &self.recorded.dimensions))
    }

    fn encode(&self, encoder: &mut wgpu::CommandEncoder, chunk: &Chunk) -> Result<(), EmbedError> {
        {
            let label = Some(self.store.plan(chunk.plan).name());
            let mut pass =
                encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
            for range in &chunk.ranges {
                self.store.encode(&mut pass, chunk.plan, range.clone());
            }
        }
        if self.ends_epoch(chunk) { self.figures.keep(encoder, &self.store) } else { Ok(()) }
    }

    fn submit_chunk(&mut self, chunk: &Chunk) -> Result<(), EmbedError> {
        // The encoder is lent out beside the host that makes it.
        let mut host = Host { gpu: Arc::clone(&self.host.gpu), counters: self.host.counters };
        let mut encoded = Ok(());
        let stamps = host.submit("training", |_, encoder| encoded = self.encode(encoder, chunk))?;
        encoded?;
        self.host = host;
        self.flights.push_back(Flight::new(chunk.plan, chunk.ranges.clone(), stamps));
        self.advance(chunk);
        Ok(())
    }

    fn ends_epoch(&self, chunk: &Chunk) -> bool {
        chunk.ends_pass && chunk.then.pass + 1 == self.passes().len()
    }

    /// Takes in that the chunk's commands are on their way.
    fn advance(&mut self, chunk: &Chunk) {
        let (passes, ends_epoch) = (self.passes().len(), self.ends_epoch(chunk));
        self.cursor = chunk.then.clone();
        if ends_epoch {
            self.figures.last = Some(self.tally());
        }
        if chunk.ends_pass {
            self.cursor.next_pass(passes);
            self.order = None;
        }
        self.host.counters.commands += chunk.ranges.iter().map(|range| range.len() as u64).sum::<u64>();
    }

    fn moved(&self, chunk: &Chunk) -> Progress {
        Progress {
            submitted: chunk.ranges.iter().map(|range| range.len()).sum(),
            estimate: Duration::from_secs_f64(chunk.seconds.max(0.0)),
            ..self.progress()
        }
    }
}

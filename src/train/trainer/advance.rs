//! An epoch from its begin to its end, in one go or in slices of time.

use std::ops::Range;
use std::time::Duration;

use super::{EpochReport, Trainer};
use crate::exec::Session;
use crate::time::Instant;
use crate::train::TrainError;

/// Where an epoch is that has been begun.
pub(super) struct Place {
    /// Passes that are done.
    pass: usize,
    /// Batches of the pass at hand that are done.
    batch: usize,
    /// The order of the pass at hand.
    order: Vec<u32>,
}

impl Trainer {
    /// Trains for one epoch, or what is left of the one at hand. On a loss that is no number the error says where it began, and
    /// the state is that of the last good epoch again.
    pub fn train_epoch(&mut self) -> Result<EpochReport, TrainError> {
        self.train_epoch_watched(|_| {})
    }

    /// The same; `watch` is told now and then which share of the epoch has been handed to the device.
    pub fn train_epoch_watched(&mut self, mut watch: impl FnMut(f64)) -> Result<EpochReport, TrainError> {
        self.advance(usize::MAX, &mut watch)?;
        self.end_epoch()
    }

    /// Goes on with the epoch at hand, or begins one, for about as long as the budget: at least one batch, and no further one for
    /// which the time that is left seems too short; up to the end of the epoch, whose report it returns. Slices of any length give
    /// the bits of whole epochs. At the end of an epoch its figures and the weights are read, which the budget does not foresee.
    pub fn train_for(&mut self, budget: Duration) -> Result<Option<EpochReport>, TrainError> {
        let (begun, mut batches) = (Instant::now(), 1);
        loop {
            let slice = Instant::now();
            let done = self.advance(batches, &mut |_| {})?;
            self.batch_time = slice.elapsed().div_f64(done.max(1) as f64);
            let (at, of) = self.batches();
            if at == of {
                return self.end_epoch().map(Some);
            }
            let left = budget.saturating_sub(begun.elapsed());
            if left < self.batch_time {
                return Ok(None);
            }
            // The first batch of a session may be a slow one: more at once, but by and by.
            batches = (left.div_duration_f64(self.batch_time) as usize).clamp(1, 2 * batches);
        }
    }

    /// How long a batch took lately, as [`Trainer::train_for`] has seen it; zero before its first one.
    pub fn batch_time(&self) -> Duration {
        self.batch_time
    }

    /// Batches of the epoch at hand that are done, and all of its batches, over all of its passes.
    pub fn batches(&self) -> (usize, usize) {
        let done = self.place.as_ref().map_or(0, |place| place.pass * self.data.steps + place.batch);
        (done, self.passes().len() * self.data.steps)
    }

    /// Goes on with the epoch at hand, or begins one, by at most so many batches; up to its end. Returns how many they were.
    /// An epoch that a device has failed in is not gone on with: the state is that of the last good one.
    fn advance(&mut self, batches: usize, watch: &mut dyn FnMut(f64)) -> Result<usize, TrainError> {
        let advanced = self.go_on(batches, watch).and_then(|done| Ok(self.session.wait().map(|()| done)?));
        if advanced.is_err() {
            let good = self.last_good.clone();
            // A device that is lost takes nothing back either; the error that matters is the first one.
            let _ = self.restore(&good);
        }
        advanced
    }

    fn go_on(&mut self, batches: usize, watch: &mut dyn FnMut(f64)) -> Result<usize, TrainError> {
        let (passes, steps) = (self.passes(), self.data.steps);
        let slice = steps.div_ceil(20);
        let mut place = match self.place.take() {
            Some(place) => place,
            None => {
                self.begin_epoch()?;
                Place { pass: 0, batch: 0, order: Vec::new() }
            }
        };
        let mut done = 0;
        while done < batches
            && let Some(&(plan, stream)) = passes.get(place.pass)
        {
            if place.batch == 0 {
                place.order = self.begin_pass(stream)?;
            }
            let end = place.batch + (steps - place.batch).min(batches - done);
            let before = place.pass * steps;
            let mut work = |session: &mut dyn Session, batches: Range<usize>| {
                let mut at = batches.start;
                while at < batches.end {
                    let times = slice.min(batches.end - at);
                    session.run(plan, times)?;
                    at += times;
                    watch((before + at) as f64 / (passes.len() * steps) as f64);
                }
                Ok::<(), TrainError>(())
            };
            let (session, range) = (self.session.as_mut(), place.batch..end);
            match &self.stream {
                Some(stream) => stream.run(session, "train", &place.order, range, work)?,
                None => work(session, range)?,
            }
            done += end - place.batch;
            place.batch = end;
            // The last pass is not left: its order is part of the report.
            if end == steps && place.pass + 1 < passes.len() {
                (place.pass, place.batch) = (place.pass + 1, 0);
            } else if end == steps {
                break;
            }
        }
        self.place = Some(place);
        Ok(done)
    }

    /// Takes in what the epoch came to.
    fn end_epoch(&mut self) -> Result<EpochReport, TrainError> {
        let order = self.place.take().map_or_else(Vec::new, |place| place.order);
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
}

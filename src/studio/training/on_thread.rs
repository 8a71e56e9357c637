//! Both models on a thread with the CPU device, epoch by epoch: for windows on a software adapter, and for devices that lack what
//! training needs. A mask takes effect with the next epoch.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

use super::background::in_background;
use super::{Arm, Engine, Event, Position, Recipe, Start};
use crate::data::Dataset;
use crate::embed::{Preparation, RouteRow};
use crate::exec::Device;
use crate::model::{MapShape, Network, Route};
use crate::plan::Variants;
use crate::studio::error::StudioError;
use crate::train::{EpochReport, Method, TrainConfig, TrainError, Trainer};

enum Order {
    Mask(usize, Option<Vec<u8>>),
    Run,
    Once,
    Pause,
    States,
}

/// What comes back.
enum Told {
    Event(Event),
    /// An order other than a mask has been carried out.
    Done,
}

/// The window's end of the thread.
#[derive(Debug)]
pub struct OnThread {
    orders: Sender<Order>,
    events: Receiver<Result<Told, TrainError>>,
    /// Orders whose end has not been told.
    open: usize,
    position: Position,
    running: bool,
    /// What ended the thread, until it is told.
    failed: Option<TrainError>,
    route: Vec<RouteRow>,
}

impl OnThread {
    /// Starts the thread; it waits for the first order.
    pub fn new(start: Start) -> Result<Self, StudioError> {
        let route = route(&start)?;
        let (orders, incoming) = channel();
        let (outgoing, events) = channel();
        std::thread::spawn(move || {
            in_background(move || {
                if let Err(error) = work(start, &incoming, &outgoing) {
                    // The window may be gone by now.
                    let _ = outgoing.send(Err(error));
                }
            });
        });
        Ok(Self {
            orders,
            events,
            open: 0,
            position: Position::default(),
            running: false,
            failed: None,
            route,
        })
    }

    fn order(&mut self, order: Order) -> Result<(), StudioError> {
        let ends = matches!(order, Order::Once | Order::Pause | Order::States);
        self.orders.send(order).map_err(|_| StudioError::Thread("trains"))?;
        self.open += usize::from(ends);
        Ok(())
    }
}

impl Engine for OnThread {
    fn device(&self) -> String {
        "the CPU, beside the window".to_owned()
    }

    fn in_frames(&self) -> bool {
        false
    }

    fn unit(&self) -> &'static str {
        "one epoch"
    }

    fn prepare(&mut self, _: Duration) -> Result<Preparation, StudioError> {
        Ok(Preparation { done: 1, of: 1 })
    }

    fn set_mask(&mut self, index: usize, mask: Option<Vec<u8>>) -> Result<(), StudioError> {
        self.order(Order::Mask(index, mask))
    }

    fn advance(&mut self, _: Duration) -> Result<(), StudioError> {
        if !self.running {
            self.order(Order::Run)?;
            self.running = true;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), StudioError> {
        self.order(Order::Once)
    }

    fn pause(&mut self) -> Result<(), StudioError> {
        if std::mem::replace(&mut self.running, false) {
            self.order(Order::Pause)?;
        }
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        false
    }

    fn position(&self) -> Position {
        self.position
    }

    fn ask_for_states(&mut self) -> Result<(), StudioError> {
        // An order whose end is open brings the states too.
        if self.running && self.open > 0 { Ok(()) } else { self.order(Order::States) }
    }

    fn is_waiting(&self) -> bool {
        self.open > 0 || self.failed.is_some()
    }

    fn events(&mut self) -> Result<Vec<Event>, StudioError> {
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        let mut events = Vec::new();
        while let Ok(told) = self.events.try_recv() {
            match told {
                Ok(Told::Event(event)) => {
                    let (Event::Figures { at, .. } | Event::State { at, .. }) = &event;
                    self.position = *at;
                    events.push(event);
                }
                Ok(Told::Done) => self.open = self.open.saturating_sub(1),
                // Told next time: what came before it is not lost.
                Err(error) => (self.failed, self.open, self.running) = (Some(error), 0, false),
            }
        }
        Ok(events)
    }

    fn route(&self) -> Vec<RouteRow> {
        self.route.clone()
    }

    fn overlay(&mut self, _: Arm, _: usize) -> Result<Option<wgpu::TextureView>, StudioError> {
        Ok(None)
    }
}

/// One model and what it was built on.
struct Model {
    arm: Arm,
    trainer: Trainer,
    /// Whether it was built while there were explanations.
    explained: bool,
}

/// The settings that a model can be built with now: without any explanation there is nothing for stage 2 to do.
fn settings(recipe: &Recipe, arm: Arm, explained: bool) -> (crate::model::ModelConfig, TrainConfig) {
    let (model, train) = recipe.of(arm);
    let method = if explained { train.method } else { Method::LabelOnly };
    (model, TrainConfig { method, ..train })
}

impl Model {
    fn build(recipe: &Recipe, data: &Dataset, arm: Arm) -> Result<Self, TrainError> {
        let device = Device::Cpu { reason: "trains beside the window".to_owned() };
        let explained = arm == Arm::Explained && data.explained.contains(&true);
        let (model, train) = settings(recipe, arm, explained);
        let trainer = Trainer::new(&device, &model, &train, data, &[recipe.seeds], &Variants::new())?;
        Ok(Self { arm, trainer, explained })
    }

    /// The same model on pictures whose masks have changed: weights and optimiser state stay.
    fn rebuilt(&self, recipe: &Recipe, data: &Dataset) -> Result<Self, TrainError> {
        let mut new = Self::build(recipe, data, self.arm)?;
        let old = self.trainer.checkpoint();
        let mut checkpoint = new.trainer.checkpoint().clone();
        checkpoint.epoch = old.epoch;
        for (name, tensor) in &mut checkpoint.tensors {
            if let Some(known) = old.tensors.get(name).filter(|known| known.0 == tensor.0) {
                *tensor = known.clone();
            }
        }
        new.trainer.restore(&checkpoint)?;
        Ok(new)
    }
}

type Outgoing = Sender<Result<Told, TrainError>>;

fn work(start: Start, orders: &Receiver<Order>, events: &Outgoing) -> Result<(), TrainError> {
    let Start { mut train, recipe } = start;
    let mut models = Vec::new();
    for arm in Arm::BOTH {
        models.push(Model::build(&recipe, &train, arm)?);
    }
    let batches = train.len().div_ceil(recipe.train.batch.max(1));
    let (mut running, mut once, mut painted) = (false, 0, false);
    loop {
        // While there is nothing to do the thread sleeps in `recv`.
        let order = match running || once > 0 {
            false => orders.recv().map_err(|_| TryRecvError::Disconnected),
            true => orders.try_recv(),
        };
        let done = || events.send(Ok(Told::Done)).is_ok();
        let states =
            |models: &[Model]| models.iter().all(|model| tell(state(model, batches), events)) && done();
        let is_heard = match order {
            Ok(Order::Mask(index, mask)) => {
                set_mask(&mut train, index, mask);
                painted = true;
                true
            }
            Ok(Order::Run) => {
                running = true;
                true
            }
            Ok(Order::Once) => {
                once += 1;
                true
            }
            Ok(Order::Pause) => {
                running = false;
                states(&models)
            }
            Ok(Order::States) => states(&models),
            Err(TryRecvError::Disconnected) => false,
            Err(TryRecvError::Empty) => {
                if std::mem::take(&mut painted) {
                    for model in models.iter_mut().filter(|model| model.arm == Arm::Explained) {
                        *model = model.rebuilt(&recipe, &train)?;
                    }
                }
                let mut is_heard = true;
                for i in 0..models.len() {
                    let report = models[i].trainer.train_epoch().inspect_err(|_| {
                        // The last good states: the window may have older ones.
                        states(&models);
                    });
                    is_heard &= tell(figures(&models[i], &report?, batches), events);
                }
                if once > 0 {
                    once -= 1;
                    is_heard &= states(&models);
                }
                is_heard
            }
        };
        if !is_heard {
            return Ok(());
        }
    }
}

/// Sends an event; `false` when the window is gone.
fn tell(event: Event, events: &Outgoing) -> bool {
    events.send(Ok(Told::Event(event))).is_ok()
}

fn position(model: &Model, batches: usize) -> Position {
    let epoch = model.trainer.epoch();
    Position { steps: (epoch * batches) as u64, epochs: epoch as f64 }
}

/// A copy of all of a model: made when it is asked for, not after every epoch.
fn state(model: &Model, batches: usize) -> Event {
    let checkpoint = Arc::new(model.trainer.checkpoint().clone());
    Event::State { arm: model.arm, at: position(model, batches), checkpoint }
}

fn figures(model: &Model, report: &EpochReport, batches: usize) -> Event {
    let first = |values: &Vec<f64>| values.first().copied().unwrap_or(f64::NAN);
    Event::Figures {
        arm: model.arm,
        at: position(model, batches),
        label_loss: first(&report.label_loss),
        alignment_loss: report.alignment_loss.as_ref().map(first).filter(|_| model.explained),
    }
}

fn set_mask(data: &mut Dataset, index: usize, mask: Option<Vec<u8>>) {
    let area = data.height * data.width;
    if let Some(place) = data.masks.get_mut(index * area..(index + 1) * area) {
        data.explained[index] = mask.is_some();
        match mask {
            Some(mask) if mask.len() == area => place.copy_from_slice(&mask),
            _ => place.fill(0),
        }
    }
}

/// Which weights each stage of the model with explanations moves.
fn route(start: &Start) -> Result<Vec<RouteRow>, StudioError> {
    let data = &start.train;
    let (model, train) = start.recipe.of(Arm::Explained);
    let input = MapShape { height: data.height, width: data.width, channels: data.channels };
    let network = Network::new(&model, input, data.classes.len(), 1).map_err(TrainError::from)?;
    let stage1 = train.stage1_route(&network)?;
    let stage2 = if train.method.has_stage2() { Route::stage2() } else { Route::default() };
    let rows = network.parameters().into_iter().map(|parameter| RouteRow {
        stage1: stage1.updates(parameter.part),
        stage2: stage2.updates(parameter.part),
        elements: parameter.dims.iter().product(),
        part: parameter.part,
        tensor: parameter.name.clone(),
    });
    Ok(rows.collect())
}

#[cfg(test)]
mod tests;

//! The trainer on a borrowed device: what it holds, and how it is made.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::cursor::Cursor;
use super::data::Slots;
use super::host::Host;
use super::prepare::Making;
use super::recorded::Recorded;
use super::requirements::missing;
use super::snapshot::Wanted;
use super::statistics::Figures;
use super::step::Flight;
use super::textures::Textures;
use super::{Counters, EmbedError, Missing, RouteRow, Setup};
use crate::exec::{Costs, Store};
use crate::gpu::Gpu;
use crate::model::Network;
use crate::train::passes;

/// How far preparation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// Pieces made.
    pub done: usize,
    /// Pieces in all.
    pub of: usize,
}

impl Preparation {
    /// Whether training can begin.
    pub fn is_done(&self) -> bool {
        self.done == self.of
    }
}

/// Where training is, after a call that went on with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch at hand, counted from 1.
    pub epoch: usize,
    /// Batches of the epoch that are done, over all of its passes.
    pub batch: usize,
    /// Batches of the epoch; those of stage 2 are counted by themselves where it has passes of its own. 0 before the epoch has begun.
    pub batches: usize,
    /// Batches since the trainer was made or restored.
    pub steps: u64,
    /// Commands that this call submitted or recorded; 0 where the device is still busy with earlier ones.
    pub submitted: usize,
    /// How long these should take the device, as far as it is known.
    pub estimate: Duration,
}

/// Trains one model on a host's device. Dropping it frees everything that it made there.
pub struct Trainer {
    pub(super) host: Host,
    pub(super) setup: Setup,
    pub(super) network: Network,
    pub(super) recorded: Recorded,
    pub(super) store: Store,
    pub(super) textures: Option<Textures>,
    pub(super) making: Making,
    pub(super) slots: Slots,
    pub(super) cursor: Cursor,
    /// The order of the pass at hand as it is on the device; `None` before the pass begins.
    pub(super) order: Option<Vec<u32>>,
    /// Of each plan that trains, by its place among all plans.
    pub(super) costs: Vec<Costs>,
    pub(super) flights: VecDeque<Flight>,
    pub(super) calls: u64,
    pub(super) figures: Figures,
    pub(super) snapshots: Vec<Wanted>,
}

impl std::fmt::Debug for Trainer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer")
            .field("name", &self.setup.name)
            .field("prepared", &self.preparation())
            .field("progress", &self.progress())
            .finish_non_exhaustive()
    }
}

impl Trainer {
    /// What the device lacks for this setup, by name; empty where nothing is missing.
    pub fn supports(device: &wgpu::Device, setup: &Setup) -> Result<Vec<Missing>, EmbedError> {
        setup.check()?;
        let target = Gpu::target(device);
        Ok(missing(device, &Recorded::new(setup, &setup.network()?, target)?))
    }

    /// A trainer that has yet to be prepared: checks settings and device and makes nothing there.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, setup: &Setup) -> Result<Self, EmbedError> {
        let info = device.adapter_info();
        let title = format!("{} on {} ({})", setup.name, info.name, info.backend);
        Self::on(Arc::new(Gpu::borrow(device.clone(), queue.clone(), title)), setup)
    }

    /// Another trainer on the same device, which shares the kernels that are compiled already.
    pub fn beside(&self, setup: &Setup) -> Result<Self, EmbedError> {
        Self::on(Arc::clone(&self.host.gpu), setup)
    }

    fn on(gpu: Arc<Gpu>, setup: &Setup) -> Result<Self, EmbedError> {
        setup.check()?;
        let network = setup.network()?;
        let limits = gpu.limits();
        let recorded = Recorded::new(setup, &network, limits.target)?;
        let missing = missing(gpu.device(), &recorded);
        if !missing.is_empty() {
            return Err(EmbedError::Unsupported(missing));
        }
        for plan in &recorded.plans {
            plan.check(&limits)?;
        }
        Ok(Self {
            host: Host { gpu, counters: Counters::default() },
            setup: setup.clone(),
            making: Making::new(&recorded),
            slots: Slots::new(setup.capacity),
            figures: Figures::new(&recorded),
            network,
            recorded,
            store: Store::default(),
            textures: None,
            cursor: Cursor::default(),
            order: None,
            costs: Vec::new(),
            flights: VecDeque::new(),
            calls: 0,
            snapshots: Vec::new(),
        })
    }

    /// What the trainer was made for.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the trainer has done to the device so far.
    pub fn counters(&self) -> Counters {
        self.host.counters
    }

    /// Which weights each stage moves.
    pub fn route(&self) -> Vec<RouteRow> {
        super::statistics::route(&self.network, &self.recorded)
    }

    /// Where training is.
    pub fn progress(&self) -> Progress {
        let batches = self.cursor.batches(self.setup.training.batch);
        Progress {
            epoch: self.cursor.epoch + 1,
            batch: self.cursor.pass * batches + self.cursor.batch,
            batches: self.passes().len() * batches,
            steps: self.cursor.steps,
            submitted: 0,
            estimate: Duration::ZERO,
        }
    }

    pub(super) fn passes(&self) -> Vec<(crate::exec::Loaded, u64)> {
        passes(self.recorded.first, &self.recorded.phases, &self.setup.training, self.cursor.epoch)
    }
}

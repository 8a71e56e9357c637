//! The GPU device: plans become buffers, bind groups and dispatches.

#[cfg(not(target_arch = "wasm32"))] // no threads there
mod ahead;
#[cfg(not(target_arch = "wasm32"))]
mod compile;
mod memory;
mod scopes;
mod store;
mod time;

use std::collections::VecDeque;
use std::rc::Rc;

pub(crate) use scopes::{Fault, caught, lost};
pub(crate) use store::Store;

use super::pace::Pace;
use super::{ExecError, Loaded, Observer, Session, Time};
use crate::gpu::Gpu;
use crate::plan::Plan;
use crate::shader::DType;
use crate::time::Instant;

/// Submissions queued before the oldest one is waited for.
const IN_FLIGHT: usize = 3;
/// How a session allocates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// For tests: every tensor starts as NaN and stands between guard words; see [`GpuSession::broken_guards`].
    pub guards: bool,
}

struct Submitted {
    index: wgpu::SubmissionIndex,
    at: Instant,
    cost: f64,
}

/// A session on a wgpu device.
pub struct GpuSession {
    gpu: Rc<Gpu>,
    store: Store,
    pace: Pace,
    in_flight: VecDeque<Submitted>,
    last_done: Option<Instant>,
}

impl GpuSession {
    /// An empty session on a device.
    pub fn new(gpu: Rc<Gpu>, options: Options) -> Self {
        Self {
            gpu,
            store: Store { guards: options.guards, ..Store::default() },
            pace: Pace::new(),
            in_flight: VecDeque::new(),
            last_done: None,
        }
    }

    fn device_error(&self, doing: &str, message: String) -> ExecError {
        let (device, doing) = (self.gpu.title().to_owned(), doing.to_owned());
        // The loss of a device is told during a poll; until then its symptoms look like errors of another kind.
        let _ = self.gpu.device().poll(wgpu::PollType::Poll);
        match self.gpu.lost() {
            Some(reason) => ExecError::DeviceLost { device, doing, reason },
            None if message.to_lowercase().contains("lost") || lost(self.gpu.device()) => {
                ExecError::DeviceLost { device, doing, reason: message }
            }
            None => ExecError::Device { device, doing, message },
        }
    }

    /// Runs `work` inside error scopes of our own, so that no error reaches a host's handler.
    fn guarded<T>(&mut self, doing: &str, work: impl FnOnce(&mut Self) -> T) -> Result<T, ExecError> {
        let device = self.gpu.device().clone();
        let (result, fault) = caught(&device, || work(self));
        self.expect_none(doing, fault).map(|()| result)
    }

    /// An error where there was a fault, or where the device is gone.
    fn expect_none(&self, doing: &str, fault: Option<Fault>) -> Result<(), ExecError> {
        if let Some(fault) = fault {
            return Err(match (self.device_error(doing, fault.message().to_owned()), fault) {
                (error @ ExecError::DeviceLost { .. }, _) | (error, Fault::Refused(_)) => error,
                (_, Fault::Memory(_)) => {
                    ExecError::OutOfMemory { device: self.gpu.title().to_owned(), doing: doing.to_owned() }
                }
            });
        }
        match self.gpu.lost() {
            Some(reason) => Err(self.device_error(doing, reason)),
            None => Ok(()),
        }
    }

    /// Submits the dispatches of one range of a plan, repeated or partial, as one command buffer.
    fn submit(&mut self, plan: Loaded, pieces: &[std::ops::Range<usize>]) -> Result<(), ExecError> {
        let mut cost = 0.0;
        let index = self.guarded("submitting work", |this| {
            let label = Some(this.store.plan(plan).name());
            let device = this.gpu.device();
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label });
            {
                let mut pass = encoder
                    .begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
                for piece in pieces {
                    cost += this.store.encode(&mut pass, plan, piece.clone());
                }
            }
            this.gpu.queue().submit([encoder.finish()])
        })?;
        self.in_flight.push_back(Submitted { index, at: Instant::now(), cost });
        while self.in_flight.len() > IN_FLIGHT {
            self.wait_for_oldest()?;
        }
        Ok(())
    }

    fn wait_for_oldest(&mut self) -> Result<(), ExecError> {
        let Some(Submitted { index, at, cost }) = self.in_flight.pop_front() else { return Ok(()) };
        let poll = wgpu::PollType::Wait { submission_index: Some(index), timeout: None };
        self.gpu
            .device()
            .poll(poll)
            .map_err(|e| self.device_error("waiting for the device", e.to_string()))?;
        let now = Instant::now();
        // It ran after its predecessor was done and after it was submitted.
        let start = self.last_done.map_or(at, |done| done.max(at));
        self.pace.learn(cost, now - start);
        self.last_done = Some(now);
        Ok(())
    }
}

impl Session for GpuSession {
    fn load(&mut self, plan: &Plan) -> Result<Loaded, ExecError> {
        // On the web nothing can be waited for, neither the end of a submission nor a copy.
        if cfg!(target_arch = "wasm32") {
            return Err(ExecError::NoWait { device: self.gpu.title().to_owned() });
        }
        plan.check(&self.gpu.limits())?;
        let doing = format!("preparing plan `{}`", plan.name());
        // Or the time that a driver takes to compile would count as theirs.
        while !self.in_flight.is_empty() {
            self.wait_for_oldest()?;
        }
        #[cfg(not(target_arch = "wasm32"))]
        self.expect_none(&doing, ahead::make_pipelines(&self.gpu, plan))?;
        self.guarded(&doing, |this| this.store.load(&this.gpu, plan))?
    }

    fn run(&mut self, plan: Loaded, times: usize) -> Result<(), ExecError> {
        let mut pieces = Vec::new();
        let mut units = 0.0;
        for _ in 0..times {
            let count = self.store.plans[plan.0].dispatches.len();
            let mut from = 0;
            for index in 0..count {
                units += self.store.plans[plan.0].dispatches[index].cost;
                if units >= self.pace.budget() {
                    pieces.push(from..index + 1);
                    self.submit(plan, &pieces)?;
                    pieces.clear();
                    (units, from) = (0.0, index + 1);
                }
            }
            if from < count {
                pieces.push(from..count);
            }
        }
        if pieces.is_empty() { Ok(()) } else { self.submit(plan, &pieces) }
    }

    fn observe(&mut self, plan: Loaded, observer: &mut Observer) -> Result<bool, ExecError> {
        for index in 0..self.store.plans[plan.0].dispatches.len() {
            self.submit(plan, std::slice::from_ref(&(index..index + 1)))?;
            let written: Vec<_> = {
                let command = &self.store.plans[plan.0].plan.commands()[index];
                command.args.iter().filter(|arg| arg.writes).map(|arg| arg.tensor).collect()
            };
            for tensor in written {
                let buffer = self.store.plans[plan.0].buffers[tensor.index()].clone();
                let values = self.read_tensor(&buffer)?;
                let own = &self.store.plans[plan.0].plan;
                if !observer(&own.commands()[index], own.tensor(tensor), &values) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn wait(&mut self) -> Result<(), ExecError> {
        while !self.in_flight.is_empty() {
            self.wait_for_oldest()?;
        }
        match self.gpu.lost() {
            Some(reason) => Err(self.device_error("waiting for the device", reason)),
            None => Ok(()),
        }
    }

    fn write(&mut self, name: &str, values: &[f32]) -> Result<(), ExecError> {
        let buffer = self.store.named(name, DType::F32, "f32")?;
        self.write_words(&buffer, bytemuck::cast_slice(values))
    }

    fn write_index(&mut self, name: &str, values: &[u32]) -> Result<(), ExecError> {
        let buffer = self.store.named(name, DType::U32, "u32")?;
        self.write_words(&buffer, values)
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, ExecError> {
        let buffer = self.store.named(name, DType::F32, "f32")?;
        self.read_tensor(&buffer)
    }

    fn read_index(&mut self, name: &str) -> Result<Vec<u32>, ExecError> {
        let buffer = self.store.named(name, DType::U32, "u32")?;
        self.read_words(&buffer, self.store.guard(), buffer.len)
    }

    fn read_output(&mut self, plan: Loaded, name: &str) -> Result<Vec<f32>, ExecError> {
        let buffer = self.store.locate(Some(plan), name)?.clone();
        self.read_tensor(&buffer)
    }

    fn time(&mut self, plan: Loaded, command: usize, times: usize) -> Result<Time, ExecError> {
        self.time_command(plan, command, times)
    }

    fn device(&self) -> String {
        self.gpu.title().to_owned()
    }
}

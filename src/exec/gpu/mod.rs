//! The GPU device: plans become buffers, bind groups and dispatches.

mod memory;
mod time;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Instant;

use memory::Buffer;

use super::pace::{self, Pace};
use super::{ExecError, Loaded, Observer, Session, Time};
use crate::gpu::Gpu;
use crate::plan::{Arg, Plan};
use crate::shader::DType;

/// Submissions queued before the oldest one is waited for.
const IN_FLIGHT: usize = 3;
/// How a session allocates.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// For tests: every tensor starts as NaN and stands between guard words; see [`GpuSession::broken_guards`].
    pub guards: bool,
}

struct Dispatch {
    pipeline: std::sync::Arc<crate::gpu::Pipeline>,
    bindings: wgpu::BindGroup,
    grid: [u32; 3],
    cost: f64,
}

struct LoadedPlan {
    plan: Plan,
    dispatches: Vec<Dispatch>,
    /// The buffer of each tensor; activations share some.
    buffers: Vec<Buffer>,
}

struct Submitted {
    index: wgpu::SubmissionIndex,
    at: Instant,
    cost: f64,
}

/// A session on a wgpu device.
pub struct GpuSession {
    gpu: Rc<Gpu>,
    options: Options,
    persistent: HashMap<String, Buffer>,
    plans: Vec<LoadedPlan>,
    pace: Pace,
    in_flight: VecDeque<Submitted>,
    last_done: Option<Instant>,
}

impl GpuSession {
    /// An empty session on a device.
    pub fn new(gpu: Rc<Gpu>, options: Options) -> Self {
        Self {
            gpu,
            options,
            persistent: HashMap::new(),
            plans: Vec::new(),
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
            None if message.to_lowercase().contains("lost") => {
                ExecError::DeviceLost { device, doing, reason: message }
            }
            None => ExecError::Device { device, doing, message },
        }
    }

    /// Runs `work` inside error scopes of our own, so that no error reaches a host's handler.
    fn guarded<T>(&mut self, doing: &str, work: impl FnOnce(&mut Self) -> T) -> Result<T, ExecError> {
        let device = self.gpu.device().clone();
        let memory = device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = work(self);
        // Popped in reverse; on native targets the answers are there at once.
        let validation = pollster::block_on(validation.pop());
        let internal = pollster::block_on(internal.pop());
        let memory = pollster::block_on(memory.pop());
        // Memory first: what was not allocated fails validation afterwards.
        if let Some(error) = memory {
            return Err(match self.device_error(doing, error.to_string()) {
                lost @ ExecError::DeviceLost { .. } => lost,
                _ => ExecError::OutOfMemory { device: self.gpu.title().to_owned(), doing: doing.to_owned() },
            });
        }
        if let Some(error) = validation.or(internal) {
            return Err(self.device_error(doing, error.to_string()));
        }
        match self.gpu.lost() {
            Some(reason) => Err(self.device_error(doing, reason)),
            None => Ok(result),
        }
    }

    fn prepare(&mut self, plan: &Plan) -> Result<LoadedPlan, ExecError> {
        let layout = plan.layout();
        let mut buffers = Vec::with_capacity(plan.tensors().len());
        let mut slots: HashMap<usize, Buffer> = HashMap::new();
        for (tensor, slot) in plan.tensors().iter().zip(&layout.slot_of) {
            let len = tensor.len();
            let buffer = match *slot {
                // Guard words stand around a tensor, so under guards no two tensors share a buffer.
                Some(slot) if !self.options.guards => {
                    let whole = (layout.slots[slot] / 4) as usize;
                    let shared = slots.entry(slot).or_insert_with(|| {
                        let name = format!("{} slot {slot}", plan.name());
                        self.create_buffer(&name, tensor.dtype, whole)
                    });
                    Buffer { gpu: shared.gpu.clone(), name: tensor.name.clone(), len, dtype: tensor.dtype }
                }
                Some(_) => self.create_buffer(&tensor.name, tensor.dtype, len),
                None => match self.persistent.get(&tensor.name) {
                    Some(buffer) if buffer.len != len => {
                        return Err(ExecError::Disagreement {
                            name: tensor.name.clone(),
                            plan: plan.name().to_owned(),
                            expected: buffer.len,
                            found: len,
                        });
                    }
                    Some(buffer) => buffer.clone(),
                    None => {
                        let buffer = self.create_buffer(&tensor.name, tensor.dtype, len);
                        self.persistent.insert(tensor.name.clone(), buffer.clone());
                        buffer
                    }
                },
            };
            buffers.push(buffer);
        }

        let device = self.gpu.device();
        let alignment = u64::from(device.limits().min_uniform_buffer_offset_alignment).max(16);
        let stride = |bytes: usize| (bytes as u64).max(1).next_multiple_of(alignment);
        let total: u64 = plan.commands().iter().map(|command| stride(command.params.len())).sum();
        let mut uniforms = vec![0u8; total as usize];
        let uniform_buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(&format!("{} uniforms", plan.name())),
            size: total.max(alignment),
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut dispatches = Vec::with_capacity(plan.commands().len());
        let mut offset = 0;
        for command in plan.commands() {
            let at = offset as usize;
            uniforms[at..at + command.params.len()].copy_from_slice(&command.params);
            let size = wgpu::BufferSize::new((command.params.len() as u64).next_multiple_of(16));
            let pipeline = self.gpu.pipeline(command.shader);
            let mut entries = vec![wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &uniform_buffer,
                    offset,
                    size,
                }),
            }];
            for (i, Arg { tensor, .. }) in command.args.iter().enumerate() {
                let buffer = &buffers[tensor.index()];
                entries.push(wgpu::BindGroupEntry {
                    binding: i as u32 + 1,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: &buffer.gpu,
                        offset: self.guard(),
                        size: wgpu::BufferSize::new(buffer.len as u64 * 4),
                    }),
                });
            }
            let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(&command.label),
                layout: &pipeline.layout,
                entries: &entries,
            });
            offset += stride(command.params.len());
            let (grid, cost) = (command.grid, pace::cost(plan, command));
            dispatches.push(Dispatch { pipeline, bindings, grid, cost });
        }
        self.gpu.queue().write_buffer(&uniform_buffer, 0, &uniforms);
        Ok(LoadedPlan { plan: plan.clone(), dispatches, buffers })
    }

    /// Submits the dispatches of one range of a plan, repeated or partial, as one command buffer.
    fn submit(&mut self, plan: Loaded, pieces: &[std::ops::Range<usize>]) -> Result<(), ExecError> {
        let mut cost = 0.0;
        let index = self.guarded("submitting work", |this| {
            let loaded = &this.plans[plan.0];
            let mut encoder = this
                .gpu
                .device()
                .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(loaded.plan.name()) });
            {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some(loaded.plan.name()),
                    timestamp_writes: None,
                });
                for dispatch in pieces.iter().flat_map(|piece| &loaded.dispatches[piece.clone()]) {
                    pass.set_pipeline(&dispatch.pipeline.compute);
                    pass.set_bind_group(0, &dispatch.bindings, &[]);
                    let [x, y, z] = dispatch.grid;
                    pass.dispatch_workgroups(x, y, z);
                    cost += dispatch.cost;
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
        plan.check(&self.gpu.limits())?;
        let doing = format!("preparing plan `{}`", plan.name());
        let loaded = self.guarded(&doing, |this| this.prepare(plan))??;
        self.plans.push(loaded);
        Ok(Loaded(self.plans.len() - 1))
    }

    fn run(&mut self, plan: Loaded, times: usize) -> Result<(), ExecError> {
        let mut pieces = Vec::new();
        let mut units = 0.0;
        for _ in 0..times {
            let count = self.plans[plan.0].dispatches.len();
            let mut from = 0;
            for index in 0..count {
                units += self.plans[plan.0].dispatches[index].cost;
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
        for index in 0..self.plans[plan.0].dispatches.len() {
            self.submit(plan, std::slice::from_ref(&(index..index + 1)))?;
            let written: Vec<_> = {
                let command = &self.plans[plan.0].plan.commands()[index];
                command.args.iter().filter(|arg| arg.writes).map(|arg| arg.tensor).collect()
            };
            for tensor in written {
                let buffer = self.plans[plan.0].buffers[tensor.index()].clone();
                let values = self.read_tensor(&buffer)?;
                let own = &self.plans[plan.0].plan;
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
        let buffer = self.named(name, DType::F32, "f32")?;
        self.write_words(&buffer, bytemuck::cast_slice(values))
    }

    fn write_index(&mut self, name: &str, values: &[u32]) -> Result<(), ExecError> {
        let buffer = self.named(name, DType::U32, "u32")?;
        self.write_words(&buffer, values)
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, ExecError> {
        let buffer = self.named(name, DType::F32, "f32")?;
        self.read_tensor(&buffer)
    }

    fn read_index(&mut self, name: &str) -> Result<Vec<u32>, ExecError> {
        let buffer = self.named(name, DType::U32, "u32")?;
        self.read_words(&buffer, self.guard(), buffer.len)
    }

    fn read_output(&mut self, plan: Loaded, name: &str) -> Result<Vec<f32>, ExecError> {
        let loaded = &self.plans[plan.0];
        let buffer = loaded
            .plan
            .find(name)
            .map(|id| loaded.buffers[id.index()].clone())
            .ok_or_else(|| ExecError::UnknownTensor { name: name.to_owned(), wanted: "f32" })?;
        self.read_tensor(&buffer)
    }

    fn time(&mut self, plan: Loaded, command: usize, times: usize) -> Result<Time, ExecError> {
        self.time_command(plan, command, times)
    }

    fn device(&self) -> String {
        self.gpu.title().to_owned()
    }
}

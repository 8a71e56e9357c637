//! Plans on a device: their buffers, bind groups and dispatches. Submits nothing and waits for nothing.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::memory::Buffer;
use crate::exec::{ExecError, Loaded, pace};
use crate::gpu::{Gpu, Pipeline};
use crate::plan::{Arg, Plan};

pub(crate) struct Dispatch {
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) bindings: wgpu::BindGroup,
    pub(super) grid: [u32; 3],
    pub(super) cost: f64,
}

pub(crate) struct LoadedPlan {
    pub(super) plan: Plan,
    pub(super) dispatches: Vec<Dispatch>,
    /// The buffer of each tensor; activations share some.
    pub(super) buffers: Vec<Buffer>,
}

/// Tensors by name, and plans over them. Every method that makes something belongs inside error scopes.
#[derive(Default)]
pub(crate) struct Store {
    /// Every tensor starts as NaN and stands between guard words.
    pub(super) guards: bool,
    pub(super) persistent: HashMap<String, Buffer>,
    pub(super) plans: Vec<LoadedPlan>,
}

impl Store {
    /// Allocates what the plan needs beyond the persistent tensors that are there, and binds its commands.
    pub(crate) fn load(&mut self, gpu: &Gpu, plan: &Plan) -> Result<Loaded, ExecError> {
        let buffers = self.allocate(gpu, plan)?;
        let dispatches = self.bind(gpu, plan, &buffers);
        self.plans.push(LoadedPlan { plan: plan.clone(), dispatches, buffers });
        Ok(Loaded(self.plans.len() - 1))
    }

    fn allocate(&mut self, gpu: &Gpu, plan: &Plan) -> Result<Vec<Buffer>, ExecError> {
        let layout = plan.layout();
        let mut buffers = Vec::with_capacity(plan.tensors().len());
        let mut slots: HashMap<usize, Buffer> = HashMap::new();
        for (tensor, slot) in plan.tensors().iter().zip(&layout.slot_of) {
            let len = tensor.len();
            let buffer = match *slot {
                // Guard words stand around a tensor, so under guards no two tensors share a buffer.
                Some(slot) if !self.guards => {
                    let whole = (layout.slots[slot] / 4) as usize;
                    let shared = slots.entry(slot).or_insert_with(|| {
                        let name = format!("{} slot {slot}", plan.name());
                        self.create_buffer(gpu, &name, tensor.dtype, whole)
                    });
                    Buffer { gpu: shared.gpu.clone(), name: tensor.name.clone(), len, dtype: tensor.dtype }
                }
                Some(_) => self.create_buffer(gpu, &tensor.name, tensor.dtype, len),
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
                        let buffer = self.create_buffer(gpu, &tensor.name, tensor.dtype, len);
                        self.persistent.insert(tensor.name.clone(), buffer.clone());
                        buffer
                    }
                },
            };
            buffers.push(buffer);
        }
        Ok(buffers)
    }

    fn bind(&self, gpu: &Gpu, plan: &Plan, buffers: &[Buffer]) -> Vec<Dispatch> {
        let device = gpu.device();
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
            let pipeline = gpu.pipeline(command.shader);
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
        gpu.queue().write_buffer(&uniform_buffer, 0, &uniforms);
        dispatches
    }

    /// The plan that was loaded.
    pub(crate) fn plan(&self, plan: Loaded) -> &Plan {
        &self.plans[plan.0].plan
    }

    /// Cost of each command of a plan, in the units of [`pace::cost`].
    pub(crate) fn costs(&self, plan: Loaded) -> impl Iterator<Item = f64> {
        self.plans[plan.0].dispatches.iter().map(|dispatch| dispatch.cost)
    }

    /// Records a range of a plan's commands into a pass; returns their cost.
    pub(crate) fn encode(&self, pass: &mut wgpu::ComputePass<'_>, plan: Loaded, range: Range<usize>) -> f64 {
        let mut cost = 0.0;
        for dispatch in &self.plans[plan.0].dispatches[range] {
            pass.set_pipeline(&dispatch.pipeline.compute);
            pass.set_bind_group(0, &dispatch.bindings, &[]);
            let [x, y, z] = dispatch.grid;
            pass.dispatch_workgroups(x, y, z);
            cost += dispatch.cost;
        }
        cost
    }

    /// The buffer of a persistent tensor, or of an output of that plan.
    pub(crate) fn locate(&self, plan: Option<Loaded>, name: &str) -> Result<&Buffer, ExecError> {
        let output = || {
            let loaded = &self.plans[plan?.0];
            loaded.plan.find(name).map(|id| &loaded.buffers[id.index()])
        };
        self.persistent
            .get(name)
            .or_else(output)
            .ok_or_else(|| ExecError::UnknownTensor { name: name.to_owned(), wanted: "f32 or u32" })
    }

    /// Makes a persistent tensor known under a second name: plans loaded from now on that use the name share its buffer.
    pub(crate) fn alias(&mut self, name: &str, as_name: &str) -> Result<(), ExecError> {
        let buffer = self.locate(None, name)?.clone();
        self.persistent.insert(as_name.to_owned(), buffer);
        Ok(())
    }
}

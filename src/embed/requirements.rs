//! What a device must have, known before it is made.

use super::recorded::Recorded;
use super::{EmbedError, Setup};
use crate::model::Network;
use crate::plan::{Command, Target};

/// What a host asks the adapter for: `features | (welcome & adapter.features())`, and `limits`.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirements {
    /// Features without which nothing runs: none.
    pub features: wgpu::Features,
    /// Features that make some kernels faster; ask for those of them that the adapter has.
    pub welcome: wgpu::Features,
    /// Limits; every adapter that knows WebGPU has those of [`requirements`].
    pub limits: wgpu::Limits,
}

/// What a device must have for any setup; [`Setup::requirements`] knows those of a certain one.
pub fn requirements() -> Requirements {
    Requirements {
        features: wgpu::Features::empty(),
        welcome: wgpu::Features::SUBGROUP,
        limits: wgpu::Limits::default(),
    }
}

/// Something that a device lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name of the limit, as wgpu calls it.
    pub name: &'static str,
    /// What is needed.
    pub needed: u64,
    /// What there is.
    pub found: u64,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} (it has {})", self.name, self.needed, self.found)
    }
}

impl Missing {
    fn new(name: &'static str, needed: u64, found: u64) -> Self {
        Self { name, needed, found }
    }
}

impl Requirements {
    /// WebGPU's default limits, raised to what a setup takes on a device of which nothing is known.
    pub(super) fn of(setup: &Setup, network: &Network) -> Result<Self, EmbedError> {
        let mut found = requirements();
        for Missing { name, needed, .. } in needs(&Recorded::new(setup, network, Target::PLAIN)?) {
            let limits = &mut found.limits;
            match name {
                "max_buffer_size" => limits.max_buffer_size = limits.max_buffer_size.max(needed),
                "max_storage_buffer_binding_size" => {
                    limits.max_storage_buffer_binding_size =
                        limits.max_storage_buffer_binding_size.max(needed);
                }
                // No kernel needs more than the defaults of the others: a test of the table of kernels holds that.
                _ => {}
            }
        }
        Ok(found)
    }
}

/// What the plans take, each with a found of 0.
fn needs(recorded: &Recorded) -> Vec<Missing> {
    let commands = || recorded.plans.iter().flat_map(|plan| plan.commands());
    let most = |of: fn(&Command) -> u64| commands().map(of).max().unwrap_or(0);
    let slots = recorded.plans.iter().flat_map(|plan| plan.layout().slots);
    let tensors = recorded.plans.iter().flat_map(|plan| plan.tensors()).map(|tensor| tensor.bytes());
    let largest = tensors.chain(slots).max().unwrap_or(0);
    let size_x = most(|command| u64::from(command.shader.workgroup_size[0]));
    [
        ("max_bind_groups", 1),
        ("max_buffer_size", largest),
        ("max_storage_buffer_binding_size", largest),
        ("max_storage_buffers_per_shader_stage", most(|command| command.args.len() as u64)),
        ("max_compute_invocations_per_workgroup", most(|command| u64::from(command.shader.invocations()))),
        ("max_compute_workgroup_size_x", size_x),
        ("max_compute_workgroup_storage_size", most(|command| u64::from(command.shader.workgroup_bytes))),
        (
            "max_compute_workgroups_per_dimension",
            most(|command| command.grid.iter().copied().map(u64::from).max().unwrap_or(0)),
        ),
    ]
    .map(|(name, needed)| Missing::new(name, needed, 0))
    .to_vec()
}

/// What a device lacks of what these plans, recorded for it, take.
pub(super) fn missing(device: &wgpu::Device, recorded: &Recorded) -> Vec<Missing> {
    let limits = device.limits();
    let found = |name| match name {
        "max_bind_groups" => u64::from(limits.max_bind_groups),
        "max_buffer_size" => limits.max_buffer_size,
        "max_storage_buffer_binding_size" => limits.max_storage_buffer_binding_size,
        "max_storage_buffers_per_shader_stage" => u64::from(limits.max_storage_buffers_per_shader_stage),
        "max_compute_invocations_per_workgroup" => u64::from(limits.max_compute_invocations_per_workgroup),
        "max_compute_workgroup_size_x" => u64::from(limits.max_compute_workgroup_size_x),
        "max_compute_workgroup_storage_size" => u64::from(limits.max_compute_workgroup_storage_size),
        _ => u64::from(limits.max_compute_workgroups_per_dimension),
    };
    needs(recorded)
        .into_iter()
        .map(|need| Missing { found: found(need.name), ..need })
        .filter(|need| need.found < need.needed)
        .collect()
}

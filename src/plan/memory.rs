//! The memory of a plan, laid out before anything is allocated.
//!
//! Each persistent tensor has a buffer of its own. Activations share slots: a slot is free again after the last
//! command that touches its tensor. A slot is a buffer, so no dispatch ever binds one buffer both for reading
//! and for writing, which WebGPU forbids.

use super::{DeviceClass, Plan, PlanError, Role, Target};

/// The limits of a device that a plan must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one storage binding.
    pub storage_binding_bytes: u64,
    /// Bytes of one buffer.
    pub buffer_bytes: u64,
    /// Storage buffers that one dispatch may bind.
    pub storage_buffers: u64,
    /// Invocations of one workgroup.
    pub invocations: u64,
    /// Workgroups per dimension.
    pub workgroups: u64,
    /// What the device can do beyond what every device can.
    pub target: Target,
}

impl Limits {
    /// For a device without limits of its own, such as the CPU.
    pub const NONE: Limits = Limits {
        storage_binding_bytes: u64::MAX,
        buffer_bytes: u64::MAX,
        storage_buffers: u64::MAX,
        invocations: u64::MAX,
        workgroups: u64::MAX,
        target: Target::PLAIN,
    };
}

/// Where the tensors of a plan lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// For each tensor its slot; `None` for persistent tensors, which a session keeps by name.
    pub slot_of: Vec<Option<usize>>,
    /// Bytes of each slot.
    pub slots: Vec<u64>,
    /// Bytes of all persistent tensors.
    pub persistent_bytes: u64,
}

impl Layout {
    /// Bytes of all slots.
    pub fn slot_bytes(&self) -> u64 {
        self.slots.iter().sum()
    }

    /// Bytes of everything.
    pub fn total_bytes(&self) -> u64 {
        self.slot_bytes() + self.persistent_bytes
    }
}

pub(super) fn lay_out(plan: &Plan) -> Layout {
    let count = plan.tensors().len();
    let mut last_use = vec![None; count];
    for (i, command) in plan.commands().iter().enumerate() {
        for arg in &command.args {
            last_use[arg.tensor.index()] = Some(i);
        }
    }

    let mut slot_of = vec![None; count];
    let mut slots: Vec<u64> = Vec::new();
    let mut free: Vec<usize> = Vec::new();
    let mut persistent_bytes = 0;
    for (i, tensor) in plan.tensors().iter().enumerate() {
        if tensor.role.is_persistent() {
            persistent_bytes += tensor.bytes();
        } else if tensor.role == Role::Output {
            slot_of[i] = Some(slots.len());
            slots.push(tensor.bytes());
        }
    }

    for (i, command) in plan.commands().iter().enumerate() {
        for arg in &command.args {
            let t = arg.tensor.index();
            let tensor = &plan.tensors()[t];
            if tensor.role != Role::Activation || slot_of[t].is_some() {
                continue;
            }
            // The free slot that wastes or grows least.
            let need = tensor.bytes();
            let best = free.iter().enumerate().min_by_key(|&(_, &slot)| slots[slot].abs_diff(need));
            let slot = match best.map(|(position, _)| position) {
                Some(position) => free.swap_remove(position),
                None => {
                    slots.push(0);
                    slots.len() - 1
                }
            };
            slots[slot] = slots[slot].max(need);
            slot_of[t] = Some(slot);
        }
        // Freed only once the whole command is placed: its arguments never share a slot.
        let mut done: Vec<usize> = command.args.iter().map(|arg| arg.tensor.index()).collect();
        done.sort_unstable();
        done.dedup();
        for t in done {
            if plan.tensors()[t].role == Role::Activation && last_use[t] == Some(i) {
                free.extend(slot_of[t]);
            }
        }
    }
    Layout { slot_of, slots, persistent_bytes }
}

pub(super) fn check(plan: &Plan, limits: &Limits) -> Result<(), PlanError> {
    let exceeds = |what: String, limit, needed, allowed, unit, remedy| {
        if needed > allowed {
            Err(PlanError::Limit { what, limit, needed, allowed, unit, remedy })
        } else {
            Ok(())
        }
    };
    const SMALLER: &str = "use a smaller batch (--batch), fewer replicas or smaller pictures (--size)";
    for tensor in plan.tensors() {
        let what = || format!("tensor `{}` {:?}", tensor.name, tensor.dims);
        exceeds(
            what(),
            "max_storage_buffer_binding_size",
            tensor.bytes(),
            limits.storage_binding_bytes,
            "bytes",
            SMALLER,
        )?;
        exceeds(what(), "max_buffer_size", tensor.bytes(), limits.buffer_bytes, "bytes", SMALLER)?;
    }
    const OTHER: &str = "this adapter cannot run it: use --device cpu or another adapter";
    for command in plan.commands() {
        let what = || format!("{} ({})", command.label, command.shader.kernel);
        exceeds(
            what(),
            "max_storage_buffers_per_shader_stage",
            command.args.len() as u64,
            limits.storage_buffers,
            "storage buffers",
            OTHER,
        )?;
        exceeds(
            what(),
            "max_compute_invocations_per_workgroup",
            u64::from(command.shader.invocations()),
            limits.invocations,
            "invocations",
            OTHER,
        )?;
        // The CPU runs the same twin for every variant.
        if limits.target.class != DeviceClass::Plain && !limits.target.runs(command.shader) {
            return Err(PlanError::Unsupported {
                label: command.label.clone(),
                kernel: format!("{} ({})", command.shader.kernel, command.shader.variant),
            });
        }
        for groups in command.grid {
            exceeds(
                what(),
                "max_compute_workgroups_per_dimension",
                u64::from(groups),
                limits.workgroups,
                "workgroups",
                SMALLER,
            )?;
        }
    }
    Ok(())
}

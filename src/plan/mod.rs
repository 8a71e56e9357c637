//! A step as data: an inert list of named commands over named tensors.
//!
//! Building a plan touches no device. A plan can be printed, counted, checked against limits and laid out in
//! memory; [`crate::exec`] runs it, on a GPU or with the CPU twins.

mod command;
mod error;
pub mod grid;
mod memory;
mod table;
mod tensor;
mod variants;

use std::collections::HashMap;

pub use crate::shader::{DeviceClass, Target};
pub use command::{Arg, Command, Record, Work};
pub use error::PlanError;
pub use memory::{Layout, Limits};
pub(crate) use table::show_bytes;
pub use tensor::{Part, Role, Tensor, TensorId};
pub use variants::Variants;

use crate::shader::{self, DType, Shader};

/// Loop iterations that one invocation may take, over all the loops of its kernel. Mesa's lavapipe 22.3.6
/// silently stops at 65,535; an operation that needs more is split into slices.
pub const MAX_ITERATIONS: u64 = 60_000;

/// A recorded stage: tensors and the commands over them, in order.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    name: String,
    tensors: Vec<Tensor>,
    commands: Vec<Command>,
    by_name: HashMap<String, TensorId>,
    variants: Variants,
    chosen: Variants,
    choices: Vec<Choice>,
}

/// A choice that a plan made among variants, by shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Kernel, variants that fitted, and shape: a key of [`Variants`].
    pub key: String,
    /// The kernel.
    pub kernel: &'static str,
    /// The variants that fit and that the device has, best first by default.
    pub fitting: Vec<&'static str>,
    /// The one taken.
    pub chosen: &'static str,
    /// The command that runs it, as an index into [`Plan::commands`].
    pub command: usize,
}

impl Plan {
    /// An empty plan.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The same, with wanted kernel variants: those of an earlier run, or a fallback to be forced.
    pub fn with_variants(name: impl Into<String>, variants: &Variants) -> Self {
        Self { name: name.into(), variants: variants.clone(), ..Self::default() }
    }

    /// The name given to [`Plan::new`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every tensor; a [`TensorId`] is an index into this list.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Every command, in the order of execution.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The tensor behind an id of this plan.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// The dimensions of a tensor of this plan.
    pub fn dims(&self, id: TensorId) -> &[usize] {
        &self.tensors[id.index()].dims
    }

    /// The tensor of that name.
    pub fn find(&self, name: &str) -> Option<TensorId> {
        self.by_name.get(name).copied()
    }

    /// Adds a tensor. A name that is there already gives the tensor there, if dims, type and role agree.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        dims: &[usize],
        dtype: DType,
        role: Role,
    ) -> Result<TensorId, PlanError> {
        let name = name.into();
        if let Some(id) = self.find(&name) {
            let old = self.tensor(id);
            if old.dims != dims || old.dtype != dtype || old.role != role {
                return Err(PlanError::Redefined {
                    tensor: name,
                    old: format!("{:?} {:?} {:?}", old.dims, old.dtype, old.role),
                    new: format!("{dims:?} {dtype:?} {role:?}"),
                });
            }
            return Ok(id);
        }
        if dims.contains(&0) {
            return Err(PlanError::EmptyTensor { tensor: name, dims: dims.to_vec() });
        }
        let id = TensorId::new(self.tensors.len());
        self.by_name.insert(name.clone(), id);
        self.tensors.push(Tensor { name, dims: dims.to_vec(), dtype, role });
        Ok(id)
    }

    /// Adds a float tensor that lives within this plan only.
    pub fn activation(&mut self, name: impl Into<String>, dims: &[usize]) -> Result<TensorId, PlanError> {
        self.add(name, dims, DType::F32, Role::Activation)
    }

    /// Gives a tensor other dimensions over the same elements; commands recorded before keep theirs.
    pub fn reshape(&mut self, id: TensorId, dims: &[usize]) -> Result<(), PlanError> {
        let tensor = &mut self.tensors[id.index()];
        if tensor.len() != dims.iter().product::<usize>() {
            return Err(PlanError::Shape {
                op: "reshape".to_owned(),
                tensor: tensor.name.clone(),
                found: tensor.dims.clone(),
                expected: format!("as many elements as {dims:?}"),
            });
        }
        tensor.dims = dims.to_vec();
        Ok(())
    }

    /// Makes an activation an [`Role::Output`] of that name: readable after the run.
    pub fn promote(&mut self, id: TensorId, name: &str) -> Result<(), PlanError> {
        if self.by_name.contains_key(name) {
            return Err(PlanError::Settings {
                op: format!("output `{name}`"),
                message: "the plan has a tensor of that name already".to_owned(),
            });
        }
        let tensor = &mut self.tensors[id.index()];
        self.by_name.remove(&tensor.name);
        tensor.name = name.to_owned();
        tensor.role = Role::Output;
        self.by_name.insert(tensor.name.clone(), id);
        Ok(())
    }

    /// A name that no tensor has yet: `stem`, or `stem#2`, `stem#3` …
    pub fn fresh_name(&self, stem: &str) -> String {
        let mut name = stem.to_owned();
        let mut count = 1;
        while self.by_name.contains_key(&name) {
            count += 1;
            name = format!("{stem}#{count}");
        }
        name
    }

    /// What the device of the plan can run.
    pub fn target(&self) -> Target {
        self.variants.target()
    }

    /// The variant that a kernel shall run: the wanted one if it is among those that fit and that the device has, else
    /// the first of these. `fitting` holds `(variant, fits)`, best first; one of them must fit every shape and run
    /// everywhere.
    pub fn choose(
        &mut self,
        kernel: &'static str,
        fitting: &[(&'static str, bool)],
    ) -> Result<&'static Shader, PlanError> {
        self.choose_for(kernel, fitting, "")
    }

    /// The same for a kernel whose best variant depends on the shape, in words: every number but that of the replicas.
    pub fn choose_for(
        &mut self,
        kernel: &'static str,
        fitting: &[(&'static str, bool)],
        shape: &str,
    ) -> Result<&'static Shader, PlanError> {
        let target = self.target();
        let fits: Vec<&'static str> = fitting
            .iter()
            .filter(|(name, fits)| *fits && shader::find_for(kernel, name, target).is_some())
            .map(|(name, _)| *name)
            .collect();
        let variant = self.variants.choose(kernel, &fits, shape);
        let found = variant.and_then(|variant| shader::find_for(kernel, variant, target));
        if let Some(variant) = variant
            && fitting.len() > 1
        {
            let key = variants::key(kernel, &fits, shape);
            self.chosen.insert(key.clone(), variant);
            if !shape.is_empty() {
                let command = self.commands.len();
                self.choices.push(Choice { key, kernel, fitting: fits, chosen: variant, command });
            }
        }
        found.ok_or_else(|| PlanError::UnknownKernel { kernel: kernel.to_owned() })
    }

    /// The shader of a kernel that has one variant only.
    pub fn direct(&mut self, kernel: &'static str) -> Result<&'static Shader, PlanError> {
        self.choose(kernel, &[("direct", true)])
    }

    /// Every choice that was made, by kernel and the variants that fitted: what a run records so that its resumption
    /// makes the same ones.
    pub fn variants_used(&self) -> Variants {
        self.chosen.clone()
    }

    /// The choices made by shape, in order.
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    /// The commands of one choice by themselves, a plan of their tensors alone: what a tuner times. All tensors are data,
    /// so that none shares memory with another.
    pub fn excerpt(&self, choice: &Choice) -> Result<Plan, PlanError> {
        let mut plan = Plan::with_variants(choice.key.clone(), &self.variants);
        let label = self.commands.get(choice.command).map_or("", |command| command.label.as_str());
        let sum = format!("{label} sum");
        for (i, command) in self.commands.iter().enumerate().skip(choice.command) {
            if i > choice.command && command.label != sum {
                break;
            }
            let mut command = command.clone();
            for arg in &mut command.args {
                let tensor = self.tensor(arg.tensor);
                arg.tensor = plan.add(tensor.name.clone(), &tensor.dims, tensor.dtype, Role::Data)?;
            }
            plan.commands.push(command);
        }
        Ok(plan)
    }

    /// Appends a command; [`Record`] builds it.
    pub fn record(&mut self, record: Record) -> Result<(), PlanError> {
        let command = record.finish(self)?;
        self.commands.push(command);
        Ok(())
    }

    /// Appends another plan's commands, their labels under the other plan's name. Persistent tensors of the same name
    /// become one; activations stay apart.
    pub fn append(&mut self, other: &Plan) -> Result<(), PlanError> {
        let mut map = Vec::with_capacity(other.tensors.len());
        for tensor in &other.tensors {
            let name = match tensor.role {
                Role::Activation => self.fresh_name(&tensor.name),
                _ => tensor.name.clone(),
            };
            map.push(self.add(name, &tensor.dims, tensor.dtype, tensor.role)?);
        }
        self.chosen.extend(other.chosen.clone());
        let before = self.commands.len();
        self.choices.extend(
            other.choices.iter().map(|choice| Choice { command: before + choice.command, ..choice.clone() }),
        );
        for command in &other.commands {
            let mut command = command.clone();
            command.label = format!("{}: {}", other.name, command.label);
            for arg in &mut command.args {
                arg.tensor = map[arg.tensor.index()];
            }
            self.commands.push(command);
        }
        Ok(())
    }

    /// Every tensor that some command writes.
    pub fn written(&self) -> Vec<TensorId> {
        let mut written: Vec<TensorId> = self
            .commands
            .iter()
            .flat_map(|command| command.args.iter().filter(|arg| arg.writes).map(|arg| arg.tensor))
            .collect();
        written.sort_unstable();
        written.dedup();
        written
    }

    /// Floating-point operations of one run, multiply and add counted as two.
    pub fn flops(&self) -> u64 {
        self.commands.iter().map(|command| command.flops).sum()
    }

    /// Bytes that one run reads and writes, each argument of each command counted once.
    pub fn bytes(&self) -> u64 {
        self.commands.iter().map(|command| command.bytes(self)).sum()
    }

    /// Where every tensor lies: see [`Layout`].
    pub fn layout(&self) -> Layout {
        memory::lay_out(self)
    }

    /// Checks the plan against a device's limits; the error says which limit, by how much, and what to change.
    pub fn check(&self, limits: &Limits) -> Result<(), PlanError> {
        memory::check(self, limits)
    }

    /// The plan as a table of commands and a table of memory, for people.
    pub fn table(&self) -> String {
        table::render(self)
    }
}

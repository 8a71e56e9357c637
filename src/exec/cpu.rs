//! The CPU device: the same plans, run by the twins.

use std::collections::HashMap;

use super::{ExecError, Loaded, Observer, Session, Time};
use crate::cpu::{ArgError, Args, Host, MOST, Real, Slice, parallel};
use crate::kernels;
use crate::plan::{Command, Plan};
use crate::shader::DType;
use crate::time::Instant;

type Twin<T> = fn(&mut Args<T>) -> Result<(), ArgError>;

/// Picks the twin of its own float type from a row of the table.
pub trait TwinOf: Real {
    /// The twin of that kernel.
    fn twin(kernel: &kernels::Kernel) -> Twin<Self>;
}

impl TwinOf for f32 {
    fn twin(kernel: &kernels::Kernel) -> Twin<f32> {
        kernel.twin_f32
    }
}

impl TwinOf for f64 {
    fn twin(kernel: &kernels::Kernel) -> Twin<f64> {
        kernel.twin_f64
    }
}

struct LoadedPlan<T> {
    plan: Plan,
    twins: Vec<Twin<T>>,
    /// Where each tensor lies in `CpuSession::memory`.
    place: Vec<usize>,
}

/// A session in host memory: f32 as a device, f64 as the oracle.
pub struct CpuSession<T> {
    memory: Vec<Host<T>>,
    by_name: HashMap<String, usize>,
    plans: Vec<LoadedPlan<T>>,
}

impl<T: TwinOf> Default for CpuSession<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: TwinOf> CpuSession<T> {
    /// An empty session.
    pub fn new() -> Self {
        Self { memory: Vec::new(), by_name: HashMap::new(), plans: Vec::new() }
    }

    /// Reads a persistent tensor or an output of a plan without rounding to f32.
    pub fn read_real(&self, plan: Loaded, name: &str) -> Result<Vec<T>, ExecError> {
        match &self.memory[self.locate(plan, name)?] {
            Host::Real(values) => Ok(values.clone()),
            Host::Index(_) => Err(unknown(name, "f32")),
        }
    }

    /// Overwrites a persistent float tensor with values that need not be f32.
    pub fn write_real(&mut self, name: &str, values: &[T]) -> Result<(), ExecError> {
        match self.persistent(name)? {
            Host::Real(own) => copy(name, own, values),
            Host::Index(_) => Err(unknown(name, "f32")),
        }
    }

    fn persistent(&mut self, name: &str) -> Result<&mut Host<T>, ExecError> {
        let place = self.by_name.get(name).ok_or_else(|| unknown(name, "f32 or u32"))?;
        Ok(&mut self.memory[*place])
    }

    fn locate(&self, plan: Loaded, name: &str) -> Result<usize, ExecError> {
        if let Some(&place) = self.by_name.get(name) {
            return Ok(place);
        }
        let loaded = &self.plans[plan.0];
        loaded.plan.find(name).map(|id| loaded.place[id.index()]).ok_or_else(|| unknown(name, "f32"))
    }

    fn allocate(&mut self, name: &str, dtype: DType, len: usize) -> Result<usize, ExecError> {
        let mut probe: Vec<u8> = Vec::new();
        let bytes = len as u64 * size_of::<T>() as u64;
        let room = usize::try_from(bytes).ok().and_then(|bytes| probe.try_reserve_exact(bytes).ok());
        room.ok_or_else(|| ExecError::HostMemory { name: name.to_owned(), bytes })?;
        drop(probe);
        self.memory.push(Host::filled(dtype, len, T::ZERO));
        Ok(self.memory.len() - 1)
    }

    fn run_command(&mut self, plan: Loaded, index: usize) -> Result<(), ExecError> {
        let loaded = &self.plans[plan.0];
        let command = &loaded.plan.commands()[index];
        // Outputs are taken out for the time of the call, so that inputs can be borrowed beside them.
        let mut outputs: [Option<(usize, Host<T>)>; MOST] = std::array::from_fn(|_| None);
        for (output, arg) in outputs.iter_mut().zip(command.args.iter().filter(|arg| arg.writes)) {
            let place = loaded.place[arg.tensor.index()];
            *output = Some((place, std::mem::replace(&mut self.memory[place], Host::Index(Vec::new()))));
        }
        let mut taken = outputs.iter_mut().flatten();
        let slices = command.args.iter().filter_map(|arg| {
            let len = loaded.plan.tensor(arg.tensor).len();
            Some(if arg.writes {
                match taken.next()? {
                    (_, Host::Real(values)) => Slice::Write(&mut values[..len]),
                    (_, Host::Index(values)) => Slice::WriteIndex(&mut values[..len]),
                }
            } else {
                match &self.memory[loaded.place[arg.tensor.index()]] {
                    Host::Real(values) => Slice::Read(&values[..len]),
                    Host::Index(values) => Slice::ReadIndex(&values[..len]),
                }
            })
        });
        let result = loaded.twins[index](&mut Args::new(&command.params, slices));
        for (place, host) in outputs.into_iter().flatten() {
            self.memory[place] = host;
        }
        result.map_err(|source| ExecError::Twin { kernel: command.shader.kernel.to_owned(), source })
    }
}

fn unknown(name: &str, wanted: &'static str) -> ExecError {
    ExecError::UnknownTensor { name: name.to_owned(), wanted }
}

fn copy<T: Copy>(name: &str, own: &mut [T], values: &[T]) -> Result<(), ExecError> {
    if own.len() != values.len() {
        let (expected, found) = (own.len(), values.len());
        return Err(ExecError::Length { name: name.to_owned(), expected, found });
    }
    own.copy_from_slice(values);
    Ok(())
}

fn to_f32<T: Real>(values: &[T]) -> Vec<f32> {
    values.iter().map(|value| value.to_f64() as f32).collect()
}

impl<T: TwinOf> Session for CpuSession<T> {
    fn load(&mut self, plan: &Plan) -> Result<Loaded, ExecError> {
        let layout = plan.layout();
        let mut twins = Vec::with_capacity(plan.commands().len());
        for Command { shader, .. } in plan.commands() {
            let row = kernels::find(shader.kernel)
                .ok_or_else(|| ExecError::UnknownKernel(shader.kernel.to_owned()))?;
            twins.push(T::twin(row));
        }
        // A slot may serve float and index tensors in turn, so each type has its own memory for it.
        let mut slots: HashMap<(usize, DType), usize> = HashMap::new();
        let mut place = Vec::with_capacity(plan.tensors().len());
        for (tensor, slot) in plan.tensors().iter().zip(&layout.slot_of) {
            let at = if tensor.role.is_persistent() {
                match self.by_name.get(&tensor.name) {
                    Some(&at) => {
                        let expected = match &self.memory[at] {
                            Host::Real(values) => values.len(),
                            Host::Index(values) => values.len(),
                        };
                        if expected != tensor.len() {
                            return Err(ExecError::Disagreement {
                                name: tensor.name.clone(),
                                plan: plan.name().to_owned(),
                                expected,
                                found: tensor.len(),
                            });
                        }
                        at
                    }
                    None => {
                        let at = self.allocate(&tensor.name, tensor.dtype, tensor.len())?;
                        self.by_name.insert(tensor.name.clone(), at);
                        at
                    }
                }
            } else if let Some(slot) = *slot {
                match slots.get(&(slot, tensor.dtype)) {
                    Some(&at) => at,
                    None => {
                        let len = (layout.slots[slot] / 4) as usize;
                        let at = self.allocate(&tensor.name, tensor.dtype, len)?;
                        slots.insert((slot, tensor.dtype), at);
                        at
                    }
                }
            } else {
                // Never used by a command.
                self.allocate(&tensor.name, tensor.dtype, tensor.len())?
            };
            place.push(at);
        }
        self.plans.push(LoadedPlan { plan: plan.clone(), twins, place });
        Ok(Loaded(self.plans.len() - 1))
    }

    fn run(&mut self, plan: Loaded, times: usize) -> Result<(), ExecError> {
        parallel::in_pool(|| {
            for _ in 0..times {
                for index in 0..self.plans[plan.0].twins.len() {
                    self.run_command(plan, index)?;
                }
            }
            Ok(())
        })
    }

    fn observe(&mut self, plan: Loaded, observer: &mut Observer) -> Result<bool, ExecError> {
        for index in 0..self.plans[plan.0].twins.len() {
            self.run_command(plan, index)?;
            let loaded = &self.plans[plan.0];
            let command = &loaded.plan.commands()[index];
            for arg in command.args.iter().filter(|arg| arg.writes) {
                let tensor = loaded.plan.tensor(arg.tensor);
                let values = match &self.memory[loaded.place[arg.tensor.index()]] {
                    Host::Real(values) => to_f32(&values[..tensor.len()]),
                    Host::Index(values) => values[..tensor.len()].iter().map(|&x| x as f32).collect(),
                };
                if !observer(command, tensor, &values) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn time(&mut self, plan: Loaded, command: usize, times: usize) -> Result<Time, ExecError> {
        let start = Instant::now();
        parallel::in_pool(|| (0..times).try_for_each(|_| self.run_command(plan, command)))?;
        Ok(Time { wall: start.elapsed().as_secs_f64(), device: None })
    }

    fn wait(&mut self) -> Result<(), ExecError> {
        Ok(())
    }

    fn write(&mut self, name: &str, values: &[f32]) -> Result<(), ExecError> {
        let values: Vec<T> = values.iter().map(|&x| T::from_f32(x)).collect();
        self.write_real(name, &values)
    }

    fn write_index(&mut self, name: &str, values: &[u32]) -> Result<(), ExecError> {
        match self.persistent(name)? {
            Host::Index(own) => copy(name, own, values),
            Host::Real(_) => Err(unknown(name, "u32")),
        }
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, ExecError> {
        match self.persistent(name)? {
            Host::Real(values) => Ok(to_f32(values)),
            Host::Index(_) => Err(unknown(name, "f32")),
        }
    }

    fn read_index(&mut self, name: &str) -> Result<Vec<u32>, ExecError> {
        match self.persistent(name)? {
            Host::Index(values) => Ok(values.clone()),
            Host::Real(_) => Err(unknown(name, "u32")),
        }
    }

    fn read_output(&mut self, plan: Loaded, name: &str) -> Result<Vec<f32>, ExecError> {
        let len = {
            let own = &self.plans[plan.0].plan;
            own.find(name).map(|id| own.tensor(id).len()).ok_or_else(|| unknown(name, "f32"))?
        };
        match &self.memory[self.locate(plan, name)?] {
            Host::Real(values) => Ok(to_f32(&values[..len])),
            Host::Index(values) => Ok(values[..len].iter().map(|&x| x as f32).collect()),
        }
    }

    fn device(&self) -> String {
        #[cfg(feature = "threads")]
        let threads = rayon::current_num_threads();
        #[cfg(not(feature = "threads"))]
        let threads = 1;
        format!("CPU ({threads} thread{})", if threads == 1 { "" } else { "s" })
    }
}

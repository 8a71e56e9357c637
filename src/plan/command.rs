//! Commands: one kernel over named tensors, with its numbers and its grid.

use super::{MAX_ITERATIONS, Plan, PlanError, TensorId, grid};
use crate::params::Params;
use crate::shader::Shader;

/// One tensor that a command binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arg {
    /// Which tensor.
    pub tensor: TensorId,
    /// Whether the shader declares it `read_write`.
    pub writes: bool,
}

/// One dispatch.
#[derive(Clone, Debug)]
pub struct Command {
    /// What it does, such as `features.0 forward`.
    pub label: String,
    /// The kernel's variant.
    pub shader: &'static Shader,
    /// Storage buffers, in the order of the shader's bindings.
    pub args: Vec<Arg>,
    /// The uniform struct's bytes.
    pub params: Vec<u8>,
    /// Workgroups.
    pub grid: [u32; 3],
    /// Floating-point operations; multiply and add count as two.
    pub flops: u64,
}

impl Command {
    /// Bytes of all arguments, each counted once.
    pub fn bytes(&self, plan: &Plan) -> u64 {
        self.args.iter().map(|arg| plan.tensor(arg.tensor).bytes()).sum()
    }
}

/// How much work a command has, before it is cut into workgroups.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// One invocation each.
    Invocations(usize),
    /// One workgroup each.
    Workgroups(usize),
}

/// A command under construction: `plan.record(Record::new(shader, "relu").args([x, y]).params(&p).…)`.
#[derive(Debug)]
pub struct Record {
    label: String,
    shader: &'static Shader,
    args: Vec<TensorId>,
    params: Vec<u8>,
    fields: Vec<crate::shader::Field>,
    work: Work,
    flops: u64,
    iterations: u64,
}

impl Record {
    /// A command of `shader` (see [`Plan::choose`]) under a label.
    pub fn new(shader: &'static Shader, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            shader,
            args: Vec::new(),
            params: Vec::new(),
            fields: Vec::new(),
            work: Work::Invocations(1),
            flops: 0,
            iterations: 0,
        }
    }

    /// The tensors, in the order of the shader's storage bindings.
    pub fn args(mut self, args: impl IntoIterator<Item = TensorId>) -> Self {
        self.args = args.into_iter().collect();
        self
    }

    /// The uniform struct.
    pub fn params<P: Params>(mut self, params: &P) -> Self {
        self.params = bytemuck::bytes_of(params).to_vec();
        self.fields = P::fields();
        self
    }

    /// How much there is to do.
    pub fn work(mut self, work: Work) -> Self {
        self.work = work;
        self
    }

    /// Floating-point operations, for the table and the bench.
    pub fn flops(mut self, flops: usize) -> Self {
        self.flops = flops as u64;
        self
    }

    /// The most loop iterations that one invocation takes, over all the loops of the kernel.
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.iterations = iterations as u64;
        self
    }

    pub(super) fn finish(self, plan: &Plan) -> Result<Command, PlanError> {
        let Self { label, shader, args, params, fields, work, flops, iterations } = self;
        let kernel = || format!("{} ({})", shader.kernel, shader.variant);
        let wrong =
            |message: String| PlanError::Arguments { label: label.clone(), kernel: kernel(), message };
        if args.len() != shader.bindings.len() {
            return Err(wrong(format!("binds {} tensors, got {}", shader.bindings.len(), args.len())));
        }
        if fields != shader.uniform {
            return Err(wrong(format!("has the uniform {:?}, got {fields:?}", shader.uniform)));
        }
        for (i, (&tensor, binding)) in args.iter().zip(shader.bindings).enumerate() {
            if plan.tensor(tensor).dtype != binding.dtype {
                return Err(wrong(format!("binding `{}` holds {:?}", binding.name, binding.dtype)));
            }
            let twice = args[..i]
                .iter()
                .zip(shader.bindings)
                .any(|(&t, b)| t == tensor && (b.writes || binding.writes));
            if twice {
                return Err(wrong(format!(
                    "would read and write `{}` through two bindings",
                    plan.tensor(tensor).name
                )));
            }
        }
        if iterations > MAX_ITERATIONS {
            return Err(PlanError::Iterations { label, kernel: kernel(), iterations, limit: MAX_ITERATIONS });
        }
        let groups = match work {
            Work::Invocations(n) => (n as u64).div_ceil(u64::from(shader.invocations())),
            Work::Workgroups(n) => n as u64,
        };
        let grid = grid::fold(groups).ok_or_else(|| PlanError::Limit {
            what: format!("{label} ({})", shader.kernel),
            limit: "workgroup grid",
            needed: groups,
            allowed: grid::MAX_GROUPS * grid::MAX_GROUPS,
            unit: "workgroups",
            remedy: "use a smaller batch or fewer replicas",
        })?;
        let args =
            args.iter().zip(shader.bindings).map(|(&tensor, b)| Arg { tensor, writes: b.writes }).collect();
        Ok(Command { label, shader, args, params, grid, flops })
    }
}

//! What can be wrong with a plan, before any device is touched.

/// Why a plan cannot be recorded or does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A tensor's dimensions do not suit the operation.
    #[error("{op}: tensor `{tensor}` has dimensions {found:?}, expected {expected}")]
    Shape {
        /// The operation.
        op: String,
        /// The tensor.
        tensor: String,
        /// Its dimensions.
        found: Vec<usize>,
        /// What the operation takes.
        expected: String,
    },
    /// Settings of an operation that make no sense for its input.
    #[error("{op}: {message}")]
    Settings {
        /// The operation.
        op: String,
        /// What is wrong and what to change.
        message: String,
    },
    /// A tensor without elements.
    #[error("tensor `{tensor}` would be empty: its dimensions are {dims:?}")]
    EmptyTensor {
        /// The tensor.
        tensor: String,
        /// Its dimensions.
        dims: Vec<usize>,
    },
    /// The same name with another shape, type or role.
    #[error("tensor `{tensor}` is defined twice: first as {old}, then as {new}")]
    Redefined {
        /// The tensor.
        tensor: String,
        /// First definition.
        old: String,
        /// Second definition.
        new: String,
    },
    /// No shader of that name.
    #[error("there is no kernel `{kernel}` in shaders/")]
    UnknownKernel {
        /// The name asked for.
        kernel: String,
    },
    /// A command's arguments are not those of its shader.
    #[error("{label}: kernel `{kernel}` {message}")]
    Arguments {
        /// The command.
        label: String,
        /// The kernel.
        kernel: String,
        /// What differs.
        message: String,
    },
    /// A kernel that the device cannot run.
    #[error(
        "{label}: kernel `{kernel}` takes subgroups of a size or workgroup memory that this device does not have; \
         record the plan for this device (Variants::on)"
    )]
    Unsupported {
        /// The command.
        label: String,
        /// The kernel.
        kernel: String,
    },
    /// More loop iterations than one invocation may take.
    #[error(
        "{label}: kernel `{kernel}` would loop {iterations} times per invocation, more than {limit}; \
         use smaller pictures, fewer channels or a pooling layer before it"
    )]
    Iterations {
        /// The command.
        label: String,
        /// The kernel.
        kernel: String,
        /// Iterations needed.
        iterations: u64,
        /// Iterations allowed.
        limit: u64,
    },
    /// A device limit.
    #[error(
        "{what} needs {needed} {unit}, {over} more than this device's {limit} of {allowed}; {remedy}",
        over = needed - allowed
    )]
    Limit {
        /// The tensor, command or plan.
        what: String,
        /// The name of the limit.
        limit: &'static str,
        /// How much is needed.
        needed: u64,
        /// How much there is.
        allowed: u64,
        /// Unit of both.
        unit: &'static str,
        /// What to change.
        remedy: &'static str,
    },
}

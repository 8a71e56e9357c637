//! One file per operation: shapes checked, kernels chosen, dispatch sizes worked out, commands recorded.

mod accuracy;
pub mod augment;
pub mod average_pool;
pub mod batch_norm;
pub mod bias;
pub mod case;
pub mod ceiling;
pub mod clock;
pub mod conv2d;
pub mod cross_entropy;
pub mod diagonal;
pub mod dropout;
mod family;
pub mod gate;
pub mod gather;
pub mod group_norm;
pub mod input_penalty;
pub mod interval;
pub mod jensen_shannon;
pub mod kl_divergence;
pub mod linear;
pub mod log_probability;
pub mod max_pool;
pub mod metrics;
pub mod multiplier;
pub mod normalize;
pub mod optimizer;
pub mod overlay;
pub mod place;
pub mod pointwise;
pub mod reduce;
pub mod relu;
pub mod reverse_kl;
pub mod schedule;
pub mod softmax;
pub mod squared_distance;

pub use case::{Case, Fill, Tolerance};

use crate::plan::{Plan, PlanError, Role, TensorId, Variants, Work};
use crate::shader::{DType, Shader};

/// An error that names a tensor whose dimensions do not suit an operation.
pub(crate) fn shape_error(plan: &Plan, op: &str, tensor: TensorId, expected: impl Into<String>) -> PlanError {
    PlanError::Shape {
        op: op.to_owned(),
        tensor: plan.tensor(tensor).name.clone(),
        found: plan.dims(tensor).to_vec(),
        expected: expected.into(),
    }
}

/// Requires exactly these dimensions.
pub(crate) fn expect_dims(
    plan: &Plan,
    op: &str,
    tensor: TensorId,
    letters: &str,
    dims: &[usize],
) -> Result<(), PlanError> {
    if plan.dims(tensor) == dims {
        return Ok(());
    }
    Err(shape_error(plan, op, tensor, format!("{letters} = {dims:?}")))
}

/// A number that a kernel counts in 32 bits: elements, rows, pixels of a whole data set.
pub(crate) fn count32(op: &str, what: &str, count: usize) -> Result<u32, PlanError> {
    u32::try_from(count).map_err(|_| PlanError::Limit {
        what: format!("{op}: {what}"),
        limit: "32-bit index",
        needed: count as u64,
        allowed: u64::from(u32::MAX),
        unit: "elements",
        remedy: "use fewer or smaller pictures, a smaller batch or fewer replicas",
    })
}

/// A float tensor that the host fills, for cases.
pub(crate) fn input(plan: &mut Plan, name: &str, dims: &[usize]) -> Result<TensorId, PlanError> {
    plan.add(name, dims, DType::F32, Role::Data)
}

/// An index tensor that the host fills, for cases.
pub(crate) fn index_input(plan: &mut Plan, name: &str, dims: &[usize]) -> Result<TensorId, PlanError> {
    plan.add(name, dims, DType::U32, Role::Data)
}

/// Blocks of `rows` × `columns` outputs: the shader's constants ROWS and COLUMNS, one output where it has none.
pub(crate) fn blocks(shader: &Shader, rows: usize, columns: usize) -> usize {
    let size = |name| shader.constant(name).map_or(1, |size| size as usize);
    rows.div_ceil(size("ROWS")) * columns.div_ceil(size("COLUMNS"))
}

/// The variants of a kernel that works on single elements or on four neighbours of `count` at once, the better first.
pub(crate) fn by_fours(count: usize) -> [(&'static str, bool); 2] {
    [("vec4", count.is_multiple_of(4)), ("direct", true)]
}

/// So many blocks as work: one invocation to each, or a whole workgroup where its invocations share a block (a subgroup,
/// or workgroup memory).
pub(crate) fn work(shader: &Shader, blocks: usize) -> Work {
    if shader.subgroup_size.is_some() || shader.workgroup_bytes > 0 {
        Work::Workgroups(blocks)
    } else {
        Work::Invocations(blocks)
    }
}

/// Every case of every kernel: the shapes on which `doctor` and the tests hold each variant against its twin.
/// `variants` forces a variant where it fits the shape; see [`Plan::choose`].
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for of_op in [
        average_pool::cases,
        bias::cases,
        conv2d::cases,
        diagonal::cases,
        linear::cases,
        max_pool::cases,
        reduce::cases,
        relu::cases,
        gate::cases,
        gather::cases,
        augment::cases,
        ceiling::cases,
        clock::cases,
        softmax::cases,
        cross_entropy::cases,
        kl_divergence::cases,
        log_probability::cases,
        input_penalty::cases,
        pointwise::cases,
        normalize::cases,
        group_norm::cases,
        batch_norm::cases,
        dropout::cases,
        multiplier::cases,
        reverse_kl::cases,
        jensen_shannon::cases,
        squared_distance::cases,
        interval::cases,
        schedule::cases,
        optimizer::cases,
        metrics::cases,
        overlay::cases,
        place::cases,
    ] {
        cases.extend(of_op(variants)?);
    }
    Ok(cases)
}

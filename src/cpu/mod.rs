//! The CPU twin of every kernel, under the same stem as its shader.
//!
//! A twin is plain Rust, generic over f32 and f64: the documentation of the maths, the oracle of the tests (in
//! f64) and the device of last resort (in f32, with threads). Results do not depend on the number of threads:
//! work is cut along outputs, never along a sum.

mod args;
pub mod augment;
pub mod average_pool;
pub mod batch_norm;
pub mod bias;
pub mod ceiling;
#[cfg(test)]
pub(crate) mod check;
pub mod clock;
pub mod conv2d;
pub mod cross_entropy;
pub mod diagonal;
pub mod dropout;
mod exp;
pub mod gate;
pub mod gather;
pub mod group_norm;
pub mod input_penalty;
pub mod interval;
pub mod jensen_shannon;
pub mod kl_divergence;
pub mod lanes;
pub mod linear;
pub mod log_probability;
pub mod log_softmax;
pub mod max_pool;
pub mod metrics;
pub mod multiplier;
pub mod normalize;
pub mod optimizer;
pub mod overlay;
pub mod parallel;
pub mod place;
pub mod pointwise;
pub mod product;
mod real;
pub mod reduce;
pub mod relu;
pub mod reverse_kl;
pub mod schedule;
pub mod scratch;
pub(crate) mod simd;
pub mod softmax;
pub mod squared_distance;
#[cfg(test)]
pub(crate) mod testing;

pub use args::{ArgError, Args, Host, MOST, Slice};
pub use real::Real;
pub use scratch::Scratch;

//! Log-softmax at a temperature, within groups of values.

pub mod backward;
pub mod forward;

//! `rationale` learns from explanations, on any GPU, with kernels a person can read.

pub mod data;
pub mod random;

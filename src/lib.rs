//! `rationale` learns from explanations, on any GPU, with kernels a person can read.

pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cpu;
pub mod data;
pub mod doctor;
pub mod exec;
pub mod export;
pub mod gpu;
pub mod kernels;
pub mod model;
pub mod ops;
pub mod params;
pub mod plan;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod shader;
#[cfg(feature = "studies")]
pub mod study;
pub mod train;
pub mod tuning;

/// The wgpu that the engine uses, so that hosts and tests share its types.
pub use wgpu;

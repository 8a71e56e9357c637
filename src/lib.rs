//! `rationale` learns from explanations, on any GPU, with kernels a person can read.
//!
//! A classifier is c(m(f(x))). Stage 1 learns from labels; stage 2 compares f of the masked picture with m(f(x)) and
//! updates the mapping layer m alone (arXiv 2507.04788). There is no autodiff: every gradient is a kernel of its own.
//!
//! # Three doors
//!
//! *To train and to use what was trained:* [`data`] reads or draws pictures with labels and masks, [`train`] has the
//! methods, the loop and the run folders, [`export`] takes a model elsewhere. The program in [`cli`] is a thin layer
//! over these.
//!
//! *To compute on a device of your own:* [`gpu`] opens a device or borrows a host's, [`model`] makes each stage a
//! [`plan`], and [`exec`] runs plans there or by the twins, without an allocation or a wait inside of a step. [`embed`] trains inside
//! of a graphics program, in slices of its frames.
//!
//! *To read kernels:* a file in `shaders/`, its twin in [`cpu`] under the same stem, its row in [`kernels`], its shapes
//! and its test cases in [`ops`]. [`doctor`] holds all of them against their bounds, [`mod@bench`] against the device's ceilings.
//!
//! Imports run downhill: training on models, models on operations, operations on plans, plans on what [`shader`]
//! knows of each kernel. `ARCHITECTURE.md` has the ideas that hold this up.
//!
//! # Features
//!
//! Without default features there is the engine: plans, sessions, models, the trainer. `threads`, `readers`, `report`,
//! `runs` and `studies` add what their names say; `cli` has everything and the program.

pub mod bench;
#[cfg(feature = "cli")]
pub mod cli;
pub mod cpu;
pub mod data;
pub mod doctor;
pub mod embed;
pub mod exec;
pub mod export;
pub mod gpu;
pub mod hash;
pub mod import;
pub mod kernels;
pub mod model;
pub mod ops;
pub mod params;
pub mod plan;
mod protobuf;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod shader;
#[cfg(feature = "studio")]
pub mod studio;
#[cfg(feature = "studies")]
pub mod study;
mod time;
pub mod train;
pub mod tuning;

/// The wgpu that the engine uses, so that hosts and tests share its types.
pub use wgpu;

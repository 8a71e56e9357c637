//! The ladder of tests that needs a device or the whole trainer; the lower rungs stand beside the code in `src/`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod augment;
mod bounds;
mod devices;
mod exclusive_use;
mod gate;
mod gate_training;
mod goldens;
mod gradients;
mod kernels;
mod layers;
mod methods;
mod random_shapes;
mod routing;
mod schedule;
mod shaders;
mod stream;
mod support;
mod training;

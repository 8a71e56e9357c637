//! The ladder of tests that needs a device or the whole trainer; the lower rungs stand beside the code in `src/`.

mod devices;
mod goldens;
mod gradients;
mod kernels;
mod routing;
mod shaders;
mod support;
mod training;

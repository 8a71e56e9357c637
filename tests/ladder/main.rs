//! The ladder of tests that needs a device; `src/` holds the rungs that do not.

mod kernels;
mod support;

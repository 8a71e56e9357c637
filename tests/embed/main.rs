//! The trainer on a host's device: the same bits as the ordinary one, nothing read back unasked, errors that say what to do,
//! lost devices, textures in and out, and nothing left behind.

// Helpers outside of `#[test]` functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod bits;
mod errors;
mod leaks;
mod loss;
mod support;
mod textures;

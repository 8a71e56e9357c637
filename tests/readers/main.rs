//! Data sets in every format: written as the public formats lay them out, linted, trained on, and damaged.
#![cfg(feature = "cli")]
// Helpers outside of `#[test]` functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod damage;
mod damaged;
mod layouts;
mod masks;
mod memory;
mod planted;
mod scenes;
mod through;

//! The program as its users meet it: the built binary, its exit status and what it says.
#![cfg(feature = "cli")]
// Helpers outside of `#[test]` functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bad_input;
mod bench;
mod comfort;
mod commands;
mod initial;
mod report;
mod resume;
mod studies;
mod support;
mod trained;

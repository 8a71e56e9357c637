//! The window driven by input events, without a display: what is painted, trained, saved and found again.
#![cfg(feature = "studio-harness")]
// Helpers outside of `#[test]` functions may fail loudly too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod pictures;
mod script;
mod sessions;

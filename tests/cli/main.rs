//! The program as its users meet it: the built binary, its exit status and what it says.
#![cfg(feature = "cli")]

mod bad_input;
mod commands;
mod resume;
mod support;

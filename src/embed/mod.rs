//! The trainer inside a graphics program: on the host's device, in slices of its frame.
//!
//! The host owns a wgpu [`Device`](wgpu::Device), its [`Queue`](wgpu::Queue) and a frame loop. A [`Trainer`] borrows
//! both, takes pictures, labels and masks from host memory or from textures, learns a few milliseconds at a time, and draws what
//! the model looks at into the host's textures. Several trainers live side by side on one device.
//!
//! ```no_run
//! # fn host(device: rationale::wgpu::Device, queue: rationale::wgpu::Queue) -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use rationale::embed::{Picture, Setup, Trainer};
//! use rationale::model::MapShape;
//!
//! let setup = Setup::new(MapShape { height: 32, width: 32, channels: 1 }, 2, 64);
//! let mut trainer = Trainer::new(&device, &queue, &setup)?;
//! loop {
//!     // … the host's own frame …
//!     if !trainer.prepare(Duration::from_millis(4))?.is_done() {
//!         continue; // kernels are still being compiled, a few in each frame
//!     }
//!     # let grey = [0; 32 * 32];
//!     trainer.set_picture(0, Picture::Grey(&grey))?;
//!     trainer.set_label(0, Some(1))?;
//!     trainer.step(Duration::from_millis(4))?;
//! }
//! # }
//! ```
//!
//! **Order.** What a call does on the device is ordered by the queue: after everything that the host submitted before the
//! call, before everything that it submits afterwards. [`Trainer::record`] alone submits nothing: its commands run where the host
//! submits the encoder, and that must happen before the next call to the same trainer.
//!
//! **Threads.** [`Trainer`], [`Pending`] and [`Snapshot`] are `Send` and `Sync` on native targets; every call that does something
//! takes `&mut self`. Error scopes are pushed and popped within one call, so it does not matter on which thread it runs.
//!
//! **What is left to the host.** No global, no logger, no panic hook, no handler on the device. Nothing waits: results come by
//! asynchronous maps, which arrive during the host's `Device::poll` or `Queue::submit`; `step` itself polls without waiting. A poll
//! runs the host's own callbacks too, if any are due.
//!
//! **The web.** The engine compiles for `wasm32-unknown-unknown`; in a browser it has not run. What differs there: wgpu's handles, and with
//! them these types, stay on their thread. The answers of error scopes come too late for the call that caused them, and a lost device is not
//! noticed: faults show as results that never come, and the host's handlers have the browser's words. There are no files, so a [`Snapshot`]
//! cannot be saved to one; its model can be exported to bytes. Sessions of [`exec`](crate::exec) on a GPU wait, and are refused; on the CPU
//! device they run.
//!
//! **wgpu.** [`rationale::wgpu`](crate::wgpu) is the wgpu 30 whose types stand in these signatures. A release of this crate works with one
//! major version of wgpu; another one comes with a release of its own, whose minor versions it then keeps to.

mod cursor;
mod data;
mod error;
mod host;
mod look;
mod pending;
mod picture;
mod prepare;
mod recorded;
mod requirements;
mod setup;
mod snapshot;
mod statistics;
mod step;
mod textures;
mod trainer;

pub use error::EmbedError;
pub use look::{ColorMap, Overlay, Prediction};
pub use pending::Pending;
pub use picture::{Mask, Picture, Subject};
pub use requirements::{Missing, Requirements, requirements};
pub use setup::Setup;
pub use snapshot::Snapshot;
pub use statistics::{Counters, EpochStatistics, RouteRow, Statistics};
pub use trainer::{Preparation, Progress, Trainer};

//! The window `rationale studio`: reasons are painted while two models train on them.
//!
//! Nothing in `album`, `canvas`, `history`, `session` and `training` knows of egui; `app` and `view` draw what these hold.
//! Training runs on the window's own device in slices of its frames, or on a thread with the CPU device. Masks are saved after each
//! stroke, on another thread.

mod album;
mod app;
mod canvas;
mod curves;
mod error;
mod frame_times;
mod history;
mod mask_tree;
mod saver;
mod session;
mod training;
mod view;
mod window;

pub use album::{Album, Filter, Opened};
pub use app::{App, Door};
pub use canvas::{Area, Canvas};
pub use curves::Curve;
pub use error::StudioError;
pub use frame_times::FrameTimes;
pub use session::{
    Curves, ExportFormat, FrameDevice, Loaded, Message, Movement, OverlaySettings, Results, Session, Shown,
    Tool,
};
pub use training::{Arm, Position, Recipe, Verdict};
pub use window::{TrainOn, device_setup, open_window, style};

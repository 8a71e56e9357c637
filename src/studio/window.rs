//! The native window and its device.

use std::sync::Arc;

use eframe::egui_wgpu::{self, RenderState, WgpuSetup, WgpuSetupCreateNew};

use super::app::{App, Door};
use super::error::StudioError;
use super::session::FrameDevice;
use super::view::theme;
use crate::embed;

/// What trains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrainOn {
    /// The window's device, unless it is a software one: then the CPU.
    #[default]
    Auto,
    /// The window's device, whatever it is.
    Window,
    /// The CPU, on a thread.
    Cpu,
}

/// Opens the window and returns when it is closed. `first` is opened at once.
pub fn open_window(door: Door, first: Option<String>, train_on: TrainOn) -> Result<(), StudioError> {
    let options = eframe::NativeOptions {
        viewport: eframe::egui::ViewportBuilder::default()
            .with_title("rationale studio")
            .with_inner_size([1280.0, 760.0])
            .with_min_inner_size([960.0, 600.0])
            .with_drag_and_drop(true),
        wgpu_options: egui_wgpu::WgpuConfiguration { wgpu_setup: device_setup(), ..Default::default() },
        // There are no gradients to smooth, and a software adapter pays for it in every pixel.
        dithering: false,
        ..Default::default()
    };
    let app = |context: &eframe::CreationContext<'_>| {
        let frame = context.wgpu_render_state.as_ref();
        style(&context.egui_ctx);
        let app = App::new(door, first, frame, train_on);
        Ok(Box::new(app) as Box<dyn eframe::App>)
    };
    eframe::run_native("rationale studio", options, Box::new(app))
        .map_err(|error| StudioError::Window(error.to_string()))
}

/// Sets the window's colours and sizes, dark and light.
pub fn style(context: &eframe::egui::Context) {
    theme::apply(context);
}

/// How the window's device is made: with what training needs, as far as the adapter has it.
pub fn device_setup() -> WgpuSetup {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    let default = Arc::clone(&setup.device_descriptor);
    setup.device_descriptor = Arc::new(move |adapter| {
        let needed = embed::requirements();
        let (has, limits) = (adapter.features(), adapter.limits());
        let mut descriptor = default(adapter);
        if has.contains(needed.features) && needed.limits.check_limits(&limits) {
            descriptor.required_features |= needed.features | (needed.welcome & has);
            descriptor.required_limits = wgpu::Limits {
                max_texture_dimension_2d: limits.max_texture_dimension_2d,
                max_buffer_size: limits.max_buffer_size,
                max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
                ..needed.limits
            };
        }
        descriptor
    });
    WgpuSetup::CreateNew(setup)
}

/// The device that training is to borrow from the window, if any.
pub(super) fn borrowed(frame: Option<&RenderState>, train_on: TrainOn) -> Option<FrameDevice> {
    let frame = frame?;
    let info = frame.adapter.get_info();
    let software = info.device_type == wgpu::DeviceType::Cpu;
    let borrow = match train_on {
        TrainOn::Auto => !software,
        TrainOn::Window => true,
        TrainOn::Cpu => false,
    };
    borrow.then(|| FrameDevice { device: frame.device.clone(), queue: frame.queue.clone(), name: info.name })
}

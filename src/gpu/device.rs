//! A device and its queue, owned or borrowed, with its pipelines.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::pipelines::{self, Pipeline};
use super::ready::ready;
use super::{AdapterReport, DeviceError, EditedShaders};
use crate::plan::{DeviceClass, Limits, Target};
use crate::shader::Shader;

/// How a device of our own is opened.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Ask for no more than WebGPU's default limits and no features: what a borrowed device may have.
    pub default_limits: bool,
    /// Ask for timestamps where the adapter has them, for benches.
    pub timestamps: bool,
    /// A folder like `shaders/` whose texts take the place of those compiled in; see [`super::EditedShaders`].
    pub shaders: Option<PathBuf>,
}

/// By [`place_of`] the shader. Each place is filled outside of the map's lock.
type Pipelines = HashMap<usize, Arc<OnceLock<Arc<Pipeline>>>>;

/// The address of a shader, of which there is one.
fn place_of(shader: &'static Shader) -> usize {
    std::ptr::from_ref(shader).addr()
}

/// A device, its queue and the pipelines made on it; shared by `Rc` or `Arc`.
pub struct Gpu {
    device: wgpu::Device,
    queue: wgpu::Queue,
    title: String,
    lost: Arc<Mutex<Option<String>>>,
    target: Target,
    pipelines: Mutex<Pipelines>,
    edited: EditedShaders,
    /// Where it was opened, by us.
    adapter: Option<wgpu::Adapter>,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("title", &self.title).finish_non_exhaustive()
    }
}

/// A device of our own and its queue.
fn request(
    adapter: &wgpu::Adapter,
    required_features: wgpu::Features,
    required_limits: wgpu::Limits,
) -> Result<(wgpu::Device, wgpu::Queue), String> {
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("rationale"),
        required_features,
        required_limits,
        ..Default::default()
    };
    ready(adapter.request_device(&descriptor))
        .ok_or_else(|| "this platform opens devices only for those who await them".to_owned())
        .and_then(|opened| opened.map_err(|e| e.to_string()))
}

impl Gpu {
    /// Opens a device of our own on an adapter. Its loss is noted and reported by the next call.
    pub fn open(
        adapter: &wgpu::Adapter,
        report: &AdapterReport,
        options: GpuOptions,
    ) -> Result<Self, DeviceError> {
        let required_limits = if options.default_limits { wgpu::Limits::default() } else { adapter.limits() };
        let edited = match &options.shaders {
            Some(folder) => EditedShaders::read(folder)?,
            None => EditedShaders::default(),
        };
        // What kernels may use, where it is there: a plan is recorded for what the device offers.
        let mut wanted =
            if options.default_limits { wgpu::Features::empty() } else { wgpu::Features::SUBGROUP };
        if options.timestamps {
            wanted |= wgpu::Features::TIMESTAMP_QUERY;
        }
        let required_features = adapter.features() & wanted;
        let (device, queue) = request(adapter, required_features, required_limits)
            .map_err(|message| DeviceError::Open { adapter: report.title(), message })?;
        let mut gpu = Self::borrow(device, queue, format!("{}, {}", report.title(), report.driver));
        gpu.edited = edited;
        gpu.adapter = Some(adapter.clone());
        let lost = Arc::clone(&gpu.lost);
        gpu.device.set_device_lost_callback(move |reason, message| {
            if let Ok(mut lost) = lost.lock() {
                let message = if message.is_empty() { format!("{reason:?}") } else { message };
                lost.get_or_insert(message);
            }
        });
        tracing::debug!(device = gpu.title, features = ?required_features, "opened");
        Ok(gpu)
    }

    /// Works on a host's device: sets no handlers on it and asks for nothing more than it has.
    pub fn borrow(device: wgpu::Device, queue: wgpu::Queue, title: String) -> Self {
        Self {
            target: Self::target(&device),
            device,
            queue,
            title,
            lost: Arc::default(),
            pipelines: Mutex::default(),
            edited: EditedShaders::default(),
            adapter: None,
        }
    }

    /// A second device like this one, on the adapter on which this one was opened; `None` where it is a host's device, or where
    /// there can be no second one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn another(&self) -> Option<Self> {
        let adapter = self.adapter.as_ref()?;
        let (device, queue) = request(adapter, self.device.features(), self.device.limits()).ok()?;
        let mut other = Self::borrow(device, queue, self.title.clone());
        other.edited = self.edited.clone();
        Some(other)
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// Its queue.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Adapter, backend and driver in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The shaders whose text is not the one compiled in.
    pub fn edited(&self) -> &EditedShaders {
        &self.edited
    }

    /// The driver's words, if the device is known to be lost.
    pub fn lost(&self) -> Option<String> {
        self.lost.lock().ok().and_then(|lost| lost.clone())
    }

    /// What kind of device it is.
    pub(crate) fn class(&self) -> DeviceClass {
        self.target.class
    }

    /// Whether this is a device of our own whose driver makes machine code of a kernel only when it is launched, and keeps it
    /// on disk.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn compiles_late(&self) -> bool {
        self.class() == DeviceClass::Software
            && self
                .adapter
                .as_ref()
                .is_some_and(|adapter| adapter.get_info().backend == wgpu::Backend::Vulkan)
    }

    /// The limits that a plan must fit.
    pub fn limits(&self) -> Limits {
        let limits = self.device.limits();
        Limits {
            storage_binding_bytes: limits.max_storage_buffer_binding_size,
            buffer_bytes: limits.max_buffer_size,
            storage_buffers: u64::from(limits.max_storage_buffers_per_shader_stage),
            invocations: u64::from(limits.max_compute_invocations_per_workgroup),
            workgroups: u64::from(limits.max_compute_workgroups_per_dimension),
            target: self.target,
        }
    }

    /// Makes a pipeline anew at its next use: for one whose making failed.
    pub(crate) fn forget(&self, shader: &'static Shader) {
        self.pipelines().remove(&place_of(shader));
    }

    /// Whether the pipeline of a shader is there.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn has_pipeline(&self, shader: &'static Shader) -> bool {
        self.pipelines().get(&place_of(shader)).is_some_and(|place| place.get().is_some())
    }

    /// The pipeline of a shader, made on first use and kept. Several threads may ask: who asks for one that another thread is
    /// making waits for it.
    pub fn pipeline(&self, shader: &'static Shader) -> Arc<Pipeline> {
        let place = Arc::clone(self.pipelines().entry(place_of(shader)).or_default());
        let make = || Arc::new(pipelines::create(&self.device, shader, self.edited.text(shader)));
        Arc::clone(place.get_or_init(make))
    }

    /// A map of places survives a panic elsewhere.
    fn pipelines(&self) -> MutexGuard<'_, Pipelines> {
        self.pipelines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a device offers to kernels, its own or a host's.
    pub(crate) fn target(device: &wgpu::Device) -> Target {
        let info = device.adapter_info();
        let class = match info.device_type {
            wgpu::DeviceType::Cpu => DeviceClass::Software,
            _ => DeviceClass::Hardware,
        };
        // Where sizes vary, a driver may pick another one for each kernel: none may be assumed.
        let exact = device.features().contains(wgpu::Features::SUBGROUP)
            && info.subgroup_min_size == info.subgroup_max_size;
        Target {
            class,
            subgroup_size: exact.then_some(info.subgroup_min_size),
            workgroup_bytes: device.limits().max_compute_workgroup_storage_size,
        }
    }
}

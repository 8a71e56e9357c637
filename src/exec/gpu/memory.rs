//! Buffers of a session: made, written, read, and watched by guard words.

use super::{GpuSession, Store};
use crate::exec::ExecError;
use crate::gpu::Gpu;
use crate::shader::DType;

/// Bytes before and after a guarded tensor; also the largest alignment that WebGPU asks of a binding's offset.
const GUARD_BYTES: u64 = 256;
const GUARD_WORD: u32 = 0xA5A5_A5A5;
/// A quiet NaN: what a kernel leaves behind in what it did not write.
const POISON_WORD: u32 = 0x7FC0_DEAD;

/// A tensor's place on the device.
#[derive(Clone, Debug)]
pub(crate) struct Buffer {
    pub(crate) gpu: wgpu::Buffer,
    pub(crate) name: String,
    pub(crate) len: usize,
    pub(crate) dtype: DType,
}

impl Store {
    pub(super) fn guard(&self) -> u64 {
        if self.guards { GUARD_BYTES } else { 0 }
    }

    pub(super) fn create_buffer(&self, gpu: &Gpu, name: &str, dtype: DType, len: usize) -> Buffer {
        let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
            label: Some(name),
            size: len as u64 * 4 + 2 * self.guard(),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if self.guards {
            let guard = vec![GUARD_WORD; (GUARD_BYTES / 4) as usize];
            let words = [guard.clone(), vec![POISON_WORD; len], guard].concat();
            gpu.queue().write_buffer(&buffer, 0, bytemuck::cast_slice(&words));
        }
        Buffer { gpu: buffer, name: name.to_owned(), len, dtype }
    }

    pub(super) fn named(&self, name: &str, dtype: DType, wanted: &'static str) -> Result<Buffer, ExecError> {
        match self.persistent.get(name) {
            Some(buffer) if buffer.dtype == dtype => Ok(buffer.clone()),
            _ => Err(ExecError::UnknownTensor { name: name.to_owned(), wanted }),
        }
    }
}

impl GpuSession {
    pub(super) fn read_words(
        &mut self,
        buffer: &Buffer,
        offset: u64,
        words: usize,
    ) -> Result<Vec<u32>, ExecError> {
        let bytes = words as u64 * 4;
        let doing = format!("reading `{}`", buffer.name);
        while !self.in_flight.is_empty() {
            self.wait_for_oldest()?;
        }
        let (sender, receiver) = std::sync::mpsc::channel();
        let staging = self.guarded(&doing, |this| {
            let device = this.gpu.device();
            let staging = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("readback"),
                size: bytes,
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            encoder.copy_buffer_to_buffer(&buffer.gpu, offset, &staging, 0, bytes);
            this.gpu.queue().submit([encoder.finish()]);
            staging.map_async(wgpu::MapMode::Read, .., move |result| {
                // The receiver is gone only if this call has given up already.
                let _ = sender.send(result);
            });
            staging
        })?;
        self.gpu
            .device()
            .poll(wgpu::PollType::wait_indefinitely())
            .map_err(|e| self.device_error(&doing, e.to_string()))?;
        match receiver.recv() {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(self.device_error(&doing, e.to_string())),
            Err(e) => return Err(self.device_error(&doing, e.to_string())),
        }
        let view = staging.get_mapped_range(..).map_err(|e| self.device_error(&doing, e.to_string()))?;
        let values = view.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        drop(view);
        staging.unmap();
        Ok(values)
    }

    pub(super) fn write_words(&mut self, buffer: &Buffer, words: &[u32]) -> Result<(), ExecError> {
        if words.len() != buffer.len {
            let (expected, found) = (buffer.len, words.len());
            return Err(ExecError::Length { name: buffer.name.clone(), expected, found });
        }
        let guard = self.store.guard();
        self.guarded(&format!("writing `{}`", buffer.name), |this| {
            this.gpu.queue().write_buffer(&buffer.gpu, guard, bytemuck::cast_slice(words));
        })
    }

    pub(super) fn read_tensor(&mut self, buffer: &Buffer) -> Result<Vec<f32>, ExecError> {
        let words = self.read_words(buffer, self.store.guard(), buffer.len)?;
        Ok(match buffer.dtype {
            DType::F32 => words.into_iter().map(f32::from_bits).collect(),
            DType::U32 => words.into_iter().map(|word| word as f32).collect(),
        })
    }

    /// Overwrites a guard word of a persistent tensor: shows that [`GpuSession::broken_guards`] sees it.
    pub fn break_guard(&mut self, name: &str) -> Result<(), ExecError> {
        let buffer = self
            .store
            .persistent
            .get(name)
            .cloned()
            .ok_or_else(|| ExecError::UnknownTensor { name: name.to_owned(), wanted: "f32 or u32" })?;
        self.guarded("breaking a guard", |this| this.gpu.queue().write_buffer(&buffer.gpu, 0, &[0; 4]))
    }

    /// Under [`Options::guards`](super::Options::guards): the names of all tensors whose guard words were overwritten.
    pub fn broken_guards(&mut self) -> Result<Vec<String>, ExecError> {
        if !self.store.guards {
            return Ok(Vec::new());
        }
        let buffers: Vec<Buffer> =
            self.store.plans.iter().flat_map(|plan| plan.buffers.iter().cloned()).collect();
        let mut broken = Vec::new();
        let guard = (GUARD_BYTES / 4) as usize;
        for buffer in buffers {
            let words = self.read_words(&buffer, 0, buffer.len + 2 * guard)?;
            if words[..guard].iter().chain(&words[guard + buffer.len..]).any(|&word| word != GUARD_WORD) {
                broken.push(buffer.name);
            }
        }
        Ok(broken)
    }
}

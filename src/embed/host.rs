//! The borrowed device: work inside error scopes, submissions, and copies that the host's memory can see.

use std::sync::{Arc, OnceLock};

use super::{Counters, EmbedError};
use crate::exec::{ExecError, Fault, caught, lost};
use crate::gpu::Gpu;
use crate::time::Instant;

pub(super) struct Host {
    pub(super) gpu: Arc<Gpu>,
    pub(super) counters: Counters,
}

/// When the queue reached and passed a submission, as far as polls have told.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    pub(super) reached: OnceLock<Instant>,
    pub(super) passed: OnceLock<Instant>,
}

impl Stamps {
    // wgpu calls each of these once, so nothing is there yet.
    fn reach(&self) {
        let _ = self.reached.set(Instant::now());
    }

    fn pass(&self) {
        let _ = self.passed.set(Instant::now());
    }
}

/// A buffer on its way to the host's memory.
#[derive(Debug, Default)]
pub(super) struct Readback {
    buffer: OnceLock<wgpu::Buffer>,
    arrived: OnceLock<Result<(), wgpu::BufferAsyncError>>,
}

impl Host {
    /// Runs `work` inside error scopes of our own. A device that is lost already is an error before anything is done.
    pub(super) fn guarded<T>(&self, doing: &str, work: impl FnOnce(&Gpu) -> T) -> Result<T, EmbedError> {
        if lost(self.gpu.device()) {
            return Err(device_lost(&self.gpu, doing));
        }
        let (result, fault) = caught(self.gpu.device(), || work(&self.gpu));
        let (device, doing) = (self.gpu.title().to_owned(), doing.to_owned());
        match fault {
            None => Ok(result),
            Some(_) if lost(self.gpu.device()) => Err(device_lost(&self.gpu, &doing)),
            Some(Fault::Memory(_)) => Err(ExecError::OutOfMemory { device, doing }.into()),
            Some(Fault::Refused(message)) => Err(ExecError::Device { device, doing, message }.into()),
        }
    }

    /// One submission of what `record` records, and when it ran.
    pub(super) fn submit(
        &mut self,
        doing: &str,
        record: impl FnOnce(&Gpu, &mut wgpu::CommandEncoder),
    ) -> Result<Arc<Stamps>, EmbedError> {
        let stamps = Arc::new(Stamps::default());
        self.guarded(doing, |gpu| {
            let mut encoder =
                gpu.device().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some(doing) });
            record(gpu, &mut encoder);
            let command_buffer = encoder.finish();
            let before = Arc::clone(&stamps);
            gpu.queue().on_submitted_work_done(move || before.reach());
            gpu.queue().submit([command_buffer]);
            let after = Arc::clone(&stamps);
            gpu.queue().on_submitted_work_done(move || after.pass());
        })?;
        self.counters.submissions += 1;
        Ok(stamps)
    }

    /// Lets callbacks run that are due, without waiting.
    pub(super) fn poll(&self) {
        // A lost device is what the next call reports.
        let _ = self.gpu.device().poll(wgpu::PollType::Poll);
    }

    /// Copies pieces of buffers, one behind the other, into one that the host's memory sees, after what `record` records.
    pub(super) fn read_back(
        &mut self,
        doing: &str,
        pieces: &[(&wgpu::Buffer, u64)],
        to: &Arc<Readback>,
        record: impl FnOnce(&Gpu, &mut wgpu::CommandEncoder),
    ) -> Result<(), EmbedError> {
        let buffer = self.guarded(doing, |gpu| {
            gpu.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some(doing),
                size: pieces.iter().map(|(_, bytes)| bytes).sum::<u64>().max(4),
                usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        })?;
        self.submit(doing, |gpu, encoder| {
            record(gpu, encoder);
            let mut at = 0;
            for (from, bytes) in pieces {
                encoder.copy_buffer_to_buffer(from, 0, &buffer, at, *bytes);
                at += bytes;
            }
        })?;
        let arrived = Arc::clone(to);
        self.guarded(doing, |_| {
            buffer.map_async(wgpu::MapMode::Read, .., move |result| arrived.arrive(result));
        })?;
        // Only one caller ever fills a readback.
        let _ = to.buffer.set(buffer);
        self.counters.copies_to_host += pieces.len() as u64;
        self.counters.maps += 1;
        Ok(())
    }
}

impl Readback {
    fn arrive(&self, result: Result<(), wgpu::BufferAsyncError>) {
        // A map calls back once.
        let _ = self.arrived.set(result);
    }

    /// The words, once they are there.
    pub(super) fn words(&self, gpu: &Gpu, doing: &str) -> Result<Option<Vec<u32>>, EmbedError> {
        let refused = |message: String| {
            if lost(gpu.device()) {
                return device_lost(gpu, doing);
            }
            let (device, doing) = (gpu.title().to_owned(), doing.to_owned());
            ExecError::Device { device, doing, message }.into()
        };
        let (Some(buffer), Some(arrived)) = (self.buffer.get(), self.arrived.get()) else {
            // It may be that nobody polls a lost device any more: then its callbacks never come.
            return if lost(gpu.device()) { Err(device_lost(gpu, doing)) } else { Ok(None) };
        };
        arrived.clone().map_err(|e| refused(e.to_string()))?;
        let view = buffer.get_mapped_range(..).map_err(|e| refused(e.to_string()))?;
        let words = view.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        drop(view);
        buffer.unmap();
        Ok(Some(words))
    }
}

fn device_lost(gpu: &Gpu, doing: &str) -> EmbedError {
    let (device, doing) = (gpu.title().to_owned(), doing.to_owned());
    let reason = "it takes no more work; the host's device-lost handler has the driver's words".to_owned();
    ExecError::DeviceLost { device, doing, reason }.into()
}

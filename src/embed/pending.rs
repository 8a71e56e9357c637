//! Results that arrive later.

use std::sync::Arc;

use super::EmbedError;
use super::host::Readback;
use crate::gpu::Gpu;

type Decode<T> = Box<dyn FnOnce(Vec<u32>) -> Result<T, EmbedError> + Send + Sync>;

/// A result on its way from the device. It arrives during a poll of the device or a submission, the host's or the trainer's;
/// nothing here waits.
pub struct Pending<T> {
    gpu: Arc<Gpu>,
    what: &'static str,
    readback: Arc<Readback>,
    decode: Option<Decode<T>>,
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending")
            .field("what", &self.what)
            .field("taken", &self.decode.is_none())
            .finish_non_exhaustive()
    }
}

impl<T> Pending<T> {
    pub(super) fn new(
        gpu: &Arc<Gpu>,
        what: &'static str,
        readback: &Arc<Readback>,
        decode: impl FnOnce(Vec<u32>) -> Result<T, EmbedError> + Send + Sync + 'static,
    ) -> Self {
        let (gpu, readback) = (Arc::clone(gpu), Arc::clone(readback));
        Self { gpu, what, readback, decode: Some(Box::new(decode)) }
    }

    /// The result, once: `None` while it is on its way and after it was taken. A lost device is an error.
    pub fn take(&mut self) -> Result<Option<T>, EmbedError> {
        if self.decode.is_none() {
            return Ok(None);
        }
        let Some(words) = self.readback.words(&self.gpu, self.what)? else { return Ok(None) };
        self.decode.take().map(|decode| decode(words)).transpose()
    }
}

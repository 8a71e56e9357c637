//! Results that arrive later.

use super::EmbedError;

/// A result on its way from the device. It arrives during a poll of the device or a submission, the host's or the trainer's;
/// nothing here waits.
pub struct Pending<T> {
    value: Option<T>,
}

impl<T> std::fmt::Debug for Pending<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("arrived", &self.value.is_some()).finish()
    }
}

impl<T> Pending<T> {
    /// The result, once: `None` while it is on its way and after it was taken. A lost device is an error.
    pub fn take(&mut self) -> Result<Option<T>, EmbedError> {
        Ok(self.value.take())
    }
}

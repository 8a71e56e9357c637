//! Pictures that a host puts into the data set on the device.

pub mod picture;

crate::params! {
    /// Uniform of `place_picture`.
    pub struct Place {
        /// H·W.
        positions: u32,
        /// C.
        channels: u32,
        /// Pictures that there is place for.
        count: u32,
    }
}

impl Place {
    /// The byte at (position, channel) `at` of a picture of RGBA8 texels.
    fn value(&self, texels: &[u32], at: usize) -> u32 {
        let channels = self.channels as usize;
        let [r, g, b, a] = texels[at / channels].to_le_bytes().map(u32::from);
        match channels {
            1 => (2126 * r + 7152 * g + 722 * b) / 10_000,
            _ => [r, g, b, a][at % channels],
        }
    }
}

#[cfg(test)]
mod tests;

//! Pictures, labels and explanations, before they go to a device.

/// Pixel values of a data set, row-major `[n, height, width, channels]`.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Grey or colour values in [0, 1].
    Float(Vec<f32>),
    /// 8-bit values, 255 = 1.0.
    Byte(Vec<u8>),
}

/// Labelled pictures of one size, some with an explanation.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Height of every picture in pixels.
    pub height: usize,
    /// Width of every picture in pixels.
    pub width: usize,
    /// 1 (grey) or 3 (colour).
    pub channels: usize,
    /// Class names; a label is an index into them.
    pub classes: Vec<String>,
    /// `[n, height, width, channels]`.
    pub pixels: Pixels,
    /// `[n]`.
    pub labels: Vec<u32>,
    /// `[n, height, width]`, 255 = relevant; zeros for a picture without an explanation.
    pub masks: Vec<u8>,
    /// `[n]`: whether the picture has an explanation.
    pub explained: Vec<bool>,
    /// `[n]`: where the picture came from, for messages.
    pub names: Vec<String>,
}

//! Pictures and masks on their way in.
//!
//! A picture's values are the coded bytes that an image file holds, and that a screen takes: p = byte / 255, so x = 2p − 1 in
//! the network. A texture of an sRGB format is read through the decoder of the hardware and coded again, so that it gives the very
//! bytes that it stores; one of a linear format gives its bytes as they are. What a host draws for the screen into either therefore
//! trains as the same picture would from a PNG file.

/// A picture of the trainer's height and width. With one channel in the model, colours become grey by
/// (2126 R + 7152 G + 722 B) / 10,000, rounded down, as the readers of image files do; with three, grey is repeated. Alpha is left out.
#[derive(Clone, Copy, Debug)]
pub enum Picture<'a> {
    /// `[H, W]` bytes in host memory.
    Grey(&'a [u8]),
    /// `[H, W, 3]` bytes in host memory.
    Rgb(&'a [u8]),
    /// `[H, W, 4]` bytes in host memory.
    Rgba(&'a [u8]),
    /// A view of a 2-d texture with the usage `TEXTURE_BINDING`: `Rgba8Unorm`, `Bgra8Unorm`, either with `Srgb`, or `R8Unorm` (grey).
    /// Its first layer and first mip level are read during the call.
    Texture(&'a wgpu::TextureView),
}

/// What explains a picture: 255 = relevant, 0 = not.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'a> {
    /// `[H, W]` bytes in host memory.
    Bytes(&'a [u8]),
    /// A view of an `R8Unorm` texture with the usage `TEXTURE_BINDING`, read during the call.
    Texture(&'a wgpu::TextureView),
}

/// The picture that a prediction or an overlay is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// One of the trainer's pictures, by its number.
    Stored(usize),
    /// Any other one; it does not become a training picture.
    Given(Picture<'a>),
}

//! What the examples' hosts share: a device of their own, pictures, and a way to look at a texture.

// Each example uses its own part of this.
#![allow(dead_code)]

use std::error::Error;
use std::path::Path;

use rationale::data::triangles::{self, Part, PatchRule, TriangleSet};
use rationale::data::{Dataset, Pixels};
use rationale::embed::{Mask, Picture, Requirements, Trainer};
use rationale::gpu::{self, Choice, Chosen};
use rationale::wgpu;

/// What an example may fail with.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A device as a host makes it: with what the trainer requires beside what the host itself needs. `RATIONALE_DEVICE` names the
/// adapter, as `--device` does; without it the first Vulkan adapter is taken.
pub fn device(requirements: &Requirements) -> Result<(wgpu::Device, wgpu::Queue)> {
    let wanted = std::env::var("RATIONALE_DEVICE").unwrap_or_else(|_| "vulkan".to_owned());
    let Ok(choice) = wanted.parse::<Choice>();
    let Chosen::Gpu(adapter, report, _) = gpu::choose(&choice)? else {
        return Err("this example needs a GPU adapter; `rationale devices` lists them".into());
    };
    println!("adapter: {}", report.title());
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("host"),
        required_features: requirements.features | (requirements.welcome & adapter.features()),
        required_limits: requirements.limits.clone(),
        ..Default::default()
    };
    Ok(pollster::block_on(adapter.request_device(&descriptor))?)
}

/// Generated triangles with a patch that gives the class away, as bytes.
pub fn pictures(count: usize) -> Result<(Dataset, Vec<u8>)> {
    let counts = triangles::balanced(count, 2);
    let data = triangles::generate(TriangleSet::ES, &counts, 1, Part::Train, PatchRule::Follows(1.0))?;
    let bytes = match &data.pixels {
        Pixels::Byte(bytes) => bytes.clone(),
        Pixels::Float(values) => values.iter().map(|value| (255.0 * value).round() as u8).collect(),
    };
    Ok((data, bytes))
}

/// Hands pictures, labels and masks to a trainer.
pub fn fill(trainer: &mut Trainer, data: &Dataset, bytes: &[u8]) -> Result<()> {
    for (i, picture) in bytes.chunks(data.picture_len()).enumerate() {
        trainer.set_picture(i, Picture::Grey(picture))?;
        trainer.set_label(i, Some(data.labels[i]))?;
        trainer.set_mask(i, Mask::Bytes(data.mask(i)))?;
    }
    Ok(())
}

/// A texture that can be drawn to, read by shaders, written and copied.
pub fn texture(device: &wgpu::Device, format: wgpu::TextureFormat, width: u32, height: u32) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("host's texture"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::COPY_SRC
            | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

/// Writes a whole texture from bytes.
pub fn write(queue: &wgpu::Queue, texture: &wgpu::Texture, bytes: &[u8]) {
    let row = bytes.len() as u32 / texture.height();
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
    queue.write_texture(texture.as_image_copy(), bytes, layout, texture.size());
}

/// Reads a whole RGBA8 texture; its width is a multiple of 64. The host waits here, as a headless one may.
pub fn read(device: &wgpu::Device, queue: &wgpu::Queue, texture: &wgpu::Texture) -> Result<Vec<u8>> {
    let row = 4 * texture.width();
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("host's readback"),
        size: u64::from(row * texture.height()),
        usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
    let to = wgpu::TexelCopyBufferInfo { buffer: &buffer, layout };
    encoder.copy_texture_to_buffer(texture.as_image_copy(), to, texture.size());
    queue.submit([encoder.finish()]);
    buffer.map_async(wgpu::MapMode::Read, .., |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    Ok(buffer.get_mapped_range(..)?.to_vec())
}

/// Writes RGBA bytes as a PNG.
pub fn save(path: &Path, rgba: &[u8], width: u32, height: u32) -> Result<()> {
    image::save_buffer(path, rgba, width, height, image::ColorType::Rgba8)?;
    println!("wrote {}", path.display());
    Ok(())
}

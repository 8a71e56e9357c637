//! A host's textures: held against what the trainer can use, read into a buffer, drawn from one.

use super::EmbedError;
use crate::gpu::Gpu;

use wgpu::TextureFormat as Format;

/// Formats that are read as pictures, and what an error says of them.
pub(super) const PICTURE: (&[Format], &str) = (
    &[
        Format::Rgba8Unorm,
        Format::Rgba8UnormSrgb,
        Format::Bgra8Unorm,
        Format::Bgra8UnormSrgb,
        Format::R8Unorm,
    ],
    "Rgba8Unorm, Rgba8UnormSrgb, Bgra8Unorm, Bgra8UnormSrgb or R8Unorm",
);
/// Formats that are read as masks.
pub(super) const MASK: (&[Format], &str) = (&[Format::R8Unorm], "R8Unorm");
/// Formats that are drawn to; each has a pipeline of its own.
pub(super) const TARGET: (&[Format], &str) = (
    &[Format::Rgba8Unorm, Format::Rgba8UnormSrgb, Format::Bgra8Unorm, Format::Bgra8UnormSrgb],
    "Rgba8Unorm, Rgba8UnormSrgb, Bgra8Unorm or Bgra8UnormSrgb",
);

/// Refuses a texture of another format, without the usage, or, where it is given, of another width and height.
pub(super) fn check(
    what: &str,
    view: &wgpu::TextureView,
    (formats, allowed): (&[Format], &'static str),
    usage: wgpu::TextureUsages,
    size: Option<(u32, u32)>,
) -> Result<(), EmbedError> {
    let texture = view.texture();
    let what = what.to_owned();
    if !formats.contains(&texture.format()) {
        return Err(EmbedError::TextureFormat { what, found: texture.format(), allowed });
    }
    let missing = usage - texture.usage();
    if !missing.is_empty() {
        return Err(EmbedError::TextureUsage { what, found: texture.usage(), missing });
    }
    let found = (texture.width(), texture.height());
    let flat = texture.dimension() == wgpu::TextureDimension::D2
        && texture.sample_count() == 1
        && texture.depth_or_array_layers() == 1;
    let expected = size.unwrap_or(found);
    if found != expected || !flat {
        return Err(EmbedError::TextureSize { what, found, expected });
    }
    Ok(())
}

/// Four words, eight where more are needed: uniforms are small.
const UNIFORM_BYTES: u64 = 32;

/// The pipelines that touch textures, and their uniforms.
pub(super) struct Textures {
    read: wgpu::ComputePipeline,
    read_layout: wgpu::BindGroupLayout,
    read_uniform: wgpu::Buffer,
    draw_module: wgpu::ShaderModule,
    draw_layout: wgpu::BindGroupLayout,
    draw_uniform: wgpu::Buffer,
    draw: Vec<(Format, wgpu::RenderPipeline)>,
}

impl Textures {
    /// All but the pipelines that draw.
    pub(super) fn new(gpu: &Gpu) -> Self {
        let device = gpu.device();
        let compute = wgpu::ShaderStages::COMPUTE;
        let fragment = wgpu::ShaderStages::FRAGMENT;
        let texture = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let read_layout = layout(
            device,
            "read texture",
            &[(compute, uniform()), (compute, texture), (compute, storage(false))],
        );
        let draw_layout = layout(device, "draw texels", &[(fragment, uniform()), (fragment, storage(true))]);
        let module = |label, text: &'static str| {
            device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(label),
                source: wgpu::ShaderSource::Wgsl(text.into()),
            })
        };
        let read_module = module("read texture", include_str!("../../shaders/textures/read.wgsl"));
        let read = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("read texture"),
            layout: Some(&pipeline_layout(device, &read_layout)),
            module: &read_module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let buffer = |label| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: UNIFORM_BYTES,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            })
        };
        Self {
            read,
            read_layout,
            read_uniform: buffer("read texture uniform"),
            draw_module: module("draw texels", include_str!("../../shaders/textures/draw.wgsl")),
            draw_layout,
            draw_uniform: buffer("draw texels uniform"),
            draw: Vec::new(),
        }
    }

    /// Makes the next pipeline that draws, one for each format of [`TARGET`].
    pub(super) fn add_target(&mut self, gpu: &Gpu) {
        let Some(&format) = TARGET.0.get(self.draw.len()) else { return };
        let device = gpu.device();
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("draw texels"),
            layout: Some(&pipeline_layout(device, &self.draw_layout)),
            vertex: wgpu::VertexState {
                module: &self.draw_module,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &self.draw_module,
                entry_point: Some("color"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(format.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        self.draw.push((format, pipeline));
    }

    /// Records that the texture's texels come into a buffer, RGBA8 as they are stored.
    pub(super) fn record_read(
        &self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        view: &wgpu::TextureView,
        texels: &wgpu::Buffer,
    ) {
        let texture = view.texture();
        let (width, height) = (texture.width(), texture.height());
        let grey = u32::from(texture.format() == Format::R8Unorm);
        let words = [width, height, grey, u32::from(texture.format().is_srgb())];
        gpu.queue().write_buffer(&self.read_uniform, 0, bytemuck::cast_slice(&words));
        let resources = [
            self.read_uniform.as_entire_binding(),
            wgpu::BindingResource::TextureView(view),
            texels.as_entire_binding(),
        ];
        let group = bind(gpu, &self.read_layout, resources);
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("read texture"),
            timestamp_writes: None,
        });
        pass.set_pipeline(&self.read);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(width.div_ceil(8), height.div_ceil(8), 1);
    }

    /// Records that texels of a map are drawn over the whole target.
    pub(super) fn record_draw(
        &self,
        gpu: &Gpu,
        encoder: &mut wgpu::CommandEncoder,
        texels: &wgpu::Buffer,
        (width, height): (u32, u32),
        target: &wgpu::TextureView,
    ) {
        let texture = target.texture();
        let Some((format, pipeline)) = self.draw.iter().find(|(format, _)| *format == texture.format())
        else {
            return;
        };
        let words = [width, height, texture.width(), texture.height(), u32::from(format.is_srgb()), 0, 0, 0];
        gpu.queue().write_buffer(&self.draw_uniform, 0, bytemuck::cast_slice(&words));
        let resources = [self.draw_uniform.as_entire_binding(), texels.as_entire_binding()];
        let group = bind(gpu, &self.draw_layout, resources);
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("draw texels"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: target,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations {
                    load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                    store: wgpu::StoreOp::Store,
                },
            })],
            depth_stencil_attachment: None,
            timestamp_writes: None,
            occlusion_query_set: None,
            multiview_mask: None,
        });
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.draw(0..3, 0..1);
    }
}

fn uniform() -> wgpu::BindingType {
    let ty = wgpu::BufferBindingType::Uniform;
    wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None }
}

fn storage(read_only: bool) -> wgpu::BindingType {
    let ty = wgpu::BufferBindingType::Storage { read_only };
    wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None }
}

fn layout(
    device: &wgpu::Device,
    label: &str,
    bindings: &[(wgpu::ShaderStages, wgpu::BindingType)],
) -> wgpu::BindGroupLayout {
    let entry = |(binding, &(visibility, ty)): (usize, &(wgpu::ShaderStages, wgpu::BindingType))| {
        wgpu::BindGroupLayoutEntry { binding: binding as u32, visibility, ty, count: None }
    };
    let entries: Vec<_> = bindings.iter().enumerate().map(entry).collect();
    device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}

fn pipeline_layout(device: &wgpu::Device, layout: &wgpu::BindGroupLayout) -> wgpu::PipelineLayout {
    device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("textures"),
        bind_group_layouts: &[Some(layout)],
        ..Default::default()
    })
}

fn bind<const N: usize>(
    gpu: &Gpu,
    layout: &wgpu::BindGroupLayout,
    resources: [wgpu::BindingResource<'_>; N],
) -> wgpu::BindGroup {
    let mut binding = 0..;
    let entries = resources
        .map(|resource| wgpu::BindGroupEntry { binding: binding.next().unwrap_or_default(), resource });
    gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("textures"),
        layout,
        entries: &entries,
    })
}

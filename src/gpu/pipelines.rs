//! Compute pipelines, their layouts taken from the shaders.

use crate::shader::Shader;

/// A pipeline and the layout of its one bind group.
#[derive(Debug)]
pub struct Pipeline {
    /// The compute pipeline.
    pub compute: wgpu::ComputePipeline,
    /// Layout of bind group 0: the uniform at 0, then the storage buffers.
    pub layout: wgpu::BindGroupLayout,
}

fn entry(binding: u32, ty: wgpu::BufferBindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    }
}

pub(super) fn create(device: &wgpu::Device, shader: &Shader, text: &str) -> Pipeline {
    let label = format!("{} ({})", shader.kernel, shader.variant);
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform)];
    for (i, binding) in shader.bindings.iter().enumerate() {
        // `read` in the shader is read-only in the layout too: the API itself forbids the write.
        entries.push(entry(i as u32 + 1, wgpu::BufferBindingType::Storage { read_only: !binding.writes }));
    }
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(&label),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(&label),
        bind_group_layouts: &[Some(&layout)],
        ..Default::default()
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(&label),
        source: wgpu::ShaderSource::Wgsl(text.into()),
    });
    let compute = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&label),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    tracing::debug!(pipeline = label, "made");
    Pipeline { compute, layout }
}

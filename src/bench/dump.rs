//! The final text of every variant, as WGSL and, where this build can, as SPIR-V.

use std::path::{Path, PathBuf};

use crate::exec::Device;
use crate::kernels::KERNELS;
use crate::shader::Shader;

/// Why a dump ended.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// A folder or a file.
    #[error("{path}: {source}; choose a folder that can be written")]
    Write {
        /// The path.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// naga does not translate the shader.
    #[error("{shader}: {message}")]
    Translate {
        /// The shader.
        shader: &'static str,
        /// naga's words.
        message: String,
    },
}

/// Writes `<kernel>.<variant>.wgsl` and `.spv` (with the subgroup size behind the variant where it is written out for one) for the kernels whose names contain `kernel`; returns the paths. The WGSL is
/// what the driver's compiler is given, edited shaders included; the SPIR-V is naga's translation of it without the bounds
/// checks that wgpu adds by what the adapter guarantees.
pub fn dump(device: &Device, folder: &Path, kernel: Option<&str>) -> Result<Vec<PathBuf>, DumpError> {
    let write = |path: PathBuf, bytes: &[u8]| match std::fs::write(&path, bytes) {
        Ok(()) => Ok(path),
        Err(source) => Err(DumpError::Write { path, source }),
    };
    std::fs::create_dir_all(folder).map_err(|source| DumpError::Write { path: folder.to_owned(), source })?;
    let mut paths = Vec::new();
    for row in KERNELS.iter().filter(|row| kernel.is_none_or(|part| row.name.contains(part))) {
        for shader in row.shaders() {
            let text = match device {
                Device::Cpu { .. } => shader.source,
                Device::Gpu { gpu, .. } => gpu.edited().text(shader),
            };
            let size = shader.subgroup_size.map_or(String::new(), |size| format!(".{size}"));
            let stem = format!("{}.{}{size}", shader.kernel, shader.variant);
            paths.push(write(folder.join(format!("{stem}.wgsl")), text.as_bytes())?);
            if let Some(words) = spirv(shader, text)? {
                paths.push(write(folder.join(format!("{stem}.spv")), bytemuck::cast_slice(&words))?);
            }
        }
    }
    Ok(paths)
}

/// naga's SPIR-V back end is there where wgpu speaks Vulkan.
#[cfg(any(windows, target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn spirv(shader: &'static Shader, text: &str) -> Result<Option<Vec<u32>>, DumpError> {
    use wgpu::naga;
    let failed = |message: String| DumpError::Translate { shader: shader.path, message };
    let module = naga::front::wgsl::parse_str(text).map_err(|e| failed(e.to_string()))?;
    let flags = naga::valid::ValidationFlags::all();
    let info = naga::valid::Validator::new(flags, naga::valid::Capabilities::all())
        .validate(&module)
        .map_err(|e| failed(e.to_string()))?;
    let options = naga::back::spv::Options { lang_version: (1, 3), ..Default::default() };
    let words = naga::back::spv::write_vec(&module, &info, &options, None);
    words.map(Some).map_err(|e| failed(e.to_string()))
}

#[cfg(not(any(windows, target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn spirv(_: &'static Shader, _: &str) -> Result<Option<Vec<u32>>, DumpError> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::Choice;

    #[test]
    fn every_variant_is_written_twice() {
        let folder = tempfile::tempdir().unwrap();
        let device = Device::open(&Choice::Cpu).unwrap();
        let paths = dump(&device, folder.path(), Some("relu_forward")).unwrap();
        assert!(paths.iter().any(|path| path.ends_with("relu_forward.vec4.wgsl")));
        for path in paths.iter().filter(|path| path.extension().is_some_and(|e| e == "spv")) {
            let bytes = std::fs::read(path).unwrap();
            assert_eq!(bytes[..4], 0x0723_0203_u32.to_le_bytes(), "SPIR-V's magic number");
        }
    }
}

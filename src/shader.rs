//! What the build script read from `shaders/`: the text of every kernel and what Rust must know of it.

pub mod expand;
mod target;

pub use target::{DeviceClass, Target};

/// The type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// 32-bit float.
    F32,
    /// 32-bit unsigned integer: indices, labels, packed bytes.
    U32,
}

/// One member of a kernel's uniform struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the shader.
    pub name: &'static str,
    /// Byte offset in the struct.
    pub offset: u32,
    /// Its type.
    pub dtype: DType,
}

/// One storage buffer of a kernel, in the order of its binding numbers (1, 2, 3 …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its name in the shader.
    pub name: &'static str,
    /// `read_write` in the shader, else `read`.
    pub writes: bool,
    /// Element type; `vec4<f32>` counts as F32.
    pub dtype: DType,
}

/// One variant of one kernel, as its WGSL file says it.
#[derive(Debug)]
pub struct Shader {
    /// `<op>_<direction>`, such as `conv2d_backward_weight`.
    pub kernel: &'static str,
    /// `direct`, or the name of the folder that holds the variant.
    pub variant: &'static str,
    /// Where the text stands in the repository.
    pub path: &'static str,
    /// The text, shared parts appended.
    pub source: &'static str,
    /// Invocations per workgroup.
    pub workgroup_size: [u32; 3],
    /// Storage buffers; binding 0 is the uniform.
    pub bindings: &'static [Binding],
    /// Members of the uniform struct.
    pub uniform: &'static [Field],
    /// Size of the uniform struct in bytes.
    pub uniform_size: u32,
    /// `const NAME: u32` at module scope: tile sizes and the like.
    pub constants: &'static [(&'static str, u32)],
    /// The one subgroup size that it was written out for; `None` where it uses no subgroups.
    pub subgroup_size: Option<u32>,
    /// Workgroup memory in bytes.
    pub workgroup_bytes: u32,
}

impl Shader {
    /// A `const NAME: u32` of the shader; `None` where it has none of that name.
    pub fn constant(&self, name: &str) -> Option<u32> {
        self.constants.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    /// Invocations in one workgroup.
    pub fn invocations(&self) -> u32 {
        self.workgroup_size.iter().product()
    }
}

include!(concat!(env!("OUT_DIR"), "/shaders.rs"));

/// The shader of a kernel's variant; of one that is written out for several subgroup sizes, the first.
pub fn find(kernel: &str, variant: &str) -> Option<&'static Shader> {
    SHADERS.iter().find(|shader| shader.kernel == kernel && shader.variant == variant)
}

/// The shader of a kernel's variant that runs on a device; `None` where the device lacks what it takes.
pub fn find_for(kernel: &str, variant: &str, target: Target) -> Option<&'static Shader> {
    SHADERS.iter().find(|shader| shader.kernel == kernel && shader.variant == variant && target.runs(shader))
}

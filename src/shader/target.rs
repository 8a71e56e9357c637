//! What a plan is made for.

use super::Shader;

/// The kind of device, as far as it decides which kernels are fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum DeviceClass {
    /// The CPU twins, or a device of which nothing is known: no kernel that asks for a feature.
    #[default]
    Plain,
    /// An adapter that is a CPU in disguise: loads are dear, lanes are few.
    Software,
    /// An adapter with thousands of lanes and workgroup memory of its own.
    Hardware,
}

/// What the device of a plan can do beyond what every device can. [`crate::exec::Device::limits`] holds that of a
/// device; the default is a device of which nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Which kernels are tried first.
    pub class: DeviceClass,
    /// The number of lanes of a subgroup, where it is one number for every kernel and the device has the feature.
    pub subgroup_size: Option<u32>,
    /// Workgroup memory in bytes.
    pub workgroup_bytes: u32,
}

impl Target {
    /// A device of which nothing is known but that it is one of WebGPU: 16 KiB of workgroup memory, no features.
    pub const PLAIN: Target =
        Target { class: DeviceClass::Plain, subgroup_size: None, workgroup_bytes: 16 << 10 };

    /// Whether a shader can run there.
    pub fn runs(&self, shader: &Shader) -> bool {
        shader.workgroup_bytes <= self.workgroup_bytes
            && (shader.subgroup_size.is_none() || shader.subgroup_size == self.subgroup_size)
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::PLAIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shader::SHADERS;

    #[test]
    fn a_shader_runs_where_its_subgroups_and_its_memory_are() {
        let nothing = Target::default();
        let all = |size| Target { subgroup_size: Some(size), workgroup_bytes: 1 << 20, ..nothing };
        for shader in SHADERS {
            let plain = shader.subgroup_size.is_none();
            assert_eq!(nothing.runs(shader), plain, "{} {:?}", shader.path, shader.subgroup_size);
            let none = Target { workgroup_bytes: 0, ..nothing };
            assert_eq!(none.runs(shader), plain && shader.workgroup_bytes == 0, "{}", shader.path);
            assert_eq!(all(8).runs(shader), shader.subgroup_size.is_none_or(|size| size == 8));
            assert!(!all(7).runs(shader) || shader.subgroup_size.is_none());
        }
        assert!(SHADERS.iter().any(|shader| all(32).runs(shader) && !all(8).runs(shader)));
    }
}

//! What a device must have, known before it is made.

/// What a host asks the adapter for.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirements {
    /// Features without which nothing runs.
    pub features: wgpu::Features,
    /// Features that make some kernels faster; ask for those of them that the adapter has.
    pub welcome: wgpu::Features,
    /// Limits; every adapter that knows WebGPU has those of [`requirements`].
    pub limits: wgpu::Limits,
}

/// What a device must have for any setup; [`super::Setup::requirements`] knows those of a certain one.
pub fn requirements() -> Requirements {
    Requirements {
        features: wgpu::Features::empty(),
        welcome: wgpu::Features::SUBGROUP,
        limits: wgpu::Limits::default(),
    }
}

/// Something that a device lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The name of the limit or feature, as wgpu calls it.
    pub name: String,
    /// What is needed; 1 for a feature.
    pub needed: u64,
    /// What there is; 0 for a feature.
    pub found: u64,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} (it has {})", self.name, self.needed, self.found)
    }
}

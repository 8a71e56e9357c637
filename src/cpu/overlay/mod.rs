//! What the model looks at, as colours.

pub mod colors;
pub mod heat;
pub mod picture;

crate::params! {
    /// Uniform of `overlay_heat`.
    pub struct Heat {
        /// H·W.
        positions: u32,
        /// C.
        channels: u32,
        /// What is added to each value.
        shift: f32,
        /// The least that a shifted value counts as.
        floor: f32,
    }
}

crate::params! {
    /// Uniform of `overlay_colors`.
    pub struct Colors {
        /// H·W.
        positions: u32,
    }
}

crate::params! {
    /// Uniform of `overlay_picture`.
    pub struct Picture {
        /// H·W.
        positions: u32,
        /// C.
        channels: u32,
    }
}

#[cfg(test)]
mod tests;

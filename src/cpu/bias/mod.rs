//! The gradient of a bias. Its forward direction is part of the layer that has the bias.

pub mod backward;

crate::params! {
    /// Uniform of the backward direction.
    pub struct Bias {
        /// R.
        replicas: u32,
        /// Rows of d_y per replica.
        rows: u32,
        /// C.
        channels: u32,
        /// S.
        slices: u32,
        /// Rows per slice.
        slice_length: u32,
    }
}

//! Rectified linear unit.

pub mod backward;
pub mod forward;

crate::params! {
    /// Uniform of both directions.
    pub struct Relu {
        /// Number of elements.
        count: u32,
    }
}

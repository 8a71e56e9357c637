//! Mean squared distance between two maps, an alignment loss without a softmax.

pub mod forward;

crate::params! {
    /// Uniform of `squared_distance_forward`.
    pub struct SquaredDistance {
        /// R · N.
        rows: u32,
        /// D, values in a picture.
        length: u32,
        /// N.
        batch: u32,
    }
}

#[cfg(test)]
mod tests;

//! The multiplier of a constraint, by dual ascent.

pub mod ascend;

crate::params! {
    /// Uniform of `multiplier_ascend`.
    pub struct Ascend {
        /// R.
        replicas: u32,
        /// ε, the mean loss that is allowed.
        epsilon: f32,
        /// ρ, the rate of the ascent.
        rate: f32,
    }
}

//! What a device can do at best: a copy, and multiply-adds in registers.

pub mod copy;
pub mod fma;

crate::params! {
    /// Uniform of both.
    pub struct Ceiling {
        /// Vectors of four floats in y.
        count: u32,
        /// Rounds of four steps.
        rounds: u32,
    }
}

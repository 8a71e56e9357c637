//! The number of the step in the epoch.

pub mod advance;

crate::params! {
    /// Uniform of `clock_advance`.
    pub struct Clock {
        /// Clocks to advance: 1.
        count: u32,
    }
}

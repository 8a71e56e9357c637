//! Learning rates that move by step.

pub mod rate;

crate::params! {
    /// Uniform of `schedule_rate`.
    pub struct Rate {
        /// R.
        replicas: u32,
        /// Steps of an epoch.
        steps: u32,
    }
}

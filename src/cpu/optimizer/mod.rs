//! Adam, AdamW and momentum SGD, and the count of updates that they need.

pub mod adam;
pub mod sgd;
pub mod tick;

crate::params! {
    /// Uniform of `optimizer_tick`.
    pub struct Tick {
        /// R.
        replicas: u32,
        /// β1.
        beta1: f32,
        /// 1 − β1, rounded once.
        one_minus_beta1: f32,
        /// β2.
        beta2: f32,
        /// 1 − β2, rounded once.
        one_minus_beta2: f32,
    }
}

crate::params! {
    /// Uniform of `optimizer_adam`.
    pub struct Adam {
        /// R·size.
        count: u32,
        /// Parameters of one replica.
        size: u32,
        /// β1.
        beta1: f32,
        /// 1 − β1, rounded once.
        one_minus_beta1: f32,
        /// β2.
        beta2: f32,
        /// 1 − β2, rounded once.
        one_minus_beta2: f32,
        /// ε, added to the root of the second moment.
        epsilon: f32,
        /// L2 factor, or the decay of AdamW.
        weight_decay: f32,
        /// 1: AdamW.
        decoupled: u32,
    }
}

crate::params! {
    /// Uniform of `optimizer_sgd`.
    pub struct Sgd {
        /// R·size.
        count: u32,
        /// Parameters of one replica.
        size: u32,
        /// Factor of the old velocity.
        momentum: f32,
        /// L2 factor.
        weight_decay: f32,
        /// 1: Nesterov's form.
        nesterov: u32,
    }
}

#[cfg(test)]
mod tests;

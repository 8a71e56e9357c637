//! Predictions, confusion counts and recorded losses.

pub mod argmax;
pub mod confusion;
pub mod record;
pub mod store;

crate::params! {
    /// Uniform of `metrics_argmax`.
    pub struct Argmax {
        /// R·N.
        rows: u32,
        /// K.
        classes: u32,
    }
}

crate::params! {
    /// Uniform of `metrics_store`.
    pub struct Store {
        /// R·N.
        rows: u32,
        /// N.
        batch: u32,
        /// Steps of an epoch.
        steps: u32,
    }
}

crate::params! {
    /// Uniform of `metrics_confusion`.
    pub struct Confusion {
        /// R·K·K.
        cells: u32,
        /// N.
        batch: u32,
        /// K.
        classes: u32,
    }
}

crate::params! {
    /// Uniform of `metrics_record`.
    pub struct History {
        /// R.
        replicas: u32,
        /// Losses of one replica.
        length: u32,
        /// Steps of an epoch.
        steps: u32,
        /// Values kept per step.
        slots: u32,
        /// Which of them this is.
        slot: u32,
    }
}

#[cfg(test)]
mod tests;

//! Cross-entropy of logits against labels.

pub mod forward;

crate::params! {
    /// Uniform of `cross_entropy_forward`.
    pub struct CrossEntropy {
        /// R·N.
        rows: u32,
        /// N.
        batch: u32,
        /// K.
        classes: u32,
        /// Factor of the gradient.
        scale: f32,
    }
}

#[cfg(test)]
mod tests;

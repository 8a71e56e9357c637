//! Kullback–Leibler divergence between two softmaxes, the loss of the second stage.

pub mod forward;

crate::params! {
    /// Uniform of `kl_divergence_forward`; the groups are those of [`super::softmax::Softmax`].
    pub struct KlDivergence {
        /// rows · inner.
        groups: u32,
        /// Values in a group.
        length: u32,
        /// Distance of the values of a group, and groups per row (G): 1, or the number of channels.
        inner: u32,
        /// N.
        batch: u32,
        /// T, by which target and z are divided.
        temperature: f32,
    }
}

#[cfg(test)]
mod tests;

//! Inverted dropout (Srivastava et al. 2014): elements are dropped at random, and what stays is scaled up.

pub mod forward;

crate::params! {
    /// Uniform of `dropout_forward`.
    pub struct Dropout {
        /// R·size.
        count: u32,
        /// Elements of one replica.
        size: u32,
        /// A number for the layer.
        layer: u32,
        /// An element is dropped where its hash is below: rate · 2³².
        threshold: u32,
        /// 1 / (1 − rate).
        scale: f32,
    }
}

/// The finaliser of MurmurHash3 (Appleby 2011): every bit of the result depends on every bit of the word.
pub(super) fn mix(word: u32) -> u32 {
    let mut h = word;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

#[cfg(test)]
mod tests;

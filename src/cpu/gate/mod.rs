//! A gate on a feature map: y = g ⊙ h, g = max(1 + s, 0).

pub mod backward_input;
pub mod backward_input_sum;
pub mod backward_scale;
pub mod forward;

use super::Real;

crate::params! {
    /// Uniform of all directions.
    pub struct Gate {
        /// Number of elements.
        count: u32,
        /// The slope that a closed gate passes back; read by `backward_scale` alone.
        slope: f32,
    }
}

/// g = max(1 + s, 0). A NaN stays a NaN.
fn gate<T: Real>(s: T) -> T {
    let u = T::ONE + s;
    if u < T::ZERO { T::ZERO } else { u }
}

#[cfg(test)]
mod tests;

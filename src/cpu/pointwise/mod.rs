//! Sums and products, element by element.

pub mod add;
pub mod product;
pub mod scale;
pub mod sum;

crate::params! {
    /// Uniform of `pointwise_add`.
    pub struct Add {
        /// Number of elements.
        count: u32,
        /// Factor of x.
        scale: f32,
    }
}

crate::params! {
    /// Uniform of `pointwise_scale`.
    pub struct Scale {
        /// R·size.
        count: u32,
        /// Elements of one replica.
        size: u32,
    }
}

crate::params! {
    /// Uniform of `pointwise_product`.
    pub struct Product {
        /// Number of elements.
        count: u32,
    }
}

crate::params! {
    /// Uniform of `pointwise_sum`.
    pub struct PointwiseSum {
        /// Number of elements.
        count: u32,
    }
}

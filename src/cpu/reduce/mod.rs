//! Sums in a fixed order.

pub mod sum;
pub mod sum_slices;

crate::params! {
    /// Uniform of `reduce_sum_slices`.
    pub struct SumSlices {
        /// R.
        replicas: u32,
        /// S.
        slices: u32,
        /// L, elements of one slice.
        length: u32,
    }
}

crate::params! {
    /// Uniform of `reduce_sum`.
    pub struct Sum {
        /// R.
        replicas: u32,
        /// L, elements to add.
        length: u32,
        /// S, sums that remain.
        slices: u32,
    }
}

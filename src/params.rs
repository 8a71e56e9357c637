//! The numbers that travel with a command: one plain struct per kernel, shared by shader and twin.

use crate::shader::{DType, Field};

/// A uniform struct of u32 and f32 members. [`crate::params!`] writes the implementation.
pub trait Params: bytemuck::Pod + Send + Sync {
    /// Its members as Rust lays them out; a test holds them against the shader's.
    fn fields() -> Vec<Field>;
}

/// The scalars that a uniform may hold.
pub trait Scalar {
    /// The matching element type.
    const DTYPE: DType;
}

impl Scalar for u32 {
    const DTYPE: DType = DType::U32;
}

impl Scalar for f32 {
    const DTYPE: DType = DType::F32;
}

/// Declares a uniform struct together with the list of its members.
#[macro_export]
macro_rules! params {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident : $ty:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        pub struct $name { $($(#[$field_meta])* pub $field: $ty),* }

        impl $crate::params::Params for $name {
            fn fields() -> Vec<$crate::shader::Field> {
                vec![$($crate::shader::Field {
                    name: stringify!($field),
                    offset: std::mem::offset_of!($name, $field) as u32,
                    dtype: <$ty as $crate::params::Scalar>::DTYPE,
                }),*]
            }
        }
    };
}

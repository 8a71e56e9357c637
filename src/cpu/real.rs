//! The two float types that a twin runs in.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::exp;
use super::product::{self, Finish, Left, Right};
use super::{scratch, simd};

/// f32 or f64.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + scratch::Element
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Minus infinity.
    const NEG_INFINITY: Self;
    /// Exact.
    fn from_f32(x: f32) -> Self;
    /// Rounds to nearest where the type is f32.
    fn from_f64(x: f64) -> Self;
    /// Exact.
    fn to_f64(self) -> f64;
    /// e to this power.
    fn exp(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// The larger one; a NaN counts as missing.
    fn max(self, other: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Not a number.
    fn is_nan(self) -> bool;
    /// [`product::multiply`]: plain loops in f64, vector registers in f32.
    fn multiply(
        a: Left<'_, Self>,
        b: &Right<'_, Self>,
        finish: Finish<'_, Self>,
        c: &mut [Self],
        places: &[usize],
    );
    /// A count as a float.
    fn from_usize(n: usize) -> Self {
        Self::from_f64(n as f64)
    }
}

macro_rules! real {
    ($ty:ident, $multiply:path, $exp:path) => {
        impl Real for $ty {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const NEG_INFINITY: Self = $ty::NEG_INFINITY;
            fn from_f32(x: f32) -> Self {
                x as $ty
            }
            fn from_f64(x: f64) -> Self {
                x as $ty
            }
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $exp(self)
            }
            fn ln(self) -> Self {
                $ty::ln(self)
            }
            fn sqrt(self) -> Self {
                $ty::sqrt(self)
            }
            fn max(self, other: Self) -> Self {
                $ty::max(self, other)
            }
            fn is_nan(self) -> bool {
                $ty::is_nan(self)
            }
            fn multiply(
                a: Left<'_, Self>,
                b: &Right<'_, Self>,
                finish: Finish<'_, Self>,
                c: &mut [Self],
                places: &[usize],
            ) {
                $multiply(a, b, finish, c, places);
            }
            fn is_finite(self) -> bool {
                $ty::is_finite(self)
            }
        }
    };
}

real!(f32, simd::multiply, exp::exp);
real!(f64, product::multiply_plainly, f64::exp);

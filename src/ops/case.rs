//! A case: one operation at one shape, with inputs to draw and the error that its arithmetic allows.

use crate::plan::{Plan, TensorId};

/// How a case's input is filled, always from a seed.
#[derive(Clone, Debug, PartialEq)]
pub enum Fill {
    /// Standard normal times a scale.
    Normal(f32),
    /// Uniform in [low, high).
    Uniform(f32, f32),
    /// Integers below a bound.
    Below(u32),
    /// These values, repeated to the tensor's length.
    Floats(Vec<f32>),
    /// These values, repeated to the tensor's length.
    Indices(Vec<u32>),
}

/// How far a GPU's f32 result may lie from the twin's f64 result. Follows from the arithmetic, not from trials.
#[derive(Clone, Debug, PartialEq)]
pub enum Tolerance {
    /// Equal bit for bit (after rounding the twin's result to f32).
    Exact,
    /// A sum of `terms` products: |error| ≤ γ · Σ|a·b|, γ = (terms + 2)·u / (1 − (terms + 2)·u), u = 2⁻²⁴.
    /// Σ|a·b| comes from running the twin on the absolute values of the inputs.
    /// Bound after Higham, Accuracy and Stability of Numerical Algorithms, section 3.1.
    Dot {
        /// Additions on the longest path to one output.
        terms: usize,
    },
    /// |error| ≤ relative · |expected| + absolute, for kernels with exp, log or division; the numbers come from
    /// the accuracy that WGSL promises of its functions, times the length of the sums.
    Mixed {
        /// Relative part.
        relative: f64,
        /// Absolute part.
        absolute: f64,
    },
}

/// One operation at one shape.
#[derive(Clone, Debug)]
pub struct Case {
    /// Kernel under test: the last command of the plan that uses it.
    pub kernel: &'static str,
    /// The shape in words, such as `2×3×9×7×4 k3 s2 p1 d1`.
    pub shape: String,
    /// The commands: usually one.
    pub plan: Plan,
    /// Inputs and how to fill them; all other tensors start as NaN on the device.
    pub inputs: Vec<(TensorId, Fill)>,
    /// The error allowed in every output.
    pub tolerance: Tolerance,
}

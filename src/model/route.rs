//! Where the gradient goes: a value, not a flag on a tensor.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::plan::Part;

/// How a gradient passes the gate g(h) ⊙ h.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GateGradient {
    /// Through h and through g(h), where a closed gate passes [`crate::ops::gate::CLOSED_SLOPE`]: for training, so that a
    /// closed gate can open again.
    #[default]
    Leaky,
    /// Through h and through g(h), where a closed gate passes nothing: the derivative of the forward pass.
    Exact,
    /// Through h alone, as if g were a constant.
    Constant,
}

/// Which parts a stage updates, and where its gradient stops.
///
/// What is not named gets no command at all: a frozen part's weight-gradient kernels are absent from the plan, and
/// no backward-input kernel runs below the lowest layer that is updated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The parts that are updated.
    pub update: BTreeSet<Part>,
    /// A layer such as `features.2`: the gradient goes no further than its weights. `None`: as far as is needed.
    #[serde(default)]
    pub stop_at: Option<String>,
    /// How the gradient passes a gate; the settings of a run say it as `mapping_in_stage1`.
    #[serde(skip)]
    pub gate: GateGradient,
}

impl Route {
    /// Updates these parts.
    pub fn to(parts: impl IntoIterator<Item = Part>) -> Self {
        Self { update: parts.into_iter().collect(), ..Self::default() }
    }

    /// The same, with the gradient stopping at a layer.
    pub fn stopping_at(mut self, layer: impl Into<String>) -> Self {
        self.stop_at = Some(layer.into());
        self
    }

    /// The same, with the gradient passing a gate in this way.
    pub fn through_gate(mut self, gate: GateGradient) -> Self {
        self.gate = gate;
        self
    }

    /// Stage 1: cross-entropy updates everything, or all but m.
    pub fn stage1(with_mapping: bool) -> Self {
        let mut route = Self::to([Part::Features, Part::Classifier]);
        if with_mapping {
            route.update.insert(Part::Mapping);
        }
        route
    }

    /// Stage 2: the divergence updates m and nothing else.
    pub fn stage2() -> Self {
        Self::to([Part::Mapping])
    }

    /// Whether a part is updated.
    pub fn updates(&self, part: Part) -> bool {
        self.update.contains(&part)
    }
}

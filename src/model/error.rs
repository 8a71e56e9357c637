//! What can be wrong with a model's description.

use crate::plan::PlanError;

/// Why a model cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// A layer does not suit its input.
    #[error("layer `{layer}` ({kind}): {message}")]
    Layer {
        /// Such as `features.2`.
        layer: String,
        /// Such as `conv`.
        kind: &'static str,
        /// What is wrong and what to change.
        message: String,
    },
    /// The network as a whole.
    #[error("model: {0}")]
    Network(String),
    /// A route that names something that is not there.
    #[error("route: {0}")]
    Route(String),
    /// A plan that cannot be recorded.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

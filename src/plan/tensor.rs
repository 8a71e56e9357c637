//! Tensors of a plan: a name, dimensions, and what becomes of them.

use crate::shader::DType;

/// A tensor of one [`super::Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TensorId(u32);

impl TensorId {
    pub(super) fn new(index: usize) -> Self {
        Self(index as u32)
    }

    /// Position in [`super::Plan::tensors`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The three parts of the classifier c(m(f(x))).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// f, the feature extractor.
    Features,
    /// m, the mapping layer.
    Mapping,
    /// c, the classifier.
    Classifier,
}

impl Part {
    /// All three, in the order in which a picture passes them.
    pub const ALL: [Part; 3] = [Part::Features, Part::Mapping, Part::Classifier];

    /// The prefix of the part's tensor names.
    pub fn name(self) -> &'static str {
        match self {
            Part::Features => "features",
            Part::Mapping => "mapping",
            Part::Classifier => "classifier",
        }
    }
}

/// What a tensor is for, and so how long it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Scratch of one run of the plan; shares memory with others.
    Activation,
    /// Like an activation, but readable after the run: shares memory with nothing.
    Output,
    /// A weight. This and all below are known to a session by name and outlive the plan.
    Parameter(Part),
    /// A running mean or variance of a part: no weight, but the forward pass of training moves it.
    Running(Part),
    /// The gradient of a weight.
    Gradient(Part),
    /// State of the optimiser that updates a part.
    Optimizer(Part),
    /// Pictures, labels, masks, order: written by the host.
    Data,
    /// Counters, learning rates, recorded losses and counts.
    Control,
}

impl Role {
    /// Whether the tensor outlives the plan and is shared with other plans by its name.
    pub fn is_persistent(self) -> bool {
        !matches!(self, Role::Activation | Role::Output)
    }
}

/// A named array of one element type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Such as `features.0.weight`; a buffer's label on the device.
    pub name: String,
    /// Row-major dimensions, the replica axis first where there is one.
    pub dims: Vec<usize>,
    /// Element type; both take four bytes.
    pub dtype: DType,
    /// What it is for.
    pub role: Role,
}

impl Tensor {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Never true: a plan refuses empty tensors.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Size in bytes.
    pub fn bytes(&self) -> u64 {
        self.len() as u64 * 4
    }
}

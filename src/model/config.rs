//! Layers as a person writes them in TOML.

use serde::{Deserialize, Serialize};

fn one() -> usize {
    1
}

/// A convolution. Square kernels: the same number along height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conv {
    /// Output channels.
    pub out: usize,
    /// Kernel size.
    pub kernel: usize,
    /// Stride.
    #[serde(default = "one")]
    pub stride: usize,
    /// Zero padding on each side.
    #[serde(default)]
    pub padding: usize,
    /// Dilation.
    #[serde(default = "one")]
    pub dilation: usize,
}

/// Max pooling. Square windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Window size.
    pub kernel: usize,
    /// Stride; the window size where it is not given.
    #[serde(default)]
    pub stride: Option<usize>,
    /// Padding on each side; padding never wins.
    #[serde(default)]
    pub padding: usize,
}

/// A linear layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Output features.
    pub out: usize,
}

/// Group normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupNorm {
    /// Groups of neighbouring channels; must divide them.
    pub groups: usize,
}

/// A residual block: what its layers make of the input, plus the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// The way around which the input goes. Where they change the shape, the input goes through a 1×1 convolution of the
    /// stride that makes both alike.
    pub layers: Vec<Layer>,
}

/// One layer of f or c.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// `{ conv = { out = 16, kernel = 3, stride = 2, padding = 1 } }`
    Conv(Conv),
    /// `"relu"`
    Relu,
    /// `{ max_pool = { kernel = 2 } }`
    MaxPool(Pool),
    /// `"average_pool"`: the mean over all positions of each channel.
    AveragePool,
    /// `{ group_norm = { groups = 8 } }`: each picture's map with mean 0 and variance 1 in each group of channels, then a
    /// scale and a shift per channel (Wu and He 2018).
    GroupNorm(GroupNorm),
    /// `"batch_norm"`: each channel with mean 0 and variance 1 over the batch, in stage 1; by the running mean and variance
    /// that stage 1 leaves everywhere else. Then a scale and a shift per channel (Ioffe and Szegedy 2015).
    BatchNorm,
    /// `{ residual = { layers = [ … ] } }`: the layers' output plus their input (He et al. 2016).
    Residual(Residual),
    /// `{ dropout = 0.2 }`: the share of values that is dropped in stage 1; nothing anywhere else (Srivastava et al. 2014).
    Dropout(f64),
    /// `{ linear = { out = 1024 } }`: flattens what it gets.
    Linear(Linear),
    /// `"output"`: a linear layer onto the classes. The last layer of c.
    Output,
}

/// The mapping layer m.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapping {
    /// No mapping layer: z = f(x).
    None,
    /// z = W f + b over all features; identity at the start.
    Dense,
    /// z = w ⊙ f + b, one weight per channel and position; identity at the start.
    Diagonal,
    /// A 1×1 convolution: the same channel mixing at every position; identity at the start.
    Conv1x1,
    /// z = g(f) ⊙ f, g = relu(1 + s), s = conv 3×3 (relu (conv 3×3 (f))): looks at each picture's own map, open at the
    /// start. The hidden map has half of f's channels.
    Gate,
    /// What the studies found best for the map that f leaves: the gate on 6×6 positions or more, else diagonal. On
    /// 4×4 positions the gate fell behind; with reasons anywhere in the frame only the gate helps.
    Auto,
}

impl Mapping {
    /// The mapping itself where `auto` stands, for an f(x) of this height and width.
    pub fn settled(self, height: usize, width: usize) -> Self {
        match self {
            Mapping::Auto if height.min(width) >= 6 => Mapping::Gate,
            Mapping::Auto => Mapping::Diagonal,
            named => named,
        }
    }
}

impl std::fmt::Display for Mapping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mapping::None => "none",
            Mapping::Dense => "dense",
            Mapping::Diagonal => "diagonal",
            Mapping::Conv1x1 => "conv1x1",
            Mapping::Gate => "gate",
            Mapping::Auto => "auto",
        })
    }
}

/// f, m and c.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// f, the feature extractor.
    pub features: Vec<Layer>,
    /// m, the mapping layer.
    pub mapping: Mapping,
    /// c, the classifier; its last layer is `"output"`.
    pub classifier: Vec<Layer>,
}

/// A convolution of stride 2.
fn halving(out: usize, kernel: usize) -> Layer {
    Layer::Conv(Conv { out, kernel, stride: 2, padding: kernel / 2, dilation: 1 })
}

impl ModelConfig {
    /// The reference network: three strided convolutions, D = 512 at 32×32, and a linear classifier. For reasons that
    /// have a stable place in the frame.
    pub fn reference(mapping: Mapping) -> Self {
        Self {
            features: vec![
                halving(16, 5),
                Layer::Relu,
                halving(32, 3),
                Layer::Relu,
                halving(32, 3),
                Layer::Relu,
            ],
            mapping,
            classifier: vec![Layer::Output],
        }
    }

    /// The same convolutions with m before the last one, on a 32×8×8 map at 32×32: where the gate works best. For reasons
    /// anywhere in the frame. `pooled` ends in 64 channels and their global average, else 32 channels are flattened.
    pub fn anywhere(pooled: bool, mapping: Mapping) -> Self {
        let mut classifier = vec![halving(if pooled { 64 } else { 32 }, 3), Layer::Relu];
        classifier.extend(pooled.then_some(Layer::AveragePool));
        classifier.push(Layer::Output);
        Self { features: vec![halving(16, 5), Layer::Relu, halving(32, 3), Layer::Relu], mapping, classifier }
    }
}

impl Default for ModelConfig {
    /// [`ModelConfig::reference`] with a diagonal mapping.
    fn default() -> Self {
        Self::reference(Mapping::Diagonal)
    }
}

//! Networks by name.

use serde::{Deserialize, Serialize};

use super::config::{Conv, GroupNorm, Layer, Mapping, ModelConfig, Residual};

/// A network by name, from the quickest to the largest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Two strided convolutions and a linear classifier: m sees 8×8 positions of 16 channels at 32×32.
    Tiny,
    /// The network of the studies: three strided convolutions and a linear classifier; 4×4×32 at 32×32.
    #[default]
    Reference,
    /// Three wider ones, each with group normalisation, dropout before the linear classifier; 4×4×64 at 32×32.
    Small,
    /// A stem and two stages of two residual blocks with group normalisation, m on their map, global average pooling behind
    /// it; 4×4×128 at 32×32, 28×28×128 at 224×224.
    Resnet,
}

/// A convolution that keeps the size, or halves it with stride 2.
fn conv(out: usize, kernel: usize, stride: usize) -> Layer {
    Layer::Conv(Conv { out, kernel, stride, padding: kernel / 2, dilation: 1 })
}

fn norm(groups: usize) -> Layer {
    Layer::GroupNorm(GroupNorm { groups })
}

/// Two convolutions of 3×3 with group normalisation around which the input goes, and a ReLU on their sum.
fn block(out: usize, stride: usize) -> [Layer; 2] {
    let layers = vec![conv(out, 3, stride), norm(8), Layer::Relu, conv(out, 3, 1), norm(8)];
    [Layer::Residual(Residual { layers }), Layer::Relu]
}

impl ModelConfig {
    /// The network of that name with this mapping.
    pub fn preset(preset: Preset, mapping: Mapping) -> Self {
        let relu = Layer::Relu;
        match preset {
            Preset::Reference => Self::reference(mapping),
            Preset::Tiny => Self {
                features: vec![conv(8, 5, 2), relu.clone(), conv(16, 3, 2), relu],
                mapping,
                classifier: vec![Layer::Output],
            },
            Preset::Small => {
                let normed = |out, kernel, groups| [conv(out, kernel, 2), norm(groups), Layer::Relu];
                Self {
                    features: [normed(16, 5, 4), normed(32, 3, 8), normed(64, 3, 8)].concat(),
                    mapping,
                    classifier: vec![Layer::Dropout(0.2), Layer::Output],
                }
            }
            Preset::Resnet => {
                let mut features = vec![conv(32, 5, 2), norm(8), relu];
                features.extend([block(64, 2), block(64, 1), block(128, 2), block(128, 1)].concat());
                Self { features, mapping, classifier: vec![Layer::AveragePool, Layer::Output] }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MapShape, Network};

    #[test]
    fn every_preset_fits_small_grey_and_large_colour_pictures_and_shows_m_positions() {
        for (preset, small, large) in [
            (Preset::Tiny, [8, 8, 16], [56, 56, 16]),
            (Preset::Reference, [4, 4, 32], [28, 28, 32]),
            (Preset::Small, [4, 4, 64], [28, 28, 64]),
            (Preset::Resnet, [4, 4, 128], [28, 28, 128]),
        ] {
            for (side, channels, map) in [(32, 1, small), (224, 3, large)] {
                let model = ModelConfig::preset(preset, Mapping::Diagonal);
                let input = MapShape { height: side, width: side, channels };
                let MapShape { height, width, channels } =
                    Network::new(&model, input, 5, 1).unwrap().features();
                assert_eq!([height, width, channels], map, "{preset:?}");
            }
        }
    }
}

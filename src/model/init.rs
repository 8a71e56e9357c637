//! Initial weights from a seed of 64 bits.

use super::{Fill, Network};
use crate::hash::Fnv;
use crate::random::Random;

/// The initial values of every parameter and running statistic, replica after replica; replica r draws from `seeds[r]` alone, so its
/// weights are those of a single run with that seed. Returns name and values `[R, …]`.
pub fn initial_weights(network: &Network, seeds: &[u64]) -> Vec<(String, Vec<f32>)> {
    let mut weights = Vec::new();
    for parameter in network.parameters().into_iter().chain(network.running()) {
        let len: usize = parameter.dims.iter().product();
        let mut values = Vec::with_capacity(len * seeds.len());
        for &seed in seeds {
            // A stream by name: adding a mapping changes no other layer's start.
            let mut random = Random::new(seed, stream(&parameter.name));
            match parameter.fill {
                Fill::He { fan_in } => {
                    let scale = (2.0 / fan_in as f64).sqrt();
                    values.extend((0..len).map(|_| (random.normal() * scale) as f32));
                }
                Fill::Zero => values.extend(std::iter::repeat_n(0.0, len)),
                Fill::One => values.extend(std::iter::repeat_n(1.0, len)),
                Fill::Identity => {
                    let side = (len as f64).sqrt().round() as usize;
                    values.extend((0..len).map(|i| if i / side == i % side { 1.0 } else { 0.0 }));
                }
            }
        }
        weights.push((parameter.name, values));
    }
    weights
}

pub(super) fn stream(name: &str) -> u64 {
    Fnv::of(name.as_bytes()).value()
}

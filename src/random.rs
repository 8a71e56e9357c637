//! Seeded random numbers whose bits do not change with a library's version.
//!
//! One user seed derives three independent seeds ([`Seeds`]); each [`Random`] is a ChaCha8 stream named by a
//! seed and a stream number, so "the order of epoch 7" can be drawn again without replaying epochs 0 to 6.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// The three seeds that one `--seed` stands for. Each can be set alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    /// Data: generated pictures and the split of a folder into train, val and test.
    pub data: u64,
    /// The initial weights.
    pub init: u64,
    /// The order of the training pictures in each epoch.
    pub order: u64,
}

impl Seeds {
    /// Derives the three seeds from one, each from a ChaCha8 stream of its own.
    pub fn from_seed(seed: u64) -> Self {
        let draw = |stream| Random::new(seed, stream).next_u64();
        Self { data: draw(1), init: draw(2), order: draw(3) }
    }
}

/// A stream of random numbers.
pub struct Random {
    rng: ChaCha8Rng,
    spare_normal: Option<f64>,
}

impl Random {
    /// Stream number `stream` of `seed`; streams of one seed are independent of each other.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self { rng, spare_normal: None }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.rng.next_u64()
    }

    /// Uniform in [0, 1), with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [low, high).
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform integer in [0, bound); `bound` 0 gives 0. Unbiased, by rejection.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        if bound < 2 {
            return 0;
        }
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let x = self.next_u64();
            if x < limit {
                return (x % bound) as usize;
            }
        }
    }

    /// Standard normal, by the polar method of Marsaglia.
    pub fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare_normal.take() {
            return z;
        }
        loop {
            let (u, v) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * s.ln() / s).sqrt();
                self.spare_normal = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// Shuffles in place (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }

    /// A random order of `0..n` in which no number keeps its place: one single cycle (Sattolo). 0 keeps its own for n = 1.
    pub fn cycle(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        for i in (1..n).rev() {
            order.swap(i, self.below(i));
        }
        order
    }

    /// A random order of `0..n`.
    pub fn permutation(&mut self, n: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n as u32).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, stream| Random::new(seed, stream).next_u64();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
        // All 64 bits of a seed count.
        assert_ne!(draw(7, 1), draw(7 | 1 << 63, 1));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(1, 0);
        let n = 100_000;
        let (mut sum, mut squares, mut uniform) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = random.normal();
            sum += z;
            squares += z * z;
            uniform += random.uniform(2.0, 4.0);
        }
        // Five standard errors each.
        assert!((sum / n as f64).abs() < 5.0 / (n as f64).sqrt());
        assert!((squares / n as f64 - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt());
        assert!((uniform / n as f64 - 3.0).abs() < 5.0 * (1.0 / 3.0 / n as f64).sqrt());
    }

    #[test]
    fn a_cycle_leads_through_every_index_once() {
        for n in [2, 3, 57] {
            let order = Random::new(4, n as u64).cycle(n);
            let mut at = 0;
            for step in 1..=n {
                at = order[at] as usize;
                assert_eq!(at == 0, step == n);
            }
        }
        assert_eq!((Random::new(4, 0).cycle(0).len(), Random::new(4, 0).cycle(1)), (0, vec![0]));
    }

    #[test]
    fn a_permutation_holds_each_index_once() {
        let mut order = Random::new(3, 0).permutation(1000);
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &x)| i == x as usize));
    }
}

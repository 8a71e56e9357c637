//! For the tests of twins: calls without a plan, central differences, goldens.

use super::{ArgError, Args, Slice};
use crate::params::Params;
use crate::random::Random;

/// Seeded standard-normal values.
pub(crate) fn normal(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed, 0);
    (0..count).map(|_| random.normal()).collect()
}

/// A twin in f64.
pub(crate) type Twin = fn(&mut Args<f64>) -> Result<(), ArgError>;

/// Calls a twin whose arguments are floats to read, then one output of `len` floats, which it returns.
pub(crate) fn call<P: Params>(twin: Twin, params: &P, reads: &[&[f64]], len: usize) -> Vec<f64> {
    let mut out = vec![f64::NAN; len];
    let mut slices: Vec<Slice<f64>> = reads.iter().map(|read| Slice::Read(read)).collect();
    slices.push(Slice::Write(&mut out));
    twin(&mut Args::new(bytemuck::bytes_of(params), slices)).unwrap();
    out
}

/// Central differences of Σ g · f(x) with respect to each element of x.
pub(crate) fn differences(x: &[f64], g: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let loss = |x: &[f64]| f(x).iter().zip(g).map(|(y, g)| y * g).sum::<f64>();
    let h = 1e-5;
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let at = x[i];
            x[i] = at + h;
            let above = loss(&x);
            x[i] = at - h;
            let below = loss(&x);
            x[i] = at;
            (above - below) / (2.0 * h)
        })
        .collect()
}

/// Every element within `tolerance` times the largest magnitude expected.
#[track_caller]
pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |scale, e| scale.max(e.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() <= tolerance * scale,
            "element {i}: found {found}, expected {expected}"
        );
    }
}

/// A tensor of `tests/golden/ops.safetensors`: dimensions and values; f32 and u32 are widened exactly.
pub(crate) fn golden(key: &str) -> (Vec<usize>, Vec<f64>) {
    let bytes = std::fs::read("tests/golden/ops.safetensors").unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(key).unwrap();
    let values = match tensor.dtype() {
        safetensors::Dtype::F64 => {
            tensor.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
        }
        safetensors::Dtype::F32 => {
            tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect()
        }
        safetensors::Dtype::U32 => {
            tensor.data().chunks_exact(4).map(|b| u32::from_le_bytes(b.try_into().unwrap()).into()).collect()
        }
        other => panic!("{key} is {other:?}"),
    };
    (tensor.shape().to_vec(), values)
}

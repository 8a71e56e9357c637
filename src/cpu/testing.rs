//! For the tests of the twins: a plan run on the CPU, central differences, the goldens from PyTorch.

use safetensors::{Dtype, SafeTensors};

use crate::exec::{CpuSession, Loaded, Session, TwinOf};
use crate::plan::{Plan, PlanError, TensorId};
use crate::shader::DType;

/// A plan that ran, with its memory.
pub(crate) struct Ran<T> {
    plan: Plan,
    session: CpuSession<T>,
    loaded: Loaded,
}

impl<T: TwinOf> Ran<T> {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut session = CpuSession::<T>::new();
        let loaded = session.load(plan).unwrap();
        Self { plan: plan.clone(), session, loaded }
    }

    pub(crate) fn set(&mut self, tensor: TensorId, values: &[f64]) {
        let values: Vec<T> = values.iter().map(|&x| T::from_f64(x)).collect();
        self.session.write_real(&self.plan.tensor(tensor).name, &values).unwrap();
    }

    pub(crate) fn set_index(&mut self, tensor: TensorId, values: &[u32]) {
        self.session.write_index(&self.plan.tensor(tensor).name, values).unwrap();
    }

    pub(crate) fn run(&mut self) {
        self.session.run(self.loaded, 1).unwrap();
    }

    pub(crate) fn get(&mut self, tensor: TensorId) -> Vec<f64> {
        let tensor = self.plan.tensor(tensor);
        match tensor.dtype {
            DType::F32 => {
                let values = self.session.read_real(self.loaded, &tensor.name).unwrap();
                values[..tensor.len()].iter().map(|x| x.to_f64()).collect()
            }
            DType::U32 => {
                let values = self.session.read_output(self.loaded, &tensor.name).unwrap();
                values.into_iter().map(f64::from).collect()
            }
        }
    }
}

/// Builds a plan over float inputs `(name, dims, values)`, runs it once, and returns what `build` asks for.
pub(crate) fn run<T: TwinOf, const N: usize>(
    inputs: &[(&str, &[usize], &[f64])],
    build: impl FnOnce(&mut Plan, &[TensorId]) -> Result<[TensorId; N], PlanError>,
) -> [Vec<f64>; N] {
    let mut plan = Plan::new("test");
    let tensors: Vec<TensorId> =
        inputs.iter().map(|(name, dims, _)| crate::ops::input(&mut plan, name, dims).unwrap()).collect();
    let outputs = build(&mut plan, &tensors).unwrap();
    let mut ran = Ran::<T>::new(&plan);
    for (&tensor, (_, _, values)) in tensors.iter().zip(inputs) {
        ran.set(tensor, values);
    }
    ran.run();
    outputs.map(|tensor| ran.get(tensor))
}

/// ∂f/∂x_i by central differences, for an f of size about 1: error near 1e-10.
pub(crate) fn slopes(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const H: f64 = 1e-5;
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let middle = x[i];
            x[i] = middle + H;
            let above = f(&x);
            x[i] = middle - H;
            let below = f(&x);
            x[i] = middle;
            (above - below) / (2.0 * H)
        })
        .collect()
}

/// A tensor of tests/golden/ops.safetensors.
pub(crate) fn golden(key: &str) -> Vec<f64> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/ops.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensor = file.tensor(key).unwrap();
    let data = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => data.as_chunks().0.iter().map(|&b| f64::from(f32::from_le_bytes(b))).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect(),
        Dtype::U32 => data.as_chunks().0.iter().map(|&b| f64::from(u32::from_le_bytes(b))).collect(),
        other => panic!("{key} is {other:?}"),
    }
}

/// Holds every element within `relative` of its own size plus `absolute`.
#[track_caller]
pub(crate) fn assert_near(found: &[f64], expected: &[f64], relative: f64, absolute: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= relative * b.abs() + absolute, "[{i}]: {a} is not {b}");
    }
}

/// Standard normal numbers.
pub(crate) fn normals(seed: u64, count: usize) -> Vec<f64> {
    let mut random = crate::random::Random::new(seed, 0);
    (0..count).map(|_| random.normal()).collect()
}

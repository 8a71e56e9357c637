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

    /// Every bit of a persistent index tensor.
    pub(crate) fn get_index(&mut self, tensor: TensorId) -> Vec<u32> {
        self.session.read_index(&self.plan.tensor(tensor).name).unwrap()
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

/// One alignment loss on one shape.
pub(crate) struct Alignment<'a> {
    pub loss: crate::ops::kl_divergence::Forward,
    pub dims: &'a [usize],
    pub weight: &'a [f64],
    pub norm: &'a [f64],
    pub axis: crate::ops::softmax::Axis,
    pub temperature: f32,
}

impl Alignment<'_> {
    /// One row over all features, weight, norm and temperature 1.
    pub(crate) fn row(loss: crate::ops::kl_divergence::Forward, dims: &[usize]) -> Alignment<'_> {
        let axis = crate::ops::softmax::Axis::Features;
        Alignment { loss, dims, weight: &[1.0], norm: &[1.0], axis, temperature: 1.0 }
    }

    /// losses and d_z
    pub(crate) fn forward<T: TwinOf>(&self, target: &[f64], z: &[f64]) -> [Vec<f64>; 2] {
        let inputs = [
            ("target", self.dims, target),
            ("z", self.dims, z),
            ("weight", &self.dims[..2], self.weight),
            ("norm", &self.dims[..1], self.norm),
        ];
        run::<T, 2>(&inputs, |plan, x| {
            let (losses, d_z) =
                (self.loss)(plan, "loss", x[0], x[1], x[2], x[3], self.axis, self.temperature)?;
            Ok([losses, d_z])
        })
    }
}

/// Holds d_z against the slope of the mean loss, over both axes, with weights of 0 and norms; and that a weight or norm
/// of 0 stops a NaN.
#[track_caller]
pub(crate) fn assert_is_an_alignment_loss(loss: crate::ops::kl_divergence::Forward) {
    use crate::ops::softmax::Axis;
    for (axis, temperature) in [(Axis::Features, 0.5), (Axis::Positions, 1.0), (Axis::Positions, 2.0)] {
        let dims = [2, 2, 3, 2, 4];
        let (weight, norm) = ([1.0, 0.5, 0.0, 2.0], [1.5, 4.0]);
        let shape = Alignment { loss, dims: &dims, weight: &weight, norm: &norm, axis, temperature };
        let (target, z) = (normals(1, 96), normals(2, 96));
        let [losses, d_z] = shape.forward::<f64>(&target, &z);
        let groups = losses.len() / 4;
        let expected = slopes(&z, |z| {
            let [losses, _] = shape.forward::<f64>(&target, z);
            losses.iter().enumerate().map(|(i, loss)| loss / norm[i / (2 * groups)]).sum()
        });
        assert_near(&d_z, &expected, 1e-8, 1e-9);
        assert!(d_z.iter().any(|d| d.abs() > 1e-3), "there is a slope to compare");
        assert!(losses.iter().enumerate().all(|(i, &l)| if i / groups == 2 { l == 0.0 } else { l > 0.0 }));
        assert!(d_z[48..72].iter().all(|&d| d == 0.0));
        // Where z is the target there is neither a loss nor a slope.
        let [losses, d_z] = shape.forward::<f64>(&target, &target);
        assert_near(&losses, &vec![0.0; losses.len()], 0.0, 1e-15);
        assert_near(&d_z, &vec![0.0; d_z.len()], 0.0, 1e-15);
    }
    for in_target in [false, true] {
        let values = [1.0, f64::NAN, 2.0, 3.0, 4.0, 5.0];
        let (target, z) = if in_target { (&values, &[0.5; 6]) } else { (&[0.5; 6], &values) };
        let run = |weight: [f64; 2], norm: [f64; 1]| {
            let shape = Alignment { weight: &weight, norm: &norm, ..Alignment::row(loss, &[1, 2, 3]) };
            shape.forward::<f32>(target, z)
        };
        let [losses, d_z] = run([1.0, 1.0], [2.0]);
        assert!(losses[0].is_nan() && d_z[1].is_nan(), "{losses:?} {d_z:?}");
        assert!(losses[1].is_finite() && d_z[3..].iter().all(|d| d.is_finite()));
        let [losses, d_z] = run([0.0, 1.0], [1.0]);
        assert!(losses[0] == 0.0 && d_z[..3] == [0.0; 3] && losses[1] != 0.0);
        let [losses, d_z] = run([1.0, 1.0], [0.0]);
        assert!(losses == [0.0; 2] && d_z == [0.0; 6]);
    }
}

//! The named shapes of the benches: the peer step's and the reference setting's layers, square products, rows of
//! logits. A kernel that has none here is benched at the largest of its cases.

use crate::kernels::Kernel;
use crate::ops::conv2d::Settings as Windows;
use crate::ops::max_pool::Settings as Pool;
use crate::ops::softmax::Axis;
use crate::ops::{self, Case};
use crate::plan::{PlanError, Target, Variants};

/// A case with a name of its own.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The name.
    pub name: String,
    /// The operation at that shape, its inputs and its bound.
    pub case: Case,
}

impl Shape {
    /// The command that is timed: of those of the case's kernel, the one that moves the most bytes.
    pub fn command(&self) -> Option<usize> {
        let commands = self.case.plan.commands().iter().enumerate();
        let own = commands.filter(|(_, command)| command.shader.kernel == self.case.kernel);
        own.max_by_key(|(at, command)| (command.bytes(&self.case.plan), std::cmp::Reverse(*at)))
            .map(|(at, _)| at)
    }

    /// FLOPs of the timed command.
    pub fn flops(&self) -> u64 {
        self.command().map_or(0, |at| self.case.plan.commands()[at].flops)
    }
}

fn windows(kernel: usize, stride: usize) -> Windows {
    let padding = [kernel / 2; 2];
    Windows { kernel: [kernel; 2], stride: [stride; 2], padding, dilation: [1, 1] }
}

const CONVOLUTIONS: [(&str, [usize; 5], usize, usize, usize); 8] = [
    ("peer conv1 64×32×32 1→16", [1, 64, 32, 32, 1], 16, 3, 1),
    ("peer conv2 64×16×16 16→32", [1, 64, 16, 16, 16], 32, 3, 1),
    ("peer conv3 64×8×8 32→64", [1, 64, 8, 8, 32], 64, 3, 1),
    ("reference conv1 50×32×32 1→16 5×5/2", [1, 50, 32, 32, 1], 16, 5, 2),
    ("reference conv2 50×16×16 16→32 /2", [1, 50, 16, 16, 16], 32, 3, 2),
    ("reference conv3 50×8×8 32→32 /2", [1, 50, 8, 8, 32], 32, 3, 2),
    ("30 replicas of reference conv2", [30, 50, 16, 16, 16], 32, 3, 2),
    ("large conv 64×56×56 64→64", [1, 64, 56, 56, 64], 64, 3, 1),
];

const PRODUCTS: [(&str, &[usize], usize); 6] = [
    ("SGEMM 512", &[1, 512, 512], 512),
    ("peer linear1 64×1024→1024", &[1, 64, 1024], 1024),
    ("peer linear2 64×1024→2", &[1, 64, 1024], 2),
    ("reference classifier 50×512→2", &[1, 50, 512], 2),
    ("SGEMM 2048", &[1, 2048, 2048], 2048),
    ("SGEMM 4096", &[1, 4096, 4096], 4096),
];

/// Element-wise tensors.
const MAPS: [(&str, &[usize]); 2] =
    [("peer map1 64×32×32×16", &[1, 64, 32, 32, 16]), ("reference map1 50×16×16×16", &[1, 50, 16, 16, 16])];

const ROWS: [(&str, ops::softmax::AxisShape); 3] = [
    ("512 rows of 512", (&[1, 512, 512], Axis::Features, 1.0)),
    ("reference map, features", (&[1, 50, 4, 4, 32], Axis::Features, 1.0)),
    ("50 maps 8×8×32, positions", (&[1, 50, 8, 8, 32], Axis::Positions, 1.0)),
];

/// Gives the first case of each kernel a name: the others differ in their inputs only.
fn named(name: &str, cases: Result<Vec<Case>, PlanError>) -> Result<Vec<Shape>, PlanError> {
    let mut shapes: Vec<Shape> = Vec::new();
    for case in cases? {
        if shapes.iter().all(|shape| shape.case.kernel != case.kernel) {
            shapes.push(Shape { name: name.to_owned(), case });
        }
    }
    Ok(shapes)
}

/// Every named shape of every kernel. `variants` forces a variant where it fits; see [`crate::plan::Plan::choose`].
fn all(variants: &Variants) -> Result<Vec<Shape>, PlanError> {
    let mut shapes = Vec::new();
    for (name, x, out, kernel, stride) in CONVOLUTIONS {
        shapes.extend(named(name, ops::conv2d::cases_at(variants, &[(x, out, windows(kernel, stride))]))?);
    }
    for (name, x, out) in PRODUCTS {
        shapes.extend(named(name, ops::linear::cases_at(variants, &[(x, out)]))?);
    }
    for (name, dims) in MAPS {
        shapes.extend(named(name, ops::relu::cases_at(variants, &[dims]))?);
        shapes.extend(named(name, ops::gate::cases_at(variants, &[dims]))?);
        shapes.extend(named(name, ops::pointwise::cases_at(variants, &[dims]))?);
        shapes.extend(named(name, ops::bias::cases_at(variants, &[(dims, [1, 16])]))?);
    }
    let halves = Pool { kernel: [2, 2], stride: [2, 2], padding: [0, 0] };
    for (name, x) in
        [("peer pool1 64×32×32×16", [1, 64, 32, 32, 16]), ("peer pool3 64×8×8×64", [1, 64, 8, 8, 64])]
    {
        shapes.extend(named(name, ops::max_pool::cases_at(variants, &[(x, halves)]))?);
        shapes.extend(named(name, ops::average_pool::cases_at(variants, &[x]))?);
    }
    shapes.extend(named("reference map 50×512", ops::diagonal::cases_at(variants, &[&[1, 50, 512]]))?);
    let (name, map, groups) = ("resnet map 16×16×16×64", [1, 16, 16, 16, 64], 8);
    shapes.extend(named(name, ops::normalize::cases_at(variants, &[(map, groups)]))?);
    shapes.extend(named(name, ops::group_norm::cases_at(variants, &[(map, groups)]))?);
    shapes.extend(named(name, ops::batch_norm::cases_at(variants, &[map]))?);
    for (name, shape) in ROWS {
        shapes.extend(named(name, ops::softmax::cases_at(variants, &[shape]))?);
        shapes.extend(named(name, ops::kl_divergence::cases_at(variants, &[shape]))?);
    }
    for (name, dims) in [("peer 64×2", [1, 64, 2]), ("1024 rows of 1000 classes", [1, 1024, 1000])] {
        shapes.extend(named(name, ops::cross_entropy::cases_at(variants, &[dims]))?);
    }
    let weights: [(&str, &[usize]); 2] =
        [("peer linear1.weight", &[1, 1024, 1024]), ("reference conv2.weight", &[1, 3, 3, 16, 32])];
    for (name, dims) in weights {
        shapes.extend(named(name, ops::optimizer::cases_at(variants, &[1], &[(dims, false)]))?);
    }
    shapes
        .extend(named("3 million", ops::reduce::cases_at(variants, &[[1, 64, 18_432]], &[&[1, 3_000_000]]))?);
    shapes.extend(named(
        "batch of 64 from 2000×32×32×1, bytes",
        ops::gather::cases_at(variants, &[(true, [1, 64, 1], [2000, 32, 32, 1])]),
    )?);
    Ok(shapes)
}

/// The shapes at which one variant of a kernel runs on a device: the named ones, else the largest of its cases; none where
/// the device lacks what the variant takes.
pub fn shapes(kernel: &Kernel, variant: &str, target: Target) -> Result<Vec<Shape>, PlanError> {
    let forced = Variants::from([(kernel.name.to_owned(), variant.to_owned())]).on(target);
    let fits = |case: &Case| {
        let own = case.plan.commands().iter().filter(|command| command.shader.kernel == kernel.name);
        case.kernel == kernel.name && own.map(|command| command.shader.variant).any(|used| used == variant)
    };
    let mut shapes: Vec<Shape> = all(&forced)?.into_iter().filter(|shape| fits(&shape.case)).collect();
    if shapes.is_empty() {
        let cases = ops::cases(&forced)?.into_iter().filter(fits);
        let largest = cases.max_by_key(|case| (case.plan.flops(), case.plan.bytes()));
        shapes.extend(largest.map(|case| Shape { name: case.shape.clone(), case }));
    }
    Ok(shapes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KERNELS;
    use crate::plan::DeviceClass;

    #[test]
    fn every_variant_of_every_kernel_has_a_shape_and_a_command_to_time() {
        let everything =
            Target { class: DeviceClass::Hardware, subgroup_size: Some(8), workgroup_bytes: 32 << 10 };
        for kernel in KERNELS {
            for variant in kernel.variants {
                let shapes = shapes(kernel, variant, everything).unwrap();
                assert!(!shapes.is_empty(), "{} ({variant})", kernel.name);
                for shape in shapes {
                    let command = &shape.case.plan.commands()[shape.command().unwrap()];
                    assert_eq!((command.shader.kernel, command.shader.variant), (kernel.name, *variant));
                }
            }
        }
    }

    #[test]
    fn a_product_counts_two_operations_per_term() {
        let kernel = crate::kernels::find("linear_forward").unwrap();
        let shapes = shapes(kernel, "direct", Target::default()).unwrap();
        let square = shapes.iter().find(|shape| shape.name == "SGEMM 512").unwrap();
        assert_eq!(square.flops(), 2 * 512 * 512 * 512);
    }
}

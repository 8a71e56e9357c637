//! The one table of kernels: tests, benches and `rationale doctor` all walk it. A kernel that is not in the table
//! does not exist.

use crate::cpu::{self, ArgError, Args};
use crate::params::Params;
use crate::shader::{self, Field, Shader};

/// One row: a kernel's name, its uniform, its twin, its variants.
#[derive(Debug)]
pub struct Kernel {
    /// `<op>_<direction>`.
    pub name: &'static str,
    /// Members of the Rust struct that fills the uniform.
    pub fields: fn() -> Vec<Field>,
    /// The twin in f32.
    pub twin_f32: fn(&mut Args<f32>) -> Result<(), ArgError>,
    /// The twin in f64.
    pub twin_f64: fn(&mut Args<f64>) -> Result<(), ArgError>,
    /// Names of the variants, worst first.
    pub variants: &'static [&'static str],
}

impl Kernel {
    /// The shaders of the kernel, in the order of [`Kernel::variants`]; a variant with subgroups has one for each size.
    pub fn shaders(&self) -> impl Iterator<Item = &'static Shader> {
        let name = self.name;
        let of = move |variant: &'static str| {
            shader::SHADERS.iter().filter(move |s| s.kernel == name && s.variant == variant)
        };
        self.variants.iter().copied().flat_map(of)
    }
}

/// The row of that name.
pub fn find(name: &str) -> Option<&'static Kernel> {
    KERNELS.iter().find(|kernel| kernel.name == name)
}

macro_rules! kernel {
    ($op:ident :: $direction:ident, $params:path) => {
        kernel!($op::$direction, $params, ["direct"])
    };
    ($op:ident :: $direction:ident, $params:path, $variants:expr) => {
        Kernel {
            name: concat!(stringify!($op), "_", stringify!($direction)),
            fields: <$params as Params>::fields,
            twin_f32: cpu::$op::$direction::run::<f32>,
            twin_f64: cpu::$op::$direction::run::<f64>,
            variants: &$variants,
        }
    };
}

/// Every kernel there is.
pub static KERNELS: &[Kernel] = &[
    kernel!(average_pool::forward, cpu::average_pool::AveragePool),
    kernel!(average_pool::backward, cpu::average_pool::AveragePool),
    kernel!(bias::backward, cpu::bias::Bias, ["direct", "vec4"]),
    kernel!(
        conv2d::forward,
        cpu::conv2d::Conv2d,
        [
            "direct",
            "shared_tile",
            "narrow_block",
            "narrow_subgroup",
            "narrow_run",
            "register_block",
            "subgroup",
            "subgroup_run"
        ]
    ),
    kernel!(
        conv2d::backward_input,
        cpu::conv2d::Conv2d,
        ["direct", "shared_tile", "register_block", "subgroup", "subgroup_run"]
    ),
    kernel!(
        conv2d::backward_weight,
        cpu::conv2d::Conv2d,
        ["direct", "shared_tile", "narrow_block", "register_block", "subgroup"]
    ),
    kernel!(diagonal::forward, cpu::diagonal::Diagonal),
    kernel!(diagonal::backward_input, cpu::diagonal::Diagonal),
    kernel!(diagonal::backward_weight, cpu::diagonal::Diagonal),
    kernel!(linear::forward, cpu::linear::Linear, ["direct", "shared_tile", "register_block", "subgroup"]),
    kernel!(
        linear::backward_input,
        cpu::linear::Linear,
        ["direct", "shared_tile", "register_block", "subgroup"]
    ),
    kernel!(
        linear::backward_weight,
        cpu::linear::Linear,
        ["direct", "shared_tile", "register_block", "subgroup"]
    ),
    kernel!(max_pool::forward, cpu::max_pool::MaxPool, ["direct", "vec4"]),
    kernel!(max_pool::backward, cpu::max_pool::MaxPool, ["direct", "vec4", "per_window"]),
    kernel!(max_pool::tangent, cpu::max_pool::MaxPool),
    kernel!(pointwise::add, cpu::pointwise::Add),
    kernel!(pointwise::scale, cpu::pointwise::Scale),
    kernel!(pointwise::product, cpu::pointwise::Product),
    kernel!(pointwise::sum, cpu::pointwise::PointwiseSum),
    kernel!(normalize::forward, cpu::normalize::Normalization),
    kernel!(normalize::backward_input, cpu::normalize::Normalization),
    kernel!(normalize::backward_weight, cpu::normalize::Normalization),
    kernel!(group_norm::statistics, cpu::group_norm::GroupNorm),
    kernel!(group_norm::backward_input, cpu::group_norm::GroupNorm),
    kernel!(batch_norm::sum, cpu::batch_norm::BatchNorm),
    kernel!(batch_norm::squares, cpu::batch_norm::BatchNorm),
    kernel!(batch_norm::finish, cpu::batch_norm::BatchNorm),
    kernel!(batch_norm::running, cpu::batch_norm::BatchNorm),
    kernel!(batch_norm::coefficients, cpu::batch_norm::BatchNorm),
    kernel!(batch_norm::backward_input, cpu::batch_norm::BatchNorm),
    kernel!(dropout::forward, cpu::dropout::Dropout),
    kernel!(reduce::sum, cpu::reduce::Sum),
    kernel!(reduce::sum_slices, cpu::reduce::SumSlices, ["direct", "vec4"]),
    kernel!(relu::forward, cpu::relu::Relu, ["direct", "vec4"]),
    kernel!(relu::backward, cpu::relu::Relu, ["direct", "vec4"]),
    kernel!(gate::forward, cpu::gate::Gate),
    kernel!(gate::backward_scale, cpu::gate::Gate),
    kernel!(gate::backward_input, cpu::gate::Gate),
    kernel!(gate::backward_input_sum, cpu::gate::Gate),
    kernel!(gather::pictures, cpu::gather::Gather),
    kernel!(gather::masked, cpu::gather::Gather),
    kernel!(gather::labels, cpu::gather::Gather),
    kernel!(gather::outside, cpu::gather::Gather),
    kernel!(augment::pictures, cpu::gather::Gather),
    kernel!(augment::masked, cpu::gather::Gather),
    kernel!(augment::outside, cpu::gather::Gather),
    kernel!(ceiling::copy, cpu::ceiling::Ceiling),
    kernel!(ceiling::fma, cpu::ceiling::Ceiling),
    kernel!(clock::advance, cpu::clock::Clock),
    kernel!(softmax::forward, cpu::softmax::Softmax),
    kernel!(softmax::backward, cpu::softmax::Softmax),
    kernel!(log_softmax::forward, cpu::softmax::Softmax),
    kernel!(log_softmax::backward, cpu::softmax::Softmax),
    kernel!(cross_entropy::forward, cpu::cross_entropy::CrossEntropy),
    kernel!(kl_divergence::forward, cpu::kl_divergence::KlDivergence, ["direct", "channels"]),
    kernel!(log_probability::backward, cpu::log_probability::LogProbability),
    kernel!(log_probability::second_backward, cpu::log_probability::LogProbability),
    kernel!(input_penalty::forward, cpu::input_penalty::InputPenalty),
    kernel!(multiplier::ascend, cpu::multiplier::Ascend),
    kernel!(reverse_kl::forward, cpu::kl_divergence::KlDivergence),
    kernel!(jensen_shannon::forward, cpu::kl_divergence::KlDivergence),
    kernel!(squared_distance::forward, cpu::squared_distance::SquaredDistance),
    kernel!(interval::pictures, cpu::gather::Gather),
    kernel!(interval::conv2d, cpu::interval::IntervalConv2d),
    kernel!(interval::linear, cpu::interval::IntervalLinear),
    kernel!(interval::diagonal, cpu::interval::IntervalDiagonal),
    kernel!(interval::average_pool, cpu::interval::IntervalAveragePool),
    kernel!(interval::product, cpu::interval::IntervalProduct),
    kernel!(interval::margin, cpu::interval::IntervalMargin),
    kernel!(schedule::rate, cpu::schedule::Rate),
    kernel!(optimizer::tick, cpu::optimizer::Tick),
    kernel!(optimizer::adam, cpu::optimizer::Adam, ["direct", "vec4"]),
    kernel!(optimizer::sgd, cpu::optimizer::Sgd, ["direct", "vec4"]),
    kernel!(metrics::argmax, cpu::metrics::Argmax),
    kernel!(metrics::store, cpu::metrics::Store),
    kernel!(metrics::confusion, cpu::metrics::Confusion),
    kernel!(metrics::record, cpu::metrics::History),
    kernel!(place::picture, cpu::place::Place),
    kernel!(overlay::heat, cpu::overlay::Heat),
    kernel!(overlay::colors, cpu::overlay::Colors),
    kernel!(overlay::picture, cpu::overlay::Picture),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shader_is_a_variant_in_the_table_and_every_variant_a_shader() {
        for shader in shader::SHADERS {
            let row = find(shader.kernel).unwrap_or_else(|| panic!("{} has no row", shader.path));
            assert!(row.variants.contains(&shader.variant), "{} is not listed in its row", shader.path);
        }
        for kernel in KERNELS {
            for variant in kernel.variants {
                assert!(shader::find(kernel.name, variant).is_some(), "{} ({variant})", kernel.name);
            }
        }
    }

    #[test]
    fn uniform_structs_are_laid_out_as_in_the_shader() {
        for kernel in KERNELS {
            for shader in kernel.shaders() {
                assert_eq!((kernel.fields)(), shader.uniform, "{}", shader.path);
            }
        }
    }

    #[test]
    fn every_shader_stays_within_the_default_limits_of_webgpu() {
        for shader in shader::SHADERS {
            assert!(shader.bindings.len() <= 8, "{}: more than 8 storage buffers", shader.path);
            assert!(shader.invocations() <= 256, "{}: more than 256 invocations", shader.path);
            assert!(shader.workgroup_bytes <= 16 << 10, "{}: more than 16 KiB", shader.path);
        }
    }
}

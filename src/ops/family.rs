//! Which family of kernels a product takes: convolutions and linear layers are products of matrices, and each of their
//! kernels has variants of the same names.

use crate::plan::{DeviceClass, Target};
use crate::shader::{self, Shader};

/// A product as one replica computes it: `rows` × `columns` outputs. The number of replicas stays out of it, so that each
/// gets the bits of a single run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// What an output costs in a family, where it is computed at all. Only ratios within a class mean anything.
///
/// Software: measured on llvmpipe (Mesa 22.3.6, 256 bits) at 3×3 convolutions and linear layers of 0.15 GFLOP. A load
/// costs about 40 ns for each lane's vec4; register blocks take 24 of them for 512 multiply-adds, subgroups 8 to 10. With
/// one input channel the subgroup's gain is 15 %.
/// Plain: the order that needs no feature. Hardware: by reasoning alone, no GPU was at hand. A thread of a shared tile
/// holds 16 outputs and loads half a word for each multiply-add, from memory that is near. A thread of a register block
/// holds 128 outputs, so that a layer of the reference network gives a GPU a few thousand threads where it wants a
/// hundred thousand, and loads from memory that is far; but of a tile with 8 columns in 64 in use seven eighths are lost.
/// So tiles from 16 columns on, blocks below. A subgroup's block is long, and few of them fill a device.
fn cost(class: DeviceClass, family: &str) -> f64 {
    let [subgroup, shared_tile, register_block, narrow_block, narrow_subgroup] = match class {
        DeviceClass::Software => [2.0, 15.0, 3.2, 4.0, 3.4],
        DeviceClass::Hardware => [5.0, 1.0, 4.0, 6.0, 5.5],
        DeviceClass::Plain => [f64::INFINITY, f64::INFINITY, 1.0, 2.0, f64::INFINITY],
    };
    match family {
        "subgroup" => subgroup,
        "shared_tile" => shared_tile,
        "register_block" => register_block,
        "narrow_block" => narrow_block,
        "narrow_subgroup" => narrow_subgroup,
        _ => 40.0,
    }
}

/// What a shader takes for a product: every output of its blocks, those past the end included.
fn price(class: DeviceClass, shader: &Shader, product: Product) -> f64 {
    let size = |name| shader.constant(name).unwrap_or(1) as usize;
    let padded = |n: usize, size: usize| n.div_ceil(size) * size;
    let outputs = padded(product.rows, size("ROWS")) * padded(product.columns, size("COLUMNS"));
    cost(class, shader.variant) * outputs as f64
}

/// The variants that take a shape, best first for a device: by price, and as listed where that is the same.
pub(super) fn order(
    target: Target,
    kernel: &str,
    product: Product,
    variants: &[(&'static str, bool)],
) -> Vec<(&'static str, bool)> {
    let mut priced: Vec<(f64, (&'static str, bool))> = variants
        .iter()
        .map(|&(variant, fits)| {
            let shader = shader::find_for(kernel, variant, target);
            (shader.map_or(f64::INFINITY, |shader| price(target.class, shader, product)), (variant, fits))
        })
        .collect();
    priced.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    priced.into_iter().map(|(_, variant)| variant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(&str, bool); 4] =
        [("shared_tile", true), ("subgroup", true), ("register_block", true), ("direct", true)];

    fn best(class: DeviceClass, kernel: &str, rows: usize, columns: usize) -> &'static str {
        let target = Target { class, subgroup_size: Some(8), workgroup_bytes: 32 << 10 };
        order(target, kernel, Product { rows, columns }, &ALL)[0].0
    }

    #[test]
    fn a_device_of_which_nothing_is_known_runs_what_needs_no_feature() {
        for columns in [4, 16, 64, 1024] {
            assert_eq!(best(DeviceClass::Plain, "linear_forward", 64, columns), "register_block");
        }
        let order = order(
            Target::default(),
            "conv2d_forward",
            Product { rows: 16_384, columns: 32 },
            &[("subgroup", true), ("register_block", true), ("narrow_block", true), ("direct", true)],
        );
        assert_eq!(order.map_names(), ["register_block", "narrow_block", "direct", "subgroup"]);
    }

    trait Names {
        fn map_names(&self) -> Vec<&'static str>;
    }

    impl Names for Vec<(&'static str, bool)> {
        fn map_names(&self) -> Vec<&'static str> {
            self.iter().map(|(name, _)| *name).collect()
        }
    }

    #[test]
    fn hardware_takes_tiles_where_enough_of_their_columns_are_in_use() {
        let hardware = |kernel, rows, columns| best(DeviceClass::Hardware, kernel, rows, columns);
        for columns in [16, 32, 64, 1024] {
            assert_eq!(hardware("conv2d_forward", 16_384, columns), "shared_tile");
        }
        assert_eq!(hardware("conv2d_forward", 16_384, 8), "register_block");
        assert_eq!(hardware("linear_forward", 64, 1024), "shared_tile");
        assert_eq!(hardware("linear_forward", 50, 4), "register_block");
        // Two columns are no vec4: the layer of a two-class output.
        let target = Target { class: DeviceClass::Hardware, ..Target::PLAIN };
        let narrow = [("shared_tile", true), ("register_block", false), ("direct", true)];
        let order = order(target, "linear_forward", Product { rows: 50, columns: 2 }, &narrow);
        assert_eq!(order.into_iter().find(|(_, fits)| *fits), Some(("direct", true)));
    }

    #[test]
    fn software_takes_subgroups_where_their_blocks_are_full_enough() {
        let software = |kernel, rows, columns| best(DeviceClass::Software, kernel, rows, columns);
        assert_eq!(software("conv2d_forward", 16_384, 32), "subgroup");
        assert_eq!(software("conv2d_forward", 16_384, 16), "subgroup");
        assert_eq!(software("conv2d_forward", 16_384, 8), "register_block");
        assert_eq!(software("conv2d_backward_weight", 144, 32), "subgroup");
        assert_eq!(software("conv2d_backward_weight", 144, 16), "register_block");
        assert_eq!(software("linear_forward", 64, 1024), "subgroup");
        assert_eq!(software("linear_forward", 4, 1024), "register_block");
        let grey = |rows| {
            let target =
                Target { class: DeviceClass::Software, subgroup_size: Some(8), workgroup_bytes: 32 << 10 };
            let fitting =
                [("shared_tile", true), ("narrow_block", true), ("narrow_subgroup", true), ("direct", true)];
            order(target, "conv2d_forward", Product { rows, columns: 16 }, &fitting)[0].0
        };
        assert_eq!([grey(12_800), grey(88)], ["narrow_subgroup", "narrow_block"]);
    }
}

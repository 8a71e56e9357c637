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
    /// How many rows stand side by side in a row of a map; 1 where there is no map. `rows` is a multiple of it.
    pub(super) width: usize,
}

impl Product {
    pub(super) fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, width: 1 }
    }

    /// The same with rows that are the positions of maps of this width.
    pub(super) fn over_maps(self, width: usize) -> Self {
        Self { width: width.max(1), ..self }
    }

    /// The blocks that a shader cuts it into. One that works on runs of neighbours begins anew with each row of the map.
    pub(super) fn blocks(&self, shader: &Shader) -> usize {
        super::blocks(shader, self.rows_in(shader), self.columns)
    }

    fn rows_in(&self, shader: &Shader) -> usize {
        match shader.constant("RUN") {
            Some(run) => self.rows / self.width * self.width.next_multiple_of(run as usize),
            None => self.rows,
        }
    }
}

/// What an output costs in a family, where it is computed at all. Only ratios within a class mean anything.
///
/// Software: measured on llvmpipe (Mesa 22.3.6, 256 bits) at 3×3 convolutions and linear layers of 0.15 GFLOP. A load
/// costs about 40 ns for each lane's vec4; for 512 multiply-adds register blocks take 24 of them, subgroups 8 to 10, those of
/// 64×32 six, runs five. With one input channel the subgroup's gain is 15 %, and that of a run a third more.
/// Plain: the order that needs no feature. Hardware: by reasoning alone, no GPU was at hand. A thread of a shared tile
/// holds 16 outputs and loads half a word for each multiply-add, from memory that is near. A thread of a register block
/// holds 128 outputs, so that a layer of the reference network gives a GPU a few thousand threads where it wants a
/// hundred thousand, and loads from memory that is far; but of a tile with 8 columns in 64 in use seven eighths are lost.
/// So tiles from 16 columns on, blocks below. A subgroup's block is long, and few of them fill a device.
fn cost(class: DeviceClass, shader: &Shader) -> f64 {
    const NEVER: f64 = f64::INFINITY;
    let [subgroup_run, subgroup, shared_tile, register_block, narrow_block, narrow_run, narrow_subgroup] =
        match class {
            DeviceClass::Software => [1.5, 2.0, 15.0, 3.2, 4.0, 1.8, 3.4],
            DeviceClass::Hardware => [5.0, 5.0, 1.0, 4.0, 6.0, 5.5, 5.5],
            DeviceClass::Plain => [NEVER, NEVER, NEVER, 1.0, 2.0, NEVER, NEVER],
        };
    let wide = matches!(shader.kernel, "linear_forward" | "linear_backward_input");
    match shader.variant {
        "subgroup_run" => subgroup_run,
        "subgroup" if wide && class == DeviceClass::Software => 0.8 * subgroup,
        "subgroup" => subgroup,
        "shared_tile" => shared_tile,
        "register_block" => register_block,
        "narrow_block" => narrow_block,
        "narrow_run" => narrow_run,
        "narrow_subgroup" => narrow_subgroup,
        _ => 40.0,
    }
}

/// What a shader takes for a product: every output of its blocks, those past the end included.
fn price(class: DeviceClass, shader: &Shader, product: Product) -> f64 {
    let size = |name| shader.constant(name).unwrap_or(1) as usize;
    let padded = |n: usize, size: usize| n.div_ceil(size) * size;
    let rows = product.rows_in(shader);
    let outputs = padded(rows, size("ROWS")) * padded(product.columns, size("COLUMNS"));
    cost(class, shader) * outputs as f64
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
        order(target, kernel, Product::new(rows, columns), &ALL)[0].0
    }

    #[test]
    fn a_device_of_which_nothing_is_known_runs_what_needs_no_feature() {
        for columns in [4, 16, 64, 1024] {
            assert_eq!(best(DeviceClass::Plain, "linear_forward", 64, columns), "register_block");
        }
        let order = order(
            Target::default(),
            "conv2d_forward",
            Product::new(16_384, 32),
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
        let order = order(target, "linear_forward", Product::new(50, 2), &narrow);
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
        assert_eq!(
            software("linear_forward", 64, 16),
            "subgroup",
            "half of a block of 32 columns is no loss yet"
        );
        assert_eq!(software("linear_forward", 64, 8), "register_block");
        assert_eq!(software("linear_forward", 4, 1024), "register_block");
        let grey = |rows| {
            let target =
                Target { class: DeviceClass::Software, subgroup_size: Some(8), workgroup_bytes: 32 << 10 };
            let fitting =
                [("shared_tile", true), ("narrow_block", true), ("narrow_subgroup", true), ("direct", true)];
            order(target, "conv2d_forward", Product::new(rows, 16), &fitting)[0].0
        };
        assert_eq!([grey(12_800), grey(88)], ["narrow_subgroup", "narrow_block"]);
    }

    #[test]
    fn software_takes_runs_where_rows_are_long_enough() {
        let target =
            Target { class: DeviceClass::Software, subgroup_size: Some(8), workgroup_bytes: 32 << 10 };
        let best = |columns, width| {
            let product = Product::new(64 * width * width, columns).over_maps(width);
            let fitting =
                [("subgroup", true), ("subgroup_run", true), ("narrow_run", true), ("register_block", true)];
            order(target, "conv2d_forward", product, &fitting)[0].0
        };
        assert_eq!([best(32, 16), best(64, 8), best(32, 7)], ["subgroup_run"; 3]);
        assert_eq!(best(16, 16), "narrow_run", "half of the columns of a block of 32 would be lost");
        assert_eq!([best(32, 4), best(32, 9)], ["subgroup"; 2], "half of the runs would be lost");
    }

    #[test]
    fn runs_begin_anew_with_each_row() {
        let run = shader::SHADERS
            .iter()
            .find(|shader| {
                (shader.kernel, shader.variant) == ("conv2d_forward", "subgroup_run")
                    && shader.subgroup_size == Some(8)
            })
            .unwrap();
        let blocks =
            |width, height, columns| Product::new(width * height, columns).over_maps(width).blocks(run);
        // Eight runs of eight make a block.
        assert_eq!([blocks(8, 8, 32), blocks(7, 8, 32), blocks(9, 8, 32), blocks(64, 1, 33)], [1, 1, 2, 2]);
    }
}

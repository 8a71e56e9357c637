//! A step's batch, gathered by index out of a data set that lies on the device: no readback, no upload, no wait.

use super::{Case, Fill, Tolerance, accuracy, augment, count32, expect_dims};
use crate::cpu::gather::Gather;
use crate::plan::{Plan, PlanError, Record, Role, TensorId, Variants, Work};
use crate::shader::DType;

/// Pixel values in [0, 1] become x = SCALE · p + SHIFT, in [−1, 1].
pub const SCALE: f32 = 2.0;
/// See [`SCALE`].
pub const SHIFT: f32 = -1.0;

/// Tensors of a data set on the device. The host sees to it that labels are below K and that `order` holds rows of
/// the data set or u32::MAX; the kernels treat whatever else is `count` or more as no picture, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// u32 words, row-major `[count, H, W, C]`: f32 bits in [0, 1], or unorm8, four to a word, lowest byte first.
    pub pixels: TensorId,
    /// Whether the pixels are unorm8.
    pub packed: bool,
    /// u32 words, unorm8 `[count, H, W]`, four to a word; 255 = relevant.
    pub masks: TensorId,
    /// u32 `[count]`: classes, below K.
    pub labels: TensorId,
    /// u32 `[count]`: 1 where the picture has an explanation, else 0.
    pub explained: TensorId,
    /// f32 `[K]`.
    pub class_weights: TensorId,
    /// f32 `[C]`: what stands outside the mask, in the scaled range.
    pub fill: TensorId,
    /// u32 `[R, L]`, L = steps·N: row of the data set for each slot, u32::MAX = no picture.
    pub order: TensorId,
    /// u32 `[1]`: number of the step in the epoch. Batch row n of replica r is order[r, clock·N + n].
    pub clock: TensorId,
    /// u32 `[R, L, 7]`: how the picture of each slot, and its mask with it, is turned; see [`super::augment::Transform`].
    /// `None`: pictures come as they are.
    pub geometry: Option<TensorId>,
    /// Pictures.
    pub count: usize,
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// C.
    pub channels: usize,
}

/// What [`labels`] gathers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// u32 `[R, N]`; 0 for padding.
    pub labels: TensorId,
    /// f32 `[R, N]`: the weight of the row's class, 0 for padding.
    pub label_weight: TensorId,
    /// f32 `[R, N]`: 1 where the row is explained, 0 where it is not or is padding.
    pub explained: TensorId,
}

impl Source {
    /// The dimensions of a picture tensor: `[R, N, H, W, C]`.
    pub(super) fn dims(&self, plan: &Plan, batch: usize) -> [usize; 5] {
        [plan.dims(self.order)[0], batch, self.height, self.width, self.channels]
    }

    /// Name of a kernel: as it is, or that which turns pictures; and the tensors that both begin with.
    fn kernel(
        &self,
        plan: &Plan,
        label: &str,
        [plain, turned]: [&'static str; 2],
    ) -> Result<(&'static str, Vec<TensorId>), PlanError> {
        let Some(geometry) = self.geometry else {
            return Ok((plain, vec![self.order, self.clock]));
        };
        augment::check(plan, label, self, geometry)?;
        Ok((turned, vec![self.order, self.clock, geometry]))
    }

    fn check_masks(&self, plan: &Plan, op: &str) -> Result<(), PlanError> {
        let words = (self.count * self.height * self.width).div_ceil(4);
        if plan.tensor(self.masks).len() != words {
            return Err(super::shape_error(plan, op, self.masks, format!("{words} words")));
        }
        Ok(())
    }

    pub(super) fn params(
        &self,
        plan: &Plan,
        op: &str,
        batch: usize,
        hard: bool,
    ) -> Result<Gather, PlanError> {
        let &[replicas, slots] = plan.dims(self.order) else {
            return Err(super::shape_error(plan, op, self.order, "[R, steps·N]"));
        };
        if batch == 0 || slots % batch != 0 {
            let expected = format!("[R, steps·N] with N = {batch}");
            return Err(super::shape_error(plan, op, self.order, expected));
        }
        expect_dims(plan, op, self.clock, "[1]", &[1])?;
        let size = self.height * self.width * self.channels;
        let values = count32(op, "pixel values of the data set", self.count * size)?;
        let words = if self.packed { values.div_ceil(4) } else { values } as usize;
        if plan.tensor(self.pixels).len() != words {
            return Err(super::shape_error(plan, op, self.pixels, format!("{words} words")));
        }
        count32(op, "pixel values of the batch", replicas * batch * size)?;
        count32(op, "slots", replicas * slots)?;
        Ok(Gather {
            rows: (replicas * batch) as u32,
            batch: batch as u32,
            steps: (slots / batch) as u32,
            count: self.count as u32,
            size: size as u32,
            width: self.width as u32,
            channels: self.channels as u32,
            classes: plan.tensor(self.class_weights).len() as u32,
            packed: u32::from(self.packed),
            hard: u32::from(hard),
            scale: SCALE,
            shift: SHIFT,
        })
    }
}

/// Records the gathering of this step's pictures; returns x `[R, N, H, W, C]` = 2·p − 1, 0 in padding rows.
pub fn pictures(plan: &mut Plan, label: &str, source: &Source, batch: usize) -> Result<TensorId, PlanError> {
    let params = source.params(plan, label, batch, false)?;
    let (kernel, first) = source.kernel(plan, label, ["gather_pictures", "augment_pictures"])?;
    let shader = plan.direct(kernel)?;
    let dims = source.dims(plan, batch);
    let x = plan.activation(plan.fresh_name(&format!("{label}.x")), &dims)?;
    let count = plan.tensor(x).len();
    plan.record(
        Record::new(shader, format!("{label} pictures"))
            .args(first.into_iter().chain([source.pixels, x]))
            .params(&params)
            .work(Work::Invocations(count))
            .flops(2 * count),
    )?;
    Ok(x)
}

/// Records the gathering of this step's pictures with all that the explanation leaves out replaced by `fill`; returns
/// x' `[R, N, H, W, C]` = e·x + (1 − e)·fill, 0 in padding rows. e is the mask in [0, 1], or, where `hard`, 1 from one
/// half on and else 0.
pub fn masked(
    plan: &mut Plan,
    label: &str,
    source: &Source,
    batch: usize,
    hard: bool,
) -> Result<TensorId, PlanError> {
    let params = source.params(plan, label, batch, hard)?;
    expect_dims(plan, label, source.fill, "[C]", &[source.channels])?;
    source.check_masks(plan, label)?;
    let (kernel, first) = source.kernel(plan, label, ["gather_masked", "augment_masked"])?;
    let shader = plan.direct(kernel)?;
    let dims = source.dims(plan, batch);
    let x = plan.activation(plan.fresh_name(&format!("{label}.x")), &dims)?;
    let count = plan.tensor(x).len();
    plan.record(
        Record::new(shader, format!("{label} masked"))
            .args(first.into_iter().chain([source.pixels, source.masks, source.fill, x]))
            .params(&params)
            .work(Work::Invocations(count))
            .flops(6 * count),
    )?;
    Ok(x)
}

/// Records how far each pixel of this step's batch lies outside of its explanation; returns outside `[R, N, H, W]` =
/// 1 − e, e as in [`masked`], 0 in padding rows.
pub fn outside(
    plan: &mut Plan,
    label: &str,
    source: &Source,
    batch: usize,
    hard: bool,
) -> Result<TensorId, PlanError> {
    let params = source.params(plan, label, batch, hard)?;
    source.check_masks(plan, label)?;
    let (kernel, first) = source.kernel(plan, label, ["gather_outside", "augment_outside"])?;
    let shader = plan.direct(kernel)?;
    let dims = source.dims(plan, batch);
    let outside = plan.activation(plan.fresh_name(&format!("{label}.outside")), &dims[..4])?;
    let count = plan.tensor(outside).len();
    plan.record(
        Record::new(shader, format!("{label} outside"))
            .args(first.into_iter().chain([source.masks, outside]))
            .params(&params)
            .work(Work::Invocations(count))
            .flops(count),
    )?;
    Ok(outside)
}

/// Records the gathering of this step's labels, their weights and whether they are explained.
pub fn labels(plan: &mut Plan, label: &str, source: &Source, batch: usize) -> Result<Batch, PlanError> {
    let params = source.params(plan, label, batch, false)?;
    expect_dims(plan, label, source.labels, "[count]", &[source.count])?;
    expect_dims(plan, label, source.explained, "[count]", &[source.count])?;
    let shader = plan.direct("gather_labels")?;
    let dims = [plan.dims(source.order)[0], batch];
    let name = plan.fresh_name(&format!("{label}.labels"));
    let labels = plan.add(name, &dims, DType::U32, Role::Activation)?;
    let label_weight = plan.activation(plan.fresh_name(&format!("{label}.label_weight")), &dims)?;
    let explained = plan.activation(plan.fresh_name(&format!("{label}.explained")), &dims)?;
    let inputs = [source.order, source.clock, source.labels, source.explained, source.class_weights];
    plan.record(
        Record::new(shader, format!("{label} labels"))
            .args(inputs.into_iter().chain([labels, label_weight, explained]))
            .params(&params)
            .work(Work::Invocations(dims[0] * batch)),
    )?;
    Ok(Batch { labels, label_weight, explained })
}

/// A data set of unfilled inputs, for cases and tests: the tensors and, in their order, how to fill them.
pub(crate) fn source_inputs(
    plan: &mut Plan,
    packed: bool,
    [replicas, batch, steps]: [usize; 3],
    [count, height, width, channels]: [usize; 4],
) -> Result<(Source, Vec<(TensorId, Fill)>), PlanError> {
    let values = count * height * width * channels;
    let words = if packed { values.div_ceil(4) } else { values };
    let mask_words = (count * height * width).div_ceil(4);
    let source = Source {
        pixels: super::index_input(plan, "data.pixels", &[words])?,
        packed,
        masks: super::index_input(plan, "data.masks", &[mask_words])?,
        labels: super::index_input(plan, "data.labels", &[count])?,
        explained: super::index_input(plan, "data.explained", &[count])?,
        class_weights: super::input(plan, "data.class_weights", &[3])?,
        fill: super::input(plan, "data.fill", &[channels])?,
        order: super::index_input(plan, "data.order", &[replicas, steps * batch])?,
        clock: super::index_input(plan, "clock", &[1])?,
        geometry: None,
        count,
        height,
        width,
        channels,
    };
    let pixels = if packed {
        Fill::Below(u32::MAX)
    } else {
        Fill::Indices([0.0f32, 1.0, 0.25, 0.7, 1.0 / 3.0, 1e-3, 0.999].map(f32::to_bits).to_vec())
    };
    // Rows of the data set, none at all (padding), and a row that does not exist.
    let none = [u32::MAX, count as u32];
    let order = (0..13).map(|i| if i % 4 == 3 { none[i / 4 % 2] } else { (i * 5 % count) as u32 });
    let fills = vec![
        (source.pixels, pixels),
        // 255, 0, 127 and 128 stand at known places: the ends, and both sides of the threshold.
        (source.masks, Fill::Indices(vec![0x807f_00ff, 0xff00_ff80, 0x1122_3344])),
        (source.labels, Fill::Indices(vec![2, 0, u32::MAX, 1, 0])),
        (source.explained, Fill::Below(2)),
        (source.class_weights, Fill::Floats(vec![0.5, 2.0, 1.25])),
        (source.fill, Fill::Uniform(-1.0, 1.0)),
        (source.order, Fill::Indices(order.collect())),
        (source.clock, Fill::Indices(vec![1])),
    ];
    Ok((source, fills))
}

/// Shapes for doctor and the tests, of the kernels that turn pictures, too.
pub(super) const SHAPES: [Shape; 5] = [
    (false, [1, 1, 2], [1, 1, 1, 1]),
    (true, [1, 3, 2], [5, 9, 7, 1]),
    (true, [3, 5, 3], [4, 9, 7, 3]),
    (false, [2, 4, 2], [6, 25, 33, 4]),
    (true, [2, 3, 2], [7, 25, 33, 13]),
];

/// The cases of every kernel here.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &SHAPES)
}

/// Whether pixels are packed; `[R, N, steps]`; pictures of the data set and their `[count, H, W, C]`.
pub(crate) type Shape = (bool, [usize; 3], [usize; 4]);

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[Shape]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(packed, run, data) in shapes {
        for (kernel, hard) in [
            ("gather_pictures", false),
            ("gather_masked", true),
            ("gather_masked", false),
            ("gather_outside", true),
            ("gather_outside", false),
            ("gather_labels", false),
        ] {
            let mut plan = Plan::with_variants("gather", variants);
            let (source, inputs) = source_inputs(&mut plan, packed, run, data)?;
            match kernel {
                "gather_pictures" => pictures(&mut plan, "batch", &source, run[1]).map(|_| ())?,
                "gather_masked" => masked(&mut plan, "batch", &source, run[1], hard).map(|_| ())?,
                "gather_outside" => outside(&mut plan, "batch", &source, run[1], hard).map(|_| ())?,
                _ => labels(&mut plan, "batch", &source, run[1]).map(|_| ())?,
            }
            let used: Vec<TensorId> =
                plan.commands().iter().flat_map(|c| c.args.iter().map(|arg| arg.tensor)).collect();
            let [r, n, _] = run;
            let [count, h, w, c] = data;
            let form = if packed { "unorm8" } else { "f32" };
            let hard = if hard { " hard" } else { "" };
            cases.push(Case {
                kernel,
                shape: format!("{r}×{n} of {count}×{h}×{w}×{c} {form}{hard}"),
                plan,
                inputs: inputs.into_iter().filter(|(tensor, _)| used.contains(tensor)).collect(),
                // Each quotient by 255 is 2.5 ULP off, a pixel's doubled, x (at most 1 in size) rounded once; a
                // mask's quotient takes part in e and 1 − e, and the blend is rounded three times.
                tolerance: match kernel {
                    "gather_labels" => Tolerance::Exact,
                    _ => {
                        Tolerance::Mixed { relative: 0.0, absolute: (5.0 + 1.0 + 5.0 + 3.0) * accuracy::ULP }
                    }
                },
            });
        }
    }
    Ok(cases)
}

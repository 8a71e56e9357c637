//! Pictures, and their masks with them, turned on their way into a batch: [`super::gather`] records these kernels where a
//! source has a geometry.

use super::gather::{self, Shape, Source};
use super::{Case, Fill, Tolerance, accuracy, expect_dims};
pub use crate::cpu::augment::WORDS;
use crate::plan::{Plan, PlanError, TensorId, Variants};

/// The longest side of a picture: places are counted in 32 bits, in 2⁻¹⁷ of a pixel.
const MOST: usize = 4096;

/// How one picture is turned, as a map from where a pixel goes back to where it comes from:
/// source = middle + matrix · (place − middle) + offset, rows before columns, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transform {
    /// Each entry at most 1 in size: pictures are never made smaller.
    pub matrix: [[f64; 2]; 2],
    /// Rows and columns, at most twice the longest side.
    pub offset: [f64; 2],
    /// Factor of the pixel values, from 0 to 2; what would pass 1 becomes 1.
    pub brightness: f64,
}

impl Transform {
    /// What leaves every bit as it is.
    pub const IDENTITY: Transform =
        Transform { matrix: [[1.0, 0.0], [0.0, 1.0]], offset: [0.0, 0.0], brightness: 1.0 };

    /// The words of one slot: the matrix in whole 2⁻¹⁶, the offset in whole 2⁻¹⁷ of a pixel, brightness as f32.
    pub fn words(&self) -> [u32; WORDS] {
        let fixed = |value: f64, unit: f64| (value * unit).round() as i32 as u32;
        let [[yy, yx], [xy, xx]] = self.matrix.map(|row| row.map(|value| fixed(value, 65_536.0)));
        let [y, x] = self.offset.map(|value| fixed(value, 131_072.0));
        [yy, yx, xy, xx, y, x, (self.brightness as f32).to_bits()]
    }
}

/// Checks the geometry `[R, steps·N, 7]` of a source.
pub(super) fn check(plan: &Plan, op: &str, source: &Source, geometry: TensorId) -> Result<(), PlanError> {
    let dims = [plan.dims(source.order), &[WORDS]].concat();
    expect_dims(plan, op, geometry, "[R, steps·N, 7]", &dims)?;
    let longest = source.height.max(source.width);
    if longest > MOST {
        return Err(PlanError::Limit {
            what: format!("{op}: longest side of a picture"),
            limit: "augmentation's 32-bit places",
            needed: longest as u64,
            allowed: MOST as u64,
            unit: "pixels",
            remedy: "use smaller pictures (--size), or no augmentation",
        });
    }
    Ok(())
}

/// The cases of every kernel here, for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    cases_at(variants, &gather::SHAPES)
}

/// Nothing moved; everything at once; a half turn out of the picture.
fn examples() -> Fill {
    let (sin, cos) = 0.7f64.sin_cos();
    let turned = Transform {
        matrix: [[0.8 * cos, -0.8 * sin], [0.8 * sin, 0.8 * cos]],
        offset: [1.3, -2.0],
        brightness: 1.5,
    };
    let away = Transform { matrix: [[-1.0, 0.0], [0.0, 0.9]], offset: [-7.25, 11.0], brightness: 0.3 };
    Fill::Indices([Transform::IDENTITY, turned, away].iter().flat_map(Transform::words).collect())
}

/// The cases of every kernel here at these shapes.
pub(crate) fn cases_at(variants: &Variants, shapes: &[Shape]) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for &(packed, run, data) in shapes {
        for (kernel, hard) in [
            ("augment_pictures", false),
            ("augment_masked", true),
            ("augment_masked", false),
            ("augment_outside", true),
            ("augment_outside", false),
        ] {
            let mut plan = Plan::with_variants("augment", variants);
            let (source, mut inputs) = gather::source_inputs(&mut plan, packed, run, data)?;
            let dims = [run[0], run[1] * run[2], WORDS];
            let geometry = super::index_input(&mut plan, "data.geometry", &dims)?;
            inputs.push((geometry, examples()));
            let source = Source { geometry: Some(geometry), ..source };
            match kernel {
                "augment_pictures" => gather::pictures(&mut plan, "batch", &source, run[1])?,
                "augment_masked" => gather::masked(&mut plan, "batch", &source, run[1], hard)?,
                _ => gather::outside(&mut plan, "batch", &source, run[1], hard)?,
            };
            let used: Vec<TensorId> =
                plan.commands().iter().flat_map(|c| c.args.iter().map(|arg| arg.tensor)).collect();
            let ([r, n, _], [count, h, w, c]) = (run, data);
            let form = if packed { "unorm8" } else { "f32" };
            let hard = if hard { " hard" } else { "" };
            cases.push(Case {
                kernel,
                shape: format!("{r}×{n} of {count}×{h}×{w}×{c} {form}{hard}"),
                plan,
                inputs: inputs.into_iter().filter(|(tensor, _)| used.contains(tensor)).collect(),
                // Relative to p, which is a sum of positive terms: 2.5 ULP from a quotient by 255, 4 roundings of the
                // sum and its products and one of the brightness, half an ULP each, 5 ULP; p is at most 1, doubled in x,
                // which is rounded once. Then as in gather_masked: the quotient takes part in e and 1 − e, and the blend
                // is rounded three times.
                tolerance: Tolerance::Mixed {
                    relative: 0.0,
                    absolute: (2.0 * 5.0 + 1.0 + 5.0 + 3.0) * accuracy::ULP,
                },
            });
        }
    }
    Ok(cases)
}

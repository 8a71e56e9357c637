//! One picture, or its mask, put among the packed bytes of a data set on the device.

use super::{Case, Fill, Tolerance, count32, expect_dims};
use crate::cpu::place::Place;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Records that the texels `[H·W]` (u32, RGBA8 with red lowest) become picture number index `[1]` of bytes, u32 words that hold
/// `[count, H, W, C]` unorm8; C from 1 (grey, Rec. 709 weights) to 4. A mask is a picture of one channel.
pub fn picture(
    plan: &mut Plan,
    label: &str,
    texels: TensorId,
    index: TensorId,
    bytes: TensorId,
    channels: usize,
    count: usize,
) -> Result<(), PlanError> {
    if !(1..=4).contains(&channels) {
        let message = format!("a texel has 1 to 4 channels, not {channels}");
        return Err(PlanError::Settings { op: label.to_owned(), message });
    }
    let positions = plan.tensor(texels).len();
    let size = positions * channels;
    count32(label, "bytes of the data set", count * size)?;
    expect_dims(plan, label, index, "[1]", &[1])?;
    expect_dims(plan, label, bytes, "[count·H·W·C / 4]", &[(count * size).div_ceil(4)])?;
    let shader = plan.direct("place_picture")?;
    let params = Place { positions: positions as u32, channels: channels as u32, count: count as u32 };
    plan.record(
        Record::new(shader, label)
            .args([texels, index, bytes])
            .params(&params)
            // A picture that does not begin with a word ends in one more.
            .work(Work::Invocations(size.div_ceil(4) + 1)),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    let mut cases = Vec::new();
    for (positions, channels, count, at) in [
        (1, 1, 1, 0),
        (63, 1, 5, 3),
        (63, 3, 5, 4),
        (825, 1, 3, 2),
        (825, 3, 3, 1),
        (1024, 3, 4, 0),
        (63, 1, 2, 2),
    ] {
        let mut plan = Plan::with_variants("place", variants);
        let texels = super::index_input(&mut plan, "texels", &[positions])?;
        let index = super::index_input(&mut plan, "index", &[1])?;
        let words = (count * positions * channels).div_ceil(4);
        let bytes = super::index_input(&mut plan, "bytes", &[words])?;
        picture(&mut plan, "place", texels, index, bytes, channels, count)?;
        cases.push(Case {
            kernel: "place_picture",
            shape: format!("{at} of {count}×{positions}×{channels}"),
            plan,
            inputs: vec![
                (texels, Fill::Below(u32::MAX)),
                (index, Fill::Indices(vec![at])),
                (bytes, Fill::Below(u32::MAX)),
            ],
            tolerance: Tolerance::Exact,
        });
    }
    Ok(cases)
}

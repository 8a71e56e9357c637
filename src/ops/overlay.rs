//! Maps and pictures as colours, for a host that draws them.

use super::{Case, Fill, Tolerance, accuracy, count32, expect_dims, shape_error};
use crate::cpu::lanes::LANES;
use crate::cpu::overlay as uniform;
use crate::plan::{Plan, PlanError, Record, TensorId, Variants, Work};

/// Colours of a table.
pub const COLORS: usize = 256;

/// Records heat `[positions]` of values `[positions, channels]`: s_p / max s with s_p = √(Σ_c max(v_pc + shift, floor)²), 0 where no
/// s is above 0; returns heat. A position that holds a NaN counts as 0. Values below 10⁻¹⁹ in size square to 0.
pub fn heat(
    plan: &mut Plan,
    label: &str,
    values: TensorId,
    shift: f32,
    floor: f32,
) -> Result<TensorId, PlanError> {
    let &[positions, channels] = plan.dims(values) else {
        return Err(shape_error(plan, label, values, "[positions, channels]"));
    };
    let count = count32(label, "values", positions * channels)? as usize;
    let heat = plan.activation(plan.fresh_name(&format!("{label}.heat")), &[positions])?;
    let shader = plan.direct("overlay_heat")?;
    let params = uniform::Heat { positions: positions as u32, channels: channels as u32, shift, floor };
    plan.record(
        Record::new(shader, format!("{label} heat"))
            .args([values, heat])
            .params(&params)
            .work(Work::Workgroups(1))
            .flops(3 * count)
            .iterations(positions.div_ceil(LANES) * (channels + 2) + LANES.ilog2() as usize),
    )?;
    Ok(heat)
}

/// Records texels `[positions]` (u32, RGBA8) = table `[256]` at heat `[positions]` in [0, 1].
pub fn colors(
    plan: &mut Plan,
    label: &str,
    heat: TensorId,
    table: TensorId,
    texels: TensorId,
) -> Result<(), PlanError> {
    let positions = count32(label, "positions", plan.tensor(heat).len())?;
    expect_dims(plan, label, table, "[256]", &[COLORS])?;
    expect_dims(plan, label, texels, "[positions]", &[positions as usize])?;
    let shader = plan.direct("overlay_colors")?;
    plan.record(
        Record::new(shader, format!("{label} colors"))
            .args([heat, table, texels])
            .params(&uniform::Colors { positions })
            .work(Work::Invocations(positions as usize)),
    )
}

/// Records texels `[positions]` (u32, RGBA8): x `[positions, channels]` in [−1, 1] as the bytes that it was made from, one channel
/// as grey.
pub fn picture(plan: &mut Plan, label: &str, x: TensorId, texels: TensorId) -> Result<(), PlanError> {
    let &[positions, channels] = plan.dims(x) else {
        return Err(shape_error(plan, label, x, "[positions, channels]"));
    };
    count32(label, "values", positions * channels)?;
    expect_dims(plan, label, texels, "[positions]", &[positions])?;
    let shader = plan.direct("overlay_picture")?;
    plan.record(
        Record::new(shader, format!("{label} picture"))
            .args([x, texels])
            .params(&uniform::Picture { positions: positions as u32, channels: channels as u32 })
            .work(Work::Invocations(positions))
            .flops(9 * positions),
    )
}

/// Shapes for doctor and the tests.
pub fn cases(variants: &Variants) -> Result<Vec<Case>, PlanError> {
    use accuracy::ULP;
    let mut cases = Vec::new();
    // Eighths, whose sums with the shift are exact, and a NaN among them.
    let eighths = |nan: bool| {
        let value = |i: i32| if nan && i == 41 { f32::NAN } else { (i * 29 % 97 - 48) as f32 / 8.0 };
        Fill::Floats((0..97).map(value).collect())
    };
    for (positions, channels) in [(1, 1), (63, 4), (825, 13), (1024, 1), (16, 32)] {
        for (what, shift, floor, fill) in [
            ("", 0.0, f32::MIN, Fill::Normal(1.0)),
            (" gate", 1.0, 0.0, eighths(false)),
            (" gate NaN", 1.0, 0.0, eighths(true)),
            (" NaN", 0.0, f32::MIN, eighths(true)),
        ] {
            let mut plan = Plan::with_variants("overlay", variants);
            let values = super::input(&mut plan, "values", &[positions, channels])?;
            heat(&mut plan, "overlay", values, shift, floor)?;
            // A root halves the error of its sum and adds its own, in s and in the largest s; then a quotient.
            let root = 0.5 * (channels as f64 * 0.5 + 0.5) * ULP + 4.5 * ULP;
            cases.push(Case {
                kernel: "overlay_heat",
                shape: format!("{positions}×{channels}{what}"),
                plan,
                inputs: vec![(values, fill)],
                tolerance: Tolerance::Mixed { relative: 2.0 * root + 2.5 * ULP, absolute: 0.0 },
            });
        }
    }
    for positions in [1, 63, 825] {
        for (what, fill) in [
            ("", Fill::Uniform(0.0, 1.0)),
            (" poison", Fill::Floats(vec![1.0, f32::NAN, -2.0, 0.0, f32::INFINITY, 7.0, f32::NEG_INFINITY])),
        ] {
            let mut plan = Plan::with_variants("overlay", variants);
            let heat = super::input(&mut plan, "heat", &[positions])?;
            let table = super::index_input(&mut plan, "table", &[COLORS])?;
            let texels = super::index_input(&mut plan, "texels", &[positions])?;
            colors(&mut plan, "overlay", heat, table, texels)?;
            cases.push(Case {
                kernel: "overlay_colors",
                shape: format!("{positions}{what}"),
                plan,
                inputs: vec![(heat, fill), (table, Fill::Below(u32::MAX))],
                tolerance: Tolerance::Exact,
            });
        }
    }
    // Every byte, what lies outside, and the fills; each at least a tenth away from where the byte changes, but for the
    // fill 0, at which 127.5 + 0.5 is exact.
    let mut values: Vec<f32> = (0..256).map(|byte| 2.0 * byte as f32 / 255.0 - 1.0).collect();
    values.extend([0.0, -1.0, 1.0, -7.0, 7.0]);
    for (positions, channels) in [(261, 1), (825, 3), (63, 4)] {
        let mut plan = Plan::with_variants("overlay", variants);
        let x = super::input(&mut plan, "x", &[positions, channels])?;
        let texels = super::index_input(&mut plan, "texels", &[positions])?;
        picture(&mut plan, "overlay", x, texels)?;
        cases.push(Case {
            kernel: "overlay_picture",
            shape: format!("{positions}×{channels}"),
            plan,
            inputs: vec![(x, Fill::Floats(values.clone()))],
            tolerance: Tolerance::Exact,
        });
    }
    Ok(cases)
}

// interval_product: bounds of g h, element by element, over a box; if params.gate is 1, the first factor comes as s and
// is the gate g = max(1 + s, 0).
//   s_lo, s_hi (g or s), h_lo, h_hi, y_lo, y_hi, all [count]
// One invocation per element.
//   y_lo = min(g_lo h_lo, g_lo h_hi, g_hi h_lo, g_hi h_hi) - margin, y_hi = max of the same + margin,
//   margin = relative · max(|g_lo|, |g_hi|) · max(|h_lo|, |h_hi|) + absolute.
// Derivation: g h is linear in g and in h alone, so its least and largest value over a rectangle stand at corners. The
// rounding of 1 + s is relative to g itself, so that a gate that is closed all over the box gives 0. g is taken as free
// of h, though it depends on it: a bound, not the range. The margin is that of shared/interval; a NaN comes through it.
// uses shared/grid
// uses shared/interval

struct IntervalProduct {
    count: u32,
    gate: u32,
    relative: f32,
    absolute: f32,
}

@group(0) @binding(0) var<uniform> params: IntervalProduct;
@group(0) @binding(1) var<storage, read> s_lo: array<f32>;
@group(0) @binding(2) var<storage, read> s_hi: array<f32>;
@group(0) @binding(3) var<storage, read> h_lo: array<f32>;
@group(0) @binding(4) var<storage, read> h_hi: array<f32>;
@group(0) @binding(5) var<storage, read_write> y_lo: array<f32>;
@group(0) @binding(6) var<storage, read_write> y_hi: array<f32>;

fn factor(s: f32) -> f32 {
    let u = 1.0 + s;
    return select(s, select(u, 0.0, u < 0.0), params.gate == 1u);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.count {
        return;
    }
    let g_low = factor(s_lo[i]);
    let g_high = factor(s_hi[i]);
    let h_low = h_lo[i];
    let h_high = h_hi[i];
    let a = g_low * h_low;
    let b = g_low * h_high;
    let c = g_high * h_low;
    let d = g_high * h_high;
    let margin = params.relative * ((size(g_low, g_high) + FLOOR) * (size(h_low, h_high) + FLOOR)) + params.absolute;
    y_lo[i] = min(min(a, b), min(c, d)) - margin;
    y_hi[i] = max(max(a, b), max(c, d)) + margin;
}

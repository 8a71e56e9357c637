// interval_linear: bounds of y = x W + b and, if params.relu is 1, a ReLU behind it, over a box.
//   lo, hi [R, N, D_in], weight [R, D_in, D_out], bias [R, D_out], y_lo, y_hi [R, N, D_out]
// One invocation per element of y.
//   y_lo = b + sum of w · (lo where w >= 0, else hi) - margin, y_hi = b + sum of w · (hi where w >= 0, else lo) + margin,
//   margin = relative · S + absolute, S = |b| + sum of |w| · max(|lo|, |hi|).
// Derivation: each x has [lo, hi] to itself and w x is monotone in x, so the least sum takes lo under positive and hi
// under negative weights. For one layer this is exact. The margin is that of shared/interval.
// uses shared/grid
// uses shared/interval

struct IntervalLinear {
    replicas: u32,
    batch: u32,
    features_in: u32,
    features_out: u32,
    relu: u32,
    relative: f32,
    absolute: f32,
}

@group(0) @binding(0) var<uniform> params: IntervalLinear;
@group(0) @binding(1) var<storage, read> lo: array<f32>;
@group(0) @binding(2) var<storage, read> hi: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y_lo: array<f32>;
@group(0) @binding(6) var<storage, read_write> y_hi: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.replicas * params.batch * params.features_out {
        return;
    }
    let o = at % params.features_out;
    let n = at / params.features_out; // counts on over the replicas
    let replica = n / params.batch;

    let b = bias[replica * params.features_out + o];
    var low = b;
    var high = b;
    var sizes = abs(b);
    let x_at = n * params.features_in;
    let weight_at = replica * params.features_in * params.features_out + o;
    for (var i = 0u; i < params.features_in; i++) {
        let l = lo[x_at + i];
        let h = hi[x_at + i];
        let w = weight[weight_at + i * params.features_out];
        low += w * select(h, l, w >= 0.0);
        high += w * select(l, h, w >= 0.0);
        sizes += (abs(w) + FLOOR) * (size(l, h) + FLOOR);
    }
    let margin = params.relative * sizes + params.absolute;
    // A NaN stays a NaN: max() may drop it.
    y_lo[at] = select(low - margin, 0.0, params.relu == 1u && low - margin < 0.0);
    y_hi[at] = select(high + margin, 0.0, params.relu == 1u && high + margin < 0.0);
}

// interval_diagonal: bounds of z = w * x + b, feature by feature, over a box.
//   lo, hi [R, N, D], weight [R, D], bias [R, D], z_lo, z_hi [R, N, D]
// One invocation per element of z.
//   z_lo = w · (lo where w >= 0, else hi) + b - margin, z_hi = w · (hi where w >= 0, else lo) + b + margin,
//   margin = relative · (|w| · max(|lo|, |hi|) + |b|) + absolute.
// Derivation: w x is monotone in x, so its ends are the products with lo and hi, in this or the other order. The margin
// is that of shared/interval.
// uses shared/grid
// uses shared/interval

struct IntervalDiagonal {
    replicas: u32,
    batch: u32,
    features: u32,
    relative: f32,
    absolute: f32,
}

@group(0) @binding(0) var<uniform> params: IntervalDiagonal;
@group(0) @binding(1) var<storage, read> lo: array<f32>;
@group(0) @binding(2) var<storage, read> hi: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> z_lo: array<f32>;
@group(0) @binding(6) var<storage, read_write> z_hi: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.batch * params.features {
        return;
    }
    let replica = i / params.features / params.batch;
    let d = replica * params.features + i % params.features;
    let l = lo[i];
    let h = hi[i];
    let w = weight[d];
    let b = bias[d];
    let sizes = (abs(w) + FLOOR) * (size(l, h) + FLOOR) + abs(b);
    let margin = params.relative * sizes + params.absolute;
    z_lo[i] = w * select(h, l, w >= 0.0) + b - margin;
    z_hi[i] = w * select(l, h, w >= 0.0) + b + margin;
}

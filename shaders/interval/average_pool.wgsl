// interval_average_pool: bounds of the mean of each channel over all positions, over a box.
//   lo, hi [R, N, H, W, C], y_lo, y_hi [R, N, 1, 1, C]; positions = H W
// One invocation per element of y.
//   y_lo = (sum of lo) / (H W) - margin, y_hi = (sum of hi) / (H W) + margin,
//   margin = relative · (sum of max(|lo|, |hi|)) / (H W) + absolute.
// Derivation: the mean grows with every x, so its ends are the means of the ends. The margin is that of
// shared/interval, the quotient counted as three roundings.
// uses shared/grid
// uses shared/interval

struct IntervalAveragePool {
    images: u32,
    positions: u32,
    channels: u32,
    relative: f32,
    absolute: f32,
}

@group(0) @binding(0) var<uniform> params: IntervalAveragePool;
@group(0) @binding(1) var<storage, read> lo: array<f32>;
@group(0) @binding(2) var<storage, read> hi: array<f32>;
@group(0) @binding(3) var<storage, read_write> y_lo: array<f32>;
@group(0) @binding(4) var<storage, read_write> y_hi: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.images * params.channels {
        return;
    }
    let first = i / params.channels * params.positions * params.channels + i % params.channels;
    var low = 0.0;
    var high = 0.0;
    var sizes = 0.0;
    for (var p = 0u; p < params.positions; p++) {
        let l = lo[first + p * params.channels];
        let h = hi[first + p * params.channels];
        low += l;
        high += h;
        sizes += size(l, h) + FLOOR;
    }
    let count = f32(params.positions);
    let margin = params.relative * (sizes / count) + params.absolute;
    y_lo[i] = low / count - margin;
    y_hi[i] = high / count + margin;
}

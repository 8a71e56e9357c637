// average_pool_forward: the mean of each channel over all positions.
//   x [R, N, H, W, C], y [R, N, 1, 1, C]; positions = H W
// One invocation per element of y.
// y[c] = (sum over h, w of x[h, w, c]) / (H W)
// uses shared/grid
// uses shared/average_pool

@group(0) @binding(0) var<uniform> params: AveragePool;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    var sum = 0.0;
    for (var p = 0u; p < params.positions; p++) {
        sum += x[first + p * params.channels];
    }
    y[i] = sum / f32(params.positions);
}

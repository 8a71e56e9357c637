// average_pool_backward: gradient of a global average pooling.
//   d_y [R, N, 1, 1, C], d_x [R, N, H, W, C]; positions = H W
// One invocation per element of d_x.
// Derivation: every x[h, w, c] enters y[c] with the factor 1 / (H W), so
//   d_x[h, w, c] = d_y[c] / (H W).
// uses shared/grid
// uses shared/average_pool

@group(0) @binding(0) var<uniform> params: AveragePool;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.images * params.positions * params.channels {
        return;
    }
    let image = i / params.channels / params.positions;
    d_x[i] = d_y[image * params.channels + i % params.channels] / f32(params.positions);
}

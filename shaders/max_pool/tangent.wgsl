// max_pool_tangent: how y of a max pooling moves when its x moves along t.
//   t [R, N, H, W, C], argmax [R, N, H_out, W_out, C] (h W + w), t_y [R, N, H_out, W_out, C]
// One invocation per element of t_y.
// Derivation: y[h', w', c] is the copy of the one x[h, w, c] that argmax names, so t_y is the same copy of t. It is the
// transpose of max_pool_backward.
// uses shared/grid
// uses shared/max_pool

@group(0) @binding(0) var<uniform> params: MaxPool;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> argmax: array<u32>;
@group(0) @binding(3) var<storage, read_write> t_y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.images * params.height_out * params.width_out * params.channels {
        return;
    }
    let c = i % params.channels;
    let image = i / (params.height_out * params.width_out * params.channels);
    let plane = image * params.height * params.width;
    t_y[i] = t[(plane + argmax[i]) * params.channels + c];
}

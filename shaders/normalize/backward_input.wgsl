// normalize_backward_input: gradient of a normalisation with respect to its input, its statistics being constants.
//   statistics [R·N / span, G, 2] (mean, inverse deviation), weight [R, C], d_y [R, N, P, C], d_x [R, N, P, C]
// One invocation per element of d_x.
// Derivation: y = weight[c] (x − mean) inverse_deviation + bias[c], so d_x = weight[c] inverse_deviation d_y.
// uses shared/grid
// uses shared/normalization

@group(0) @binding(0) var<uniform> params: Normalization;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> d_y: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let size = params.positions * params.channels;
    if i >= params.replicas * params.batch * size {
        return;
    }
    let row = i / size;
    let c = i % params.channels;
    d_x[i] = weight[row / params.batch * params.channels + c] * statistics[statistics_of(row, c) + 1u] * d_y[i];
}

// normalize_forward: the normalised map, with a scale and a shift per channel.
//   x [R, N, P, C] with P positions, statistics [R·N / span, G, 2] (mean, inverse deviation), weight [R, C],
//   bias [R, C], y [R, N, P, C]
// One invocation per element of y.
// y = weight[c] (x − mean) inverse_deviation + bias[c]
// uses shared/grid
// uses shared/normalization

@group(0) @binding(0) var<uniform> params: Normalization;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

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
    let at = statistics_of(row, c);
    let own = row / params.batch * params.channels + c;
    y[i] = weight[own] * ((x[i] - statistics[at]) * statistics[at + 1u]) + bias[own];
}

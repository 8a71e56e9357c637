// diagonal_forward: z = w * x + b, feature by feature.
//   x [R, N, D], weight [R, D], bias [R, D], z [R, N, D]
// One invocation per element of z.
// z[n, d] = weight[d] x[n, d] + bias[d]
// uses shared/grid
// uses shared/diagonal

@group(0) @binding(0) var<uniform> params: Diagonal;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> z: array<f32>;

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
    z[i] = weight[d] * x[i] + bias[d];
}

// diagonal_backward_input: gradient of a diagonal layer with respect to its input.
//   d_z [R, N, D], weight [R, D], d_x [R, N, D]
// One invocation per element of d_x.
// Derivation: x[n, d] enters z[n, d] alone, with the factor weight[d], so
//   d_x[n, d] = weight[d] d_z[n, d].
// uses shared/grid
// uses shared/diagonal

@group(0) @binding(0) var<uniform> params: Diagonal;
@group(0) @binding(1) var<storage, read> d_z: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

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
    d_x[i] = weight[replica * params.features + i % params.features] * d_z[i];
}

// diagonal_backward_weight: gradient of a diagonal layer with respect to its weight, in slices over the
// batch.
//   x [R, N, D], d_z [R, N, D], d_weight [R, S, D]
// One invocation per element of d_weight; reduce_sum_slices adds the S slices.
// Derivation: weight[d] enters z[n, d] of every picture n with the factor x[n, d], so
//   d_weight[d] = sum over n of x[n, d] d_z[n, d].
// Slice s takes the pictures from s slice_length on, slice_length of them, in order.
// uses shared/grid
// uses shared/diagonal

@group(0) @binding(0) var<uniform> params: Diagonal;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_z: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.slices * params.features {
        return;
    }
    let d = i % params.features;
    let slice = i / params.features;
    let replica = slice / params.slices;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.batch);
    var sum = 0.0;
    for (var n = first; n < end; n++) {
        let at = (replica * params.batch + n) * params.features + d;
        sum += x[at] * d_z[at];
    }
    d_weight[i] = sum;
}

// linear_backward_weight: gradient of a linear layer with respect to its weight, in slices over the batch.
//   x [R, N, D_in], d_y [R, N, D_out], d_weight [R, S, D_in, D_out]
// One invocation per element of d_weight; reduce_sum_slices adds the S slices.
// Derivation: weight[i, o] enters y[n, o] with the factor x[n, i], so
//   d_weight[i, o] = sum over n of x[n, i] d_y[n, o], that is, d_W = x^T d_y.
// Slice s takes the pictures from s slice_length on, slice_length of them, in order.
// uses shared/grid
// uses shared/linear

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_weight: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.replicas * params.slices * params.features_in * params.features_out {
        return;
    }
    let o = at % params.features_out;
    let i = at / params.features_out % params.features_in;
    let slice = at / params.features_out / params.features_in;
    let replica = slice / params.slices;

    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.batch);
    var sum = 0.0;
    for (var n = replica * params.batch + first; n < replica * params.batch + end; n++) {
        sum += x[n * params.features_in + i] * d_y[n * params.features_out + o];
    }
    d_weight[at] = sum;
}

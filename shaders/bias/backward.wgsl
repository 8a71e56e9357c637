// bias_backward: gradient of a bias, in slices over the rows of d_y.
//   d_y [R, M, C] with M rows (pictures, or positions of pictures), d_bias [R, S, C]
// One invocation per element of d_bias; reduce_sum_slices adds the S slices.
// Derivation: y[m, c] = ... + bias[c] for every row m, so
//   d_bias[c] = sum over m of d_y[m, c].
// Slice s takes the rows from s slice_length on, slice_length of them, in order.
// uses shared/grid
// uses shared/bias

@group(0) @binding(0) var<uniform> params: Bias;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read_write> d_bias: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.slices * params.channels {
        return;
    }
    let c = i % params.channels;
    let slice = i / params.channels;
    let replica = slice / params.slices;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.rows);
    var sum = 0.0;
    for (var m = first; m < end; m++) {
        sum += d_y[(replica * params.rows + m) * params.channels + c];
    }
    d_bias[i] = sum;
}

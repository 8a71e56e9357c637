// bias_backward, four channels at once: gradient of a bias, in slices over the rows of d_y.
//   d_y [R, M, C] with M rows (pictures, or positions of pictures), d_bias [R, S, C]; C a multiple of 4
// One invocation per four elements of d_bias; reduce_sum_slices adds the S slices.
// Derivation: y[m, c] = ... + bias[c] for every row m, so
//   d_bias[c] = sum over m of d_y[m, c].
// Slice s takes the rows from s slice_length on, slice_length of them, in order.
// uses shared/grid
// uses shared/bias

const COLUMNS: u32 = 4;

@group(0) @binding(0) var<uniform> params: Bias;
@group(0) @binding(1) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> d_bias: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let channels = params.channels / 4u;
    if i >= params.replicas * params.slices * channels {
        return;
    }
    let slice = i / channels;
    let replica = slice / params.slices;
    let first = slice % params.slices * params.slice_length;
    let end = min(first + params.slice_length, params.rows);
    var at = (replica * params.rows + first) * channels + i % channels;
    var sum = vec4(0.0);
    for (var m = first; m < end; m++) {
        sum += d_y[at];
        at += channels;
    }
    d_bias[i] = sum;
}

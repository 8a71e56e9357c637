// log_softmax_forward: y = log softmax(x / T) within each group of values.
//   x [rows, length, inner], y likewise. A group is the `length` values of one row and one inner index:
//   inner = 1 for all the features of a picture, inner = C for its positions, each channel apart.
// One workgroup of 64 per group: strided loops, then trees in fixed order.
// Formula: y_i = (x_i − max) / T − log Σ_j exp((x_j − max) / T); finite where exp underflows.
// A NaN that max() drops comes back through the sum; −∞ gives −∞; +∞ gives NaN.
// uses shared/grid
// uses shared/softmax
// uses shared/tree

@group(0) @binding(0) var<uniform> params: Softmax;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = group_index(group, groups);
    // A workgroup past the last group takes part in every barrier and touches nothing.
    let live = index < params.groups;
    let g = select(0u, index, live);
    let length = select(0u, params.length, live);
    let first = first_of(g);

    var largest = x[first];
    for (var i = local; i < length; i += 64u) {
        largest = max(largest, x[first + i * params.inner]);
    }
    largest = tree_max(local, largest);

    var sum = 0.0;
    for (var i = local; i < length; i += 64u) {
        sum += exp((x[first + i * params.inner] - largest) / params.temperature);
    }
    let log_sum = log(tree_sum(local, sum));

    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        y[at] = (x[at] - largest) / params.temperature - log_sum;
    }
}

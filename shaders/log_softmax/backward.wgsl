// log_softmax_backward: d_x from the output y (log-probabilities) of log_softmax_forward and its gradient d_y.
//   y [rows, length, inner], d_y and d_x likewise; groups as in log_softmax_forward.
// One workgroup of 64 per group: a strided loop, then a tree in fixed order.
// Derivation: y_j = x_j / T − log S with S = Σ exp(x_k / T), and ∂(log S)/∂x_i = exp(x_i / T) / (S · T)
// = exp(y_i) / T, so ∂y_j/∂x_i = (δ_ij − exp(y_i)) / T
// and d_x_i = Σ_j d_y_j · (δ_ij − exp(y_i)) / T = (d_y_i − exp(y_i) · Σ_j d_y_j) / T.
// uses shared/grid
// uses shared/softmax
// uses shared/tree

@group(0) @binding(0) var<uniform> params: Softmax;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

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

    var sum = 0.0;
    for (var i = local; i < length; i += 64u) {
        sum += d_y[first + i * params.inner];
    }
    sum = tree_sum(local, sum);

    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        d_x[at] = (d_y[at] - exp(y[at]) * sum) / params.temperature;
    }
}

// softmax_backward: d_x from the output y of softmax_forward and its gradient d_y.
//   y [rows, length, inner], d_y and d_x likewise; groups as in softmax_forward.
// One workgroup of 64 per group: a strided loop, then a tree in fixed order.
// Derivation: y_i = e_i / S with e_i = exp(x_i / T) and S = Σ e_j gives ∂y_j/∂x_i = y_j · (δ_ij − y_i) / T,
// hence d_x_i = Σ_j d_y_j · y_j · (δ_ij − y_i) / T = y_i · (d_y_i − Σ_j y_j · d_y_j) / T.
// The maximum that the forward subtracts cancels.
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

    var dot = 0.0;
    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        dot += y[at] * d_y[at];
    }
    dot = tree_sum(local, dot);

    for (var i = local; i < length; i += 64u) {
        let at = first + i * params.inner;
        d_x[at] = y[at] * (d_y[at] - dot) / params.temperature;
    }
}

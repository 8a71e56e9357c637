// linear_backward_input: gradient of a linear layer with respect to its input.
//   d_y [R, N, D_out], weight [R, D_in, D_out], d_x [R, N, D_in]
// One invocation per element of d_x.
// Derivation: x[n, i] enters y[n, o] with the factor weight[i, o], so
//   d_x[n, i] = sum over o of d_y[n, o] weight[i, o], that is, d_x = d_y W^T.
// uses shared/grid
// uses shared/linear

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> d_y: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.replicas * params.batch * params.features_in {
        return;
    }
    let i = at % params.features_in;
    let n = at / params.features_in; // counts on over the replicas
    let replica = n / params.batch;

    var sum = 0.0;
    let d_y_at = n * params.features_out;
    let weight_at = (replica * params.features_in + i) * params.features_out;
    for (var o = 0u; o < params.features_out; o++) {
        sum += d_y[d_y_at + o] * weight[weight_at + o];
    }
    d_x[at] = sum;
}

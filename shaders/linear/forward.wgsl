// linear_forward: y = x W + b and, if params.relu is 1, a ReLU behind it.
//   x [R, N, D_in], weight [R, D_in, D_out], bias [R, D_out], y [R, N, D_out]
// One invocation per element of y.
// y[n, o] = bias[o] + sum over i of x[n, i] weight[i, o]
// uses shared/grid
// uses shared/linear

@group(0) @binding(0) var<uniform> params: Linear;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let at = group_index(group, groups) * 64u + local;
    if at >= params.replicas * params.batch * params.features_out {
        return;
    }
    let o = at % params.features_out;
    let n = at / params.features_out; // counts on over the replicas
    let replica = n / params.batch;

    var sum = bias[replica * params.features_out + o];
    let x_at = n * params.features_in;
    let weight_at = replica * params.features_in * params.features_out + o;
    for (var i = 0u; i < params.features_in; i++) {
        sum += x[x_at + i] * weight[weight_at + i * params.features_out];
    }
    // A NaN stays a NaN: max() may drop it.
    y[at] = select(sum, 0.0, params.relu == 1u && sum < 0.0);
}

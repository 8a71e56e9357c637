// reduce_sum: one pass of a sum over everything but the replicas.
//   x [R, L], out [R, S]
// One invocation per element of out; neighbours read neighbours. Passes follow until S is 1.
// out[s] = x[s] + x[s + S] + x[s + 2 S] + ...
// uses shared/grid

struct Sum {
    replicas: u32,
    length: u32,
    slices: u32,
}

@group(0) @binding(0) var<uniform> params: Sum;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.slices {
        return;
    }
    let first = i / params.slices * params.length;
    var sum = 0.0;
    for (var l = i % params.slices; l < params.length; l += params.slices) {
        sum += x[first + l];
    }
    out[i] = sum;
}

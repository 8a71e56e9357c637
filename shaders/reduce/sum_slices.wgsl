// reduce_sum_slices: adds the slices of a sum that was cut to stay short.
//   partial [R, S, L], out [R, L]
// One invocation per element of out.
// out[l] = sum over s of partial[s, l], from s = 0 up.
// uses shared/grid
// uses shared/sum_slices

@group(0) @binding(0) var<uniform> params: SumSlices;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.length {
        return;
    }
    let first = i / params.length * params.slices * params.length + i % params.length;
    var sum = 0.0;
    for (var s = 0u; s < params.slices; s++) {
        sum += partial[first + s * params.length];
    }
    out[i] = sum;
}

// reduce_sum_slices, four elements at once: adds the slices of a sum that was cut to stay short.
//   partial [R, S, L], out [R, L]; L a multiple of 4
// One invocation per four elements of out.
// out[l] = sum over s of partial[s, l], from s = 0 up.
// uses shared/grid
// uses shared/sum_slices

const COLUMNS: u32 = 4;

@group(0) @binding(0) var<uniform> params: SumSlices;
@group(0) @binding(1) var<storage, read> partial: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let length = params.length / 4u;
    if i >= params.replicas * length {
        return;
    }
    let replica = i / length;
    var at = replica * params.slices * length + i - replica * length;
    var sum = vec4(0.0);
    for (var s = 0u; s < params.slices; s++) {
        sum += partial[at];
        at += length;
    }
    out[i] = sum;
}

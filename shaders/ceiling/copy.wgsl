// ceiling_copy: y = x. Measures the bandwidth that the device gives to a plain copy: count · 32 bytes moved.
//   x [count] of vec4, y [count] of vec4
// One invocation per vec4.
// uses shared/grid

struct Ceiling {
    count: u32,
    rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Ceiling;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.count {
        return;
    }
    y[i] = x[i];
}

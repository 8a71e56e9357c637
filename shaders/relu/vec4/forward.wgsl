// relu_forward, four elements at once: y = max(x, 0), element by element.
//   x [count], y [count]; count a multiple of 4
// One invocation per four elements. A NaN stays a NaN: max() may drop it, so the sign is tested instead.
// uses shared/grid

struct Relu {
    count: u32,
}

const COLUMNS: u32 = 4;

@group(0) @binding(0) var<uniform> params: Relu;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.count / 4u {
        return;
    }
    let value = x[i];
    y[i] = select(value, vec4(0.0), value < vec4(0.0));
}

// relu_backward, four elements at once: d_x = d_y where y > 0, else 0.
//   y [count] (the output of relu_forward), d_y [count], d_x [count]; count a multiple of 4
// One invocation per four elements.
// Derivation: y = max(x, 0) has slope 1 where x > 0 and 0 where x < 0; x > 0 exactly where y > 0.
// At x = 0 the slope is taken as 0, as PyTorch does.
// uses shared/grid

struct Relu {
    count: u32,
}

const COLUMNS: u32 = 4;

@group(0) @binding(0) var<uniform> params: Relu;
@group(0) @binding(1) var<storage, read> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> d_y: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> d_x: array<vec4<f32>>;

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
    d_x[i] = select(vec4(0.0), d_y[i], y[i] > vec4(0.0));
}

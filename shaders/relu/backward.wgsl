// relu_backward: d_x = d_y where y > 0, else 0, element by element.
//   y [count] (the output of relu_forward), d_y [count], d_x [count]
// One invocation per element.
// Derivation: y = max(x, 0) has slope 1 where x > 0 and 0 where x < 0; x > 0 exactly where y > 0.
// At x = 0 the slope is taken as 0, as PyTorch does.
// uses shared/grid

struct Relu {
    count: u32,
}

@group(0) @binding(0) var<uniform> params: Relu;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_x: array<f32>;

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
    d_x[i] = select(0.0, d_y[i], y[i] > 0.0);
}

// pointwise_add: y += scale · x, element by element: a further loss's share of a gradient.
//   x [count], y [count]
// One invocation per element.
// uses shared/grid

struct Add {
    count: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: Add;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

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
    y[i] += params.scale * x[i];
}

// pointwise_scale: y *= factor of its replica, element by element.
//   factor [R], y [R, size]
// One invocation per element. A NaN or an infinity in y is seen even where the factor is 0.
// uses shared/grid

struct Scale {
    count: u32, // R·size
    size: u32,
}

@group(0) @binding(0) var<uniform> params: Scale;
@group(0) @binding(1) var<storage, read> factor: array<f32>;
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
    y[i] *= factor[i / params.size];
}

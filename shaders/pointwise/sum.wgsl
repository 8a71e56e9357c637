// pointwise_sum: y = a + b, element by element: where the two ways through a residual block meet.
//   a [count], b [count], y [count]
// One invocation per element.
// uses shared/grid

struct PointwiseSum {
    count: u32,
}

@group(0) @binding(0) var<uniform> params: PointwiseSum;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

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
    y[i] = a[i] + b[i];
}

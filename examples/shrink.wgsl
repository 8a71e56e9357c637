// shrink_forward: y = sign(x) · max(|x| − threshold, 0), soft thresholding.
//   x [count], y [count]
// One invocation per element.

struct Shrink {
    count: u32,
    threshold: f32,
}

@group(0) @binding(0) var<uniform> params: Shrink;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * 64u + local;
    if i < params.count {
        y[i] = sign(x[i]) * max(abs(x[i]) - params.threshold, 0.0);
    }
}

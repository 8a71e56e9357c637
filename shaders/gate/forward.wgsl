// gate_forward: y = g * h with the gate g = max(1 + s, 0), element by element.
//   h [count], s [count], y [count]
// One invocation per element. A NaN in h or s stays a NaN: max() may drop it, so the sign is tested instead.
// uses shared/grid
// uses shared/gate

@group(0) @binding(0) var<uniform> params: Gate;
@group(0) @binding(1) var<storage, read> h: array<f32>;
@group(0) @binding(2) var<storage, read> s: array<f32>;
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
    let u = 1.0 + s[i];
    y[i] = select(u, 0.0, u < 0.0) * h[i];
}

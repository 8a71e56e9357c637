// gate_backward_scale: gradient of a gate with respect to s, element by element.
//   h [count], s [count], d_y [count], d_s [count]
// One invocation per element.
// Derivation: y = g h with g = max(u, 0) and u = 1 + s, so dy/ds = h dg/du. The slope of max(u, 0) is 1 where
// u > 0 and 0 where u < 0. A closed gate would then never open again, so where u <= 0 the slope is `slope`:
//   d_s = σ(u) h d_y,   σ(u) = 1 where u > 0, else slope.
// With slope 0 this is the derivative of gate_forward; with slope > 0 that of a gate that leaks when closed.
// uses shared/grid
// uses shared/gate

@group(0) @binding(0) var<uniform> params: Gate;
@group(0) @binding(1) var<storage, read> h: array<f32>;
@group(0) @binding(2) var<storage, read> s: array<f32>;
@group(0) @binding(3) var<storage, read> d_y: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_s: array<f32>;

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
    let full = h[i] * d_y[i];
    d_s[i] = select(params.slope * full, full, 1.0 + s[i] > 0.0);
}

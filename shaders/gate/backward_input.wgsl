// gate_backward_input: gradient of a gate with respect to h, the gate held constant, element by element.
//   s [count], d_y [count], d_h [count]
// One invocation per element.
// Derivation: y = g h; with g = max(1 + s, 0) held constant, dy/dh = g, so
//   d_h = g d_y.
// s depends on h as well; what reaches h by that way is left out here (see gate_backward_input_sum).
// uses shared/grid
// uses shared/gate

@group(0) @binding(0) var<uniform> params: Gate;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_h: array<f32>;

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
    d_h[i] = select(u, 0.0, u < 0.0) * d_y[i];
}

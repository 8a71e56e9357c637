// gate_backward_input_sum: gradient of a gate with respect to h, by both ways, element by element.
//   s [count], d_y [count], d_branch [count], d_h [count]
// One invocation per element.
// Derivation: y = g(h) h, so by the product rule d_h = g d_y + (dg/dh)ᵀ (h d_y). The second term is what
// gate_backward_scale and the convolutions behind s carry back to h: d_branch. Hence
//   d_h = g d_y + d_branch,   g = max(1 + s, 0).
// uses shared/grid
// uses shared/gate

@group(0) @binding(0) var<uniform> params: Gate;
@group(0) @binding(1) var<storage, read> s: array<f32>;
@group(0) @binding(2) var<storage, read> d_y: array<f32>;
@group(0) @binding(3) var<storage, read> d_branch: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_h: array<f32>;

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
    d_h[i] = select(u, 0.0, u < 0.0) * d_y[i] + d_branch[i];
}

// group_norm_backward_input: gradient of a group normalisation with respect to its input.
//   x [rows, P, C] with rows = R·N, statistics [rows, G, 2] (mean μ, inverse deviation ρ), weight [R, C],
//   d_y [rows, P, C], d_x [rows, P, C]
// One workgroup of 64 per picture and group: strided loops, then trees in fixed order.
// Derivation, over the L values of a group: x̂_i = (x_i − μ) ρ and y_i = weight x̂_i + bias, so with g_i = weight d_y_i
//   dμ/dx_i = 1 / L and dρ/dx_i = −ρ³ (x_i − μ) / L = −ρ² x̂_i / L, hence
//   d_x_i = ρ (g_i − Σ g / L − x̂_i Σ g x̂ / L).
// uses shared/grid
// uses shared/tree
// uses shared/group_norm

@group(0) @binding(0) var<uniform> params: GroupNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> d_y: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = group_index(group, groups);
    // A workgroup past the last one takes part in every barrier and touches nothing.
    let live = index < params.rows * params.groups;
    let row = select(0u, index / params.groups, live);
    let own = select(0u, index % params.groups, live);
    let width = params.channels / params.groups;
    let count = params.positions * width;
    let length = select(0u, count, live);
    let scales = row / params.batch * params.channels + own * width;
    let mean = statistics[(row * params.groups + own) * 2u];
    let inverse = statistics[(row * params.groups + own) * 2u + 1u];

    var sum = 0.0;
    var along = 0.0;
    for (var i = local; i < length; i += 64u) {
        let at = place_of(row, own, i);
        let g = weight[scales + i % width] * d_y[at];
        sum += g;
        along += g * ((x[at] - mean) * inverse);
    }
    let offset = tree_sum(local, sum) / f32(count);
    let slope = tree_sum(local, along) / f32(count);
    for (var i = local; i < length; i += 64u) {
        let at = place_of(row, own, i);
        let g = weight[scales + i % width] * d_y[at];
        d_x[at] = inverse * (g - offset - (x[at] - mean) * inverse * slope);
    }
}

// input_penalty_forward: squared input gradient outside of the mask (Ross et al. 2017), and its gradient in g.
//   g [R, N, positions, C] (gradient of the summed log-probabilities in x), outside [R, N, positions] (1 − mask),
//   weight [R, N], norm [R], losses [R, N], d_g like g
// One workgroup of 64 per row of the batch: a strided loop, then a tree in fixed order.
// Formula: losses = weight · Σ_i (outside_i · g_i)².
// Derivation of d_g: with P = scale · Σ losses / norm, ∂P/∂g_i = 2 · scale · weight / norm · outside_i² · g_i.
// Where weight or norm is 0, both are exactly 0, whatever g is.
// uses shared/grid
// uses shared/tree

struct InputPenalty {
    rows: u32, // R·N
    batch: u32,
    size: u32, // positions·C
    channels: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> params: InputPenalty;
@group(0) @binding(1) var<storage, read> g: array<f32>;
@group(0) @binding(2) var<storage, read> outside: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_g: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = group_index(group, groups);
    // A workgroup past the last row takes part in every barrier and touches nothing.
    let live = index < params.rows;
    let row = select(0u, index, live);
    let size = select(0u, params.size, live);

    let row_weight = weight[row];
    let total = norm[row / params.batch];
    let skipped = row_weight == 0.0 || total == 0.0;
    let factor = 2.0 * params.scale * row_weight / total;
    var sum = 0.0;
    for (var i = local; i < size; i += 64u) {
        let at = row * params.size + i;
        let kept = outside[at / params.channels];
        let seen = kept * g[at];
        sum += seen * seen;
        d_g[at] = select(factor * kept * seen, 0.0, skipped);
    }
    sum = tree_sum(local, sum);
    if live && local == 0u {
        losses[row] = select(row_weight * sum, 0.0, skipped);
    }
}

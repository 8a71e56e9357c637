// squared_distance_forward: the mean squared distance of z from t in each picture, and its gradient in z.
//   t (the target, constant) [rows, length], z likewise, weight [rows] = [R, N], norm [R], losses [rows], d_z like z
// One workgroup of 64 per row: a strided loop, then a tree in fixed order.
// Formula: loss = weight / length · Σ_i (z_i − t_i)².
// Derivation of d_z: ∂(z_i − t_i)²/∂z_i = 2 (z_i − t_i); with the mean Σ loss / norm,
//   d_z_i = 2 weight / (norm · length) · (z_i − t_i).
// Where weight or norm is 0, losses and d_z are exactly 0. A NaN in t or z comes through the sum.
// uses shared/grid
// uses shared/tree

struct SquaredDistance {
    rows: u32,
    length: u32,
    batch: u32,
}

@group(0) @binding(0) var<uniform> params: SquaredDistance;
@group(0) @binding(1) var<storage, read> t: array<f32>;
@group(0) @binding(2) var<storage, read> z: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> norm: array<f32>;
@group(0) @binding(5) var<storage, read_write> losses: array<f32>;
@group(0) @binding(6) var<storage, read_write> d_z: array<f32>;

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
    let length = select(0u, params.length, live);
    let row_weight = weight[row];
    let total = norm[row / params.batch];
    let skipped = row_weight == 0.0 || total == 0.0;
    let share = row_weight / f32(params.length);
    let factor = 2.0 * share / total;

    var sum = 0.0;
    for (var i = local; i < length; i += 64u) {
        let at = row * params.length + i;
        let distance = z[at] - t[at];
        sum += distance * distance;
        d_z[at] = select(factor * distance, 0.0, skipped);
    }
    sum = tree_sum(local, sum);
    if live && local == 0u {
        losses[row] = select(share * sum, 0.0, skipped);
    }
}

// group_norm_statistics: mean and inverse deviation of each group of channels in each picture.
//   x [rows, P, C] with rows = R·N, statistics [rows, G, 2]
// One workgroup of 64 per picture and group: a strided loop, then a tree in fixed order, twice.
// Formula, over the L = P·C/G values of a group: mean = Σ x / L, variance = Σ (x − mean)² / L,
//   inverse deviation = 1 / sqrt(variance + epsilon). The second sum takes distances from the mean, so that a large
//   mean costs no digits.
// uses shared/grid
// uses shared/tree
// uses shared/group_norm

@group(0) @binding(0) var<uniform> params: GroupNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> statistics: array<f32>;

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
    let count = params.positions * (params.channels / params.groups);
    let length = select(0u, count, live);

    var sum = 0.0;
    for (var i = local; i < length; i += 64u) {
        sum += x[place_of(row, own, i)];
    }
    let mean = tree_sum(local, sum) / f32(count);
    var squares = 0.0;
    for (var i = local; i < length; i += 64u) {
        let distance = x[place_of(row, own, i)] - mean;
        squares += distance * distance;
    }
    let variance = tree_sum(local, squares) / f32(count);
    if live && local == 0u {
        statistics[index * 2u] = mean;
        statistics[index * 2u + 1u] = inverseSqrt(variance + params.epsilon);
    }
}

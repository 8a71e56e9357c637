// batch_norm_sum: the sum of each channel over the pictures that count, in slices over their positions.
//   x [R, N, P, C], present [R, N] (0: the picture does not count), sums [R, S, C]
// One invocation per element of sums; reduce_sum_slices adds the S slices.
// Slice s takes the rows (positions of pictures) from s slice_length on, slice_length of them, in order.
// uses shared/grid
// uses shared/batch_norm

@group(0) @binding(0) var<uniform> params: BatchNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> present: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.slices * params.channels {
        return;
    }
    let slice = i / params.channels;
    let replica = slice / params.slices;
    let first = slice % params.slices * params.slice_length;
    let rows = params.batch * params.positions;
    let end = min(first + params.slice_length, rows);
    var sum = 0.0;
    for (var m = first; m < end; m++) {
        let value = x[(replica * rows + m) * params.channels + i % params.channels];
        sum += select(0.0, value, present[replica * params.batch + m / params.positions] != 0.0);
    }
    sums[i] = sum;
}

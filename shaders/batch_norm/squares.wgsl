// batch_norm_squares: the sum of each channel's squared distances from its mean, over the pictures that count, in slices.
//   x [R, N, P, C], present [R, N] (0: the picture does not count), sums [R, C], squares [R, S, C]
// One invocation per element of squares; reduce_sum_slices adds the S slices.
// Formula: mean = sums / n with n values of the pictures that count, squares = Σ (x − mean)². Distances from the mean,
// rather than x² itself, so that a large mean costs no digits.
// uses shared/grid
// uses shared/batch_norm
// uses shared/present

@group(0) @binding(0) var<uniform> params: BatchNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> present: array<f32>;
@group(0) @binding(3) var<storage, read> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> squares: array<f32>;

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
    let c = i % params.channels;
    let slice = i / params.channels;
    let replica = slice / params.slices;
    let first = slice % params.slices * params.slice_length;
    let rows = params.batch * params.positions;
    let end = min(first + params.slice_length, rows);
    let mean = sums[replica * params.channels + c] / f32(max(values_present(replica), 1u));
    var sum = 0.0;
    for (var m = first; m < end; m++) {
        let distance = x[(replica * rows + m) * params.channels + c] - mean;
        sum += select(0.0, distance * distance, present[replica * params.batch + m / params.positions] != 0.0);
    }
    squares[i] = sum;
}

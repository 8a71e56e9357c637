// normalize_backward_weight: gradient of a normalisation's scale, in slices over the positions of all pictures.
//   x [R, N, P, C], statistics [R·N / span, G, 2] (mean, inverse deviation), d_y [R, N, P, C], d_weight [R, S, C]
// One invocation per element of d_weight; reduce_sum_slices adds the S slices.
// Derivation: y = weight[c] x̂ + bias[c] with x̂ = (x − mean) inverse_deviation free of the weight, so
//   d_weight[c] = sum over pictures and positions of x̂ d_y.
// Slice s takes the rows (positions of pictures) from s slice_length on, slice_length of them, in order.
// uses shared/grid
// uses shared/normalization

@group(0) @binding(0) var<uniform> params: Normalization;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> statistics: array<f32>;
@group(0) @binding(3) var<storage, read> d_y: array<f32>;
@group(0) @binding(4) var<storage, read_write> d_weight: array<f32>;

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
    let end = min(first + params.slice_length, params.batch * params.positions);
    var sum = 0.0;
    for (var m = first; m < end; m++) {
        let at = statistics_of(replica * params.batch + m / params.positions, c);
        let place = (replica * params.batch * params.positions + m) * params.channels + c;
        sum += (x[place] - statistics[at]) * statistics[at + 1u] * d_y[place];
    }
    d_weight[i] = sum;
}

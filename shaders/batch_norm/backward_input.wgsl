// batch_norm_backward_input: gradient of a batch normalisation, as in training, with respect to its input.
//   x [R, N, P, C], coefficients [R, C, 4] (scale, mean, offset, slope), d_y [R, N, P, C],
//   present [R, N] (0: the picture does not count), d_x [R, N, P, C]
// One invocation per element of d_x.
// Derivation: batch_norm_coefficients has it: d_x = scale d_y − (offset + (x − mean) slope), where the bracket is the way
//   through mean and deviation. A picture that does not count moves neither: d_x = scale d_y.
// uses shared/grid
// uses shared/batch_norm

@group(0) @binding(0) var<uniform> params: BatchNorm;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> coefficients: array<f32>;
@group(0) @binding(3) var<storage, read> d_y: array<f32>;
@group(0) @binding(4) var<storage, read> present: array<f32>;
@group(0) @binding(5) var<storage, read_write> d_x: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    let size = params.positions * params.channels;
    if i >= params.replicas * params.batch * size {
        return;
    }
    let row = i / size;
    let at = (row / params.batch * params.channels + i % params.channels) * 4u;
    let through = coefficients[at + 2u] + (x[i] - coefficients[at + 1u]) * coefficients[at + 3u];
    d_x[i] = coefficients[at] * d_y[i] - select(0.0, through, present[row] != 0.0);
}

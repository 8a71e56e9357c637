// batch_norm_coefficients: what batch_norm_backward_input needs to know of each channel.
//   statistics [R, C, 2] (mean μ, inverse deviation ρ), weight [R, C], d_weight [R, C] = Σ x̂ d_y, d_bias [R, C] = Σ d_y,
//   present [R, N] (0: the picture does not count), coefficients [R, C, 4]
// One invocation per channel of a replica.
// Derivation, over the n values of a channel that count: x̂_i = (x_i − μ) ρ, y_i = weight x̂_i + bias, dμ/dx_i = 1 / n,
//   dρ/dx_i = −ρ² x̂_i / n, so
//   d_x_i = weight ρ (d_y_i − (Σ d_y + x̂_i Σ x̂ d_y) / n) = scale d_y_i − (offset + (x_i − μ) slope)
//   with scale = weight ρ, offset = scale Σ d_y / n, slope = scale ρ Σ x̂ d_y / n.
// Coefficients are scale, μ, offset, slope.
// uses shared/grid
// uses shared/batch_norm
// uses shared/present

@group(0) @binding(0) var<uniform> params: BatchNorm;
@group(0) @binding(1) var<storage, read> statistics: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> d_weight: array<f32>;
@group(0) @binding(4) var<storage, read> d_bias: array<f32>;
@group(0) @binding(5) var<storage, read> present: array<f32>;
@group(0) @binding(6) var<storage, read_write> coefficients: array<f32>;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_index(group, groups) * 64u + local;
    if i >= params.replicas * params.channels {
        return;
    }
    let count = f32(max(values_present(i / params.channels), 1u));
    let inverse = statistics[i * 2u + 1u];
    let scale = weight[i] * inverse;
    coefficients[i * 4u] = scale;
    coefficients[i * 4u + 1u] = statistics[i * 2u];
    coefficients[i * 4u + 2u] = scale * d_bias[i] / count;
    coefficients[i * 4u + 3u] = scale * inverse * d_weight[i] / count;
}

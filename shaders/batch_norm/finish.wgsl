// batch_norm_finish: mean and inverse deviation of each channel of the batch, and the step of the running statistics.
//   sums [R, C], squares [R, C], present [R, N], statistics [R, C, 2], running_mean [R, C], running_var [R, C]
// One invocation per channel of a replica.
// Formula, over the n values that count: mean = sums / n, variance = squares / n,
//   inverse deviation = 1 / sqrt(variance + epsilon);
//   running_mean += momentum (mean − running_mean), running_var likewise with squares / (n − 1), the variance without bias.
// Where nothing counts, mean is 0, and the running statistics stay; running_var stays with a single value too.
// uses shared/grid
// uses shared/batch_norm
// uses shared/present

@group(0) @binding(0) var<uniform> params: BatchNorm;
@group(0) @binding(1) var<storage, read> sums: array<f32>;
@group(0) @binding(2) var<storage, read> squares: array<f32>;
@group(0) @binding(3) var<storage, read> present: array<f32>;
@group(0) @binding(4) var<storage, read_write> statistics: array<f32>;
@group(0) @binding(5) var<storage, read_write> running_mean: array<f32>;
@group(0) @binding(6) var<storage, read_write> running_var: array<f32>;

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
    let values = values_present(i / params.channels);
    let count = f32(max(values, 1u));
    let mean = sums[i] / count;
    statistics[i * 2u] = mean;
    statistics[i * 2u + 1u] = inverseSqrt(squares[i] / count + params.epsilon);
    if values > 0u {
        running_mean[i] += params.momentum * (mean - running_mean[i]);
    }
    if values > 1u {
        running_var[i] += params.momentum * (squares[i] / f32(values - 1u) - running_var[i]);
    }
}

// batch_norm_running: mean and inverse deviation of each channel as in evaluation, from the running statistics.
//   running_mean [R, C], running_var [R, C], statistics [R, C, 2]
// One invocation per channel of a replica.
// inverse deviation = 1 / sqrt(running_var + epsilon)
// uses shared/grid
// uses shared/batch_norm

@group(0) @binding(0) var<uniform> params: BatchNorm;
@group(0) @binding(1) var<storage, read> running_mean: array<f32>;
@group(0) @binding(2) var<storage, read> running_var: array<f32>;
@group(0) @binding(3) var<storage, read_write> statistics: array<f32>;

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
    statistics[i * 2u] = running_mean[i];
    statistics[i * 2u + 1u] = inverseSqrt(running_var[i] + params.epsilon);
}
